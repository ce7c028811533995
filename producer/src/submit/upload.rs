//! Uploading local files to the store. Files that are there already are not uploaded again.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use common::broker::NewBatch;
use common::job::input::Input;
use common::names::location::Location;
use common::store::{StoreError, Stores};
use common::submit::naming::as_key;
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::cli::exit::Error;
use crate::display::{bar, units};
use crate::submit::send::Wanted;
use crate::submit::sources::SourceFile;

/// Files that are uploaded at once.
const AT_ONCE: usize = 4;

/// The folder, or the file, that workers will read an input from: below `store` if the input is uploaded there.
pub(crate) fn read_from(store: Option<&Location>, input: &Location) -> Location {
    match store {
        Some(store) if !input.is_remote() => store.join("in/file"),
        _ => input.clone(),
    }
}

/// Uploads every local source to `store`, below `in/`, and replaces it by its copy there.
///
/// # Errors
/// If a file cannot be read or the store fails. Complete uploads stay, and the next command continues from there.
pub(crate) async fn upload(
    stores: &Stores,
    store: &Location,
    sources: Vec<SourceFile>,
    shutdown: &CancellationToken,
) -> Result<Vec<SourceFile>, Error> {
    let bytes: u64 = sources
        .iter()
        .flat_map(SourceFile::inputs)
        .filter(|input| !input.location.is_remote())
        .map(|input| input.size)
        .sum();
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
    bar.set_style(bar::style(
        "{prefix:32} [{bar:16}] {percent:>3}% {decimal_bytes}/{decimal_total_bytes}, {eta} left",
    ));
    bar.set_prefix("uploading");
    bar.enable_steady_tick(Duration::from_millis(500));
    // The first failure stops the other uploads, which remove what they sent.
    let stop = shutdown.child_token();
    let tried: Vec<Result<(SourceFile, Vec<bool>), StoreError>> = futures::stream::iter(sources)
        .map(async |source| {
            let done = one(stores, store, source, &bar, &stop).await;
            if done.is_err() {
                stop.cancel();
            }
            done
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    bar.finish_and_clear();
    let (mut uploaded, mut there) = (0, 0);
    let mut copies = Vec::new();
    let mut failures = Vec::new();
    for done in tried {
        match done {
            Ok((source, sent)) => {
                uploaded += sent.iter().filter(|sent| **sent).count();
                there += sent.iter().filter(|sent| !**sent).count();
                copies.push(source);
            }
            Err(error) => failures.push(error),
        }
    }
    failures.sort_by_key(|error| matches!(error, StoreError::Stopped(_)));
    match failures.into_iter().next() {
        None => {}
        Some(StoreError::Missing(location)) => {
            return Err(Error::out_of_reach(format!(
                "cannot write to {location}: does the bucket exist?"
            )));
        }
        Some(error) => return Err(error.into()),
    }
    if uploaded + there > 0 {
        eprintln!(
            "{} uploaded to {store}, {} there already",
            units::count(uploaded, "file"),
            there
        );
    }
    Ok(copies)
}

/// The source with the copies of its files. Tells of each copy whether it was uploaded now.
async fn one(
    stores: &Stores,
    store: &Location,
    mut source: SourceFile,
    bar: &ProgressBar,
    shutdown: &CancellationToken,
) -> Result<(SourceFile, Vec<bool>), StoreError> {
    let mut sent = Vec::new();
    let mut upload = async |input: &mut Input, name: &Path| {
        if let Some((copy, is_sent)) = copy(stores, store, (input, name), bar, shutdown).await? {
            *input = copy;
            sent.push(is_sent);
        }
        Ok::<_, StoreError>(())
    };
    upload(&mut source.input, &source.name).await?;
    for further in &mut source.further {
        let name = further.input.location.name();
        upload(&mut further.input, Path::new(&name)).await?;
    }
    Ok((source, sent))
}

/// The copy of a file, and whether it was uploaded now; `None` if the file is in a bucket itself.
async fn copy(
    stores: &Stores,
    store: &Location,
    (input, name): (&Input, &Path),
    bar: &ProgressBar,
    shutdown: &CancellationToken,
) -> Result<Option<(Input, bool)>, StoreError> {
    let Some(path) = input.location.path() else {
        return Ok(None);
    };
    if shutdown.is_cancelled() {
        return Err(StoreError::Stopped(input.location.clone()));
    }
    let to = copy_of(Some(store), input, name);
    match stores.head(&to).await {
        Ok(copy) if copy.size == input.size => {
            bar.inc(input.size);
            return Ok(Some((copy, false)));
        }
        Ok(_) | Err(StoreError::Missing(_)) => {}
        Err(error) => return Err(error),
    }
    let before = std::sync::atomic::AtomicU64::new(0);
    let on_bytes = |done: u64| {
        let last = before.swap(done, std::sync::atomic::Ordering::Relaxed);
        bar.inc(done.saturating_sub(last));
    };
    let file = std::fs::File::open(&path).map_err(|source| StoreError::Local {
        what: format!("reading {}", path.display()),
        source,
    })?;
    let mut upload = stores.upload(file, &to, &on_bytes, shutdown).await?;
    let ended = upload.commit().await;
    match (stores.head(&to).await, ended) {
        (Ok(copy), Ok(())) => Ok(Some((copy, true))),
        // The upload is complete; only the answer was lost.
        (Ok(copy), Err(_)) if copy.size == input.size => {
            upload.done();
            Ok(Some((copy, true)))
        }
        (_, Err(error)) => {
            upload.abort().await;
            Err(error)
        }
        (Err(error), Ok(())) => Err(error),
    }
}

/// The location that workers will read a file from: its copy in the store, or the file itself if that is in a bucket.
/// The folder of a copy stands for one version of one file: a copy of the right size is the same file, and no copy is
/// ever replaced.
pub(crate) fn copy_of(store: Option<&Location>, input: &Input, name: &Path) -> Location {
    let Some(store) = store.filter(|_| !input.location.is_remote()) else {
        return input.location.clone();
    };
    let identity = format!(
        "{} {} {}",
        String::from(input.location.clone()),
        input.size,
        input.version
    );
    let version = Uuid::new_v5(&Uuid::NAMESPACE_URL, identity.as_bytes())
        .simple()
        .to_string();
    store.join(&format!("in/{}/{}", &version[..12], as_key(name)))
}

/// The source with the files that its job reads, as far as they are known before the upload. The version of a copy is
/// known if an earlier job of the output read the same copy.
pub(crate) fn expected(
    store: Option<&Location>,
    source: &SourceFile,
    batch: &NewBatch<'_>,
    output: &Location,
) -> SourceFile {
    let earlier: Vec<&Input> = batch
        .last_job(output)
        .map_or_else(Vec::new, |last_job| last_job.job().inputs().collect());
    let expect = |input: &mut Input, name: &Path| {
        let location = copy_of(store, input, name);
        let same = earlier.iter().find(|earlier| earlier.location == location);
        match same.filter(|_| location != input.location) {
            Some(earlier) => *input = (*earlier).clone(),
            None => input.location = location,
        }
    };
    let mut expected = source.clone();
    expect(&mut expected.input, &source.name);
    for further in &mut expected.further {
        let name = further.input.location.name();
        expect(&mut further.input, Path::new(&name));
    }
    expected
}

/// Uploads the sources, but not those that get no job.
pub(crate) async fn upload_needed(
    stores: &Stores,
    store: Option<&Location>,
    mut wanted: Vec<Wanted>,
    batch: &NewBatch<'_>,
    shutdown: &CancellationToken,
) -> Result<Vec<Wanted>, Error> {
    for one in &mut wanted {
        let source = expected(store, &one.source, batch, &one.output);
        let work = source.work(&one.recipe, one.output.clone());
        one.decided = batch.decided(&batch.job(work));
    }
    let Some(store) = store else {
        return Ok(wanted);
    };
    // A source of several outputs is uploaded once.
    let mut seen = HashSet::new();
    let open = wanted.iter().filter(|one| one.decided.is_none());
    let sources: Vec<SourceFile> = open
        .filter(|one| seen.insert(&one.source.input.location))
        .map(|one| one.source.clone())
        .collect();
    let places: Vec<Location> = sources
        .iter()
        .map(|source| source.input.location.clone())
        .collect();
    let copies = upload(stores, store, sources, shutdown).await?;
    let copies: HashMap<Location, SourceFile> = places.into_iter().zip(copies).collect();
    for one in wanted.iter_mut().filter(|one| one.decided.is_none()) {
        if let Some(copy) = copies.get(&one.source.input.location) {
            one.source = copy.clone();
        }
    }
    Ok(wanted)
}
