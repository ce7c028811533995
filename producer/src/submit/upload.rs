//! Uploading local files to the store. Files that are there already are not uploaded again.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::broker::NewBatch;
use common::job::input::Input;
use common::names::location::Location;
use common::say;
use common::store::{StoreError, Stores};
use common::submit::naming::as_key;
use common::submit::result::SubmitResult;
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

/// Uploads every local file that the sources need to `store`, below `in/`, and replaces it by its copy there. A file of
/// several sources is uploaded once.
///
/// # Errors
/// If a file cannot be read or the store fails. Complete uploads stay, and the next command continues from there.
async fn upload(
    stores: &Stores,
    store: &Location,
    sources: Vec<&mut SourceFile>,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    let mut files: Vec<(&mut Input, Location)> = Vec::new();
    for source in sources {
        for (input, name) in inputs_with_names(source) {
            let to = copy_of(Some(store), input, &name);
            if to != input.location {
                files.push((input, to));
            }
        }
    }
    let mut seen = HashSet::new();
    let open: Vec<(Location, Input)> = files
        .iter()
        .filter(|(_, to)| seen.insert(to.clone()))
        .map(|(input, to)| (to.clone(), (**input).clone()))
        .collect();
    let bytes: u64 = open.iter().map(|(_, input)| input.size).sum();
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
    bar.set_style(bar::style(
        "{prefix:32} [{bar:16}] {percent:>3}% {decimal_bytes}/{decimal_total_bytes}, {eta} left",
    ));
    bar.set_prefix("uploading");
    bar.enable_steady_tick(Duration::from_millis(500));
    // The first failure stops the other uploads, which remove what they sent.
    let stop = shutdown.child_token();
    let tried: Vec<Result<(Location, Copied), StoreError>> = futures::stream::iter(open)
        .map(async |(to, input)| {
            let done = copy(stores, &input, &to, &bar, &stop).await;
            if done.is_err() {
                stop.cancel();
            }
            done.map(|copied| (to, copied))
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    bar.finish_and_clear();
    let mut copies: HashMap<Location, Copied> = HashMap::new();
    let mut failures = Vec::new();
    for done in tried {
        match done {
            Ok((to, copied)) => {
                copies.insert(to, copied);
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
    if !copies.is_empty() {
        let uploaded = copies.values().filter(|copied| copied.is_new).count();
        say!(
            "{} uploaded to {store}, {} there already",
            units::count(uploaded, "file"),
            copies.len() - uploaded
        );
    }
    for (input, to) in files {
        if let Some(copied) = copies.get(&to) {
            *input = copied.input.clone();
        }
    }
    Ok(())
}

/// The files that a source's job reads, with the names of their copies.
fn inputs_with_names(source: &mut SourceFile) -> impl Iterator<Item = (&mut Input, PathBuf)> {
    let further = source.further.iter_mut().map(|further| {
        let name = PathBuf::from(further.input.location.name());
        (&mut further.input, name)
    });
    std::iter::once((&mut source.input, source.name.clone())).chain(further)
}

/// A copy in the store.
struct Copied {
    input: Input,
    /// Whether it was uploaded now.
    is_new: bool,
}

/// Copies a local file to the store, unless its copy is there.
async fn copy(
    stores: &Stores,
    input: &Input,
    to: &Location,
    bar: &ProgressBar,
    shutdown: &CancellationToken,
) -> Result<Copied, StoreError> {
    if shutdown.is_cancelled() {
        return Err(StoreError::Stopped(input.location.clone()));
    }
    let copied = |input, is_new| Ok(Copied { input, is_new });
    match stores.head(to).await {
        Ok(copy) if copy.size == input.size => {
            bar.inc(input.size);
            return copied(copy, false);
        }
        Ok(_) | Err(StoreError::Missing(_)) => {}
        Err(error) => return Err(error),
    }
    let before = std::sync::atomic::AtomicU64::new(0);
    let on_bytes = |done: u64| {
        let last = before.swap(done, std::sync::atomic::Ordering::Relaxed);
        bar.inc(done.saturating_sub(last));
    };
    let path = input.location.path().unwrap_or_default();
    let file = std::fs::File::open(&path).map_err(|source| StoreError::Local {
        what: format!("reading {}", path.display()),
        source,
    })?;
    let mut upload = stores.upload(file, to, &on_bytes, shutdown).await?;
    let ended = upload.commit().await;
    match (stores.head(to).await, ended) {
        (Ok(copy), Ok(())) => copied(copy, true),
        // The upload is complete; only the answer was lost.
        (Ok(copy), Err(_)) if copy.size == input.size => {
            upload.done();
            copied(copy, true)
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
    let mut expected = source.clone();
    for (input, name) in inputs_with_names(&mut expected) {
        let location = copy_of(store, input, &name);
        let same = earlier.iter().find(|earlier| earlier.location == location);
        match same.filter(|_| location != input.location) {
            Some(earlier) => *input = (*earlier).clone(),
            None => input.location = location,
        }
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
    let mut jobs = Vec::with_capacity(wanted.len());
    for one in &mut wanted {
        let source = expected(store, &one.source, batch, &one.output);
        let job = batch.job(one.work_from(&source));
        one.decided = batch.decided(&job);
        jobs.push(job);
    }
    let Some(store) = store else {
        return Ok(wanted);
    };
    let refused = batch.refused_ladders(&jobs).await?;
    for (one, job) in wanted.iter_mut().zip(&jobs) {
        let Some(ladder) = &one.ladder else {
            continue;
        };
        if one.decided.is_none() {
            let why = refused.get(&ladder.master).cloned();
            one.decided = why.map(SubmitResult::Occupied);
        }
        // A member that is not uploaded is submitted with the copies of before.
        if one.decided.is_some() {
            one.source = expected(Some(store), &one.source, batch, &job.output);
        }
    }
    let open = wanted.iter_mut().filter(|one| one.decided.is_none());
    let sources = open.map(|one| &mut one.source).collect();
    upload(stores, store, sources, shutdown).await?;
    Ok(wanted)
}
