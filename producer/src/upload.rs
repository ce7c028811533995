//! Bringing local files to the store, those that are missing only.

use std::path::Path;
use std::time::Duration;

use common::location::Location;
use common::store::{StoreError, Stores};
use futures::{StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressDrawTarget};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::display::{progress_style, units};
use crate::exit::Error;
use crate::sources::Source;

/// Files that are uploaded at once.
const AT_ONCE: usize = 4;

/// Replaces every local source by its copy in `store`, below `in/`, after
/// bringing it there.
///
/// # Errors
/// Where a file cannot be read or the store fails. What was uploaded until
/// then stays, and the next command goes on from there.
pub async fn upload(
    stores: &Stores,
    store: &Location,
    sources: Vec<Source>,
) -> Result<Vec<Source>, Error> {
    let bytes: u64 = sources
        .iter()
        .filter(|source| !source.input.location.is_remote())
        .map(|source| source.input.size)
        .sum();
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
    bar.set_style(progress_style(
        "{prefix:32} {bar:24} {percent:>3}% {bytes}/{total_bytes}, {eta} left",
    ));
    bar.set_prefix("uploading");
    bar.enable_steady_tick(Duration::from_millis(500));
    let done: Result<Vec<(Source, Option<bool>)>, StoreError> = futures::stream::iter(sources)
        .map(|source| one(stores, store, source, &bar))
        .buffered(AT_ONCE)
        .try_collect()
        .await;
    bar.finish_and_clear();
    let (mut uploaded, mut there) = (0, 0);
    let mut copies = Vec::new();
    let done = done.map_err(|error| match error {
        // Just put there, and not to be found: whatever this is, it is no store.
        StoreError::Missing(location) => {
            Error::out_of_reach(format!("the store does not keep {location}"))
        }
        error => error.into(),
    })?;
    for (source, sent) in done {
        match sent {
            Some(true) => uploaded += 1,
            Some(false) => there += 1,
            None => {}
        }
        copies.push(source);
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

/// The copy, and whether it had to be sent; `None` where the source is in a
/// bucket itself.
async fn one(
    stores: &Stores,
    store: &Location,
    source: Source,
    bar: &ProgressBar,
) -> Result<(Source, Option<bool>), StoreError> {
    let Some(path) = source.input.location.path() else {
        return Ok((source, None));
    };
    let to = copy_of(store, &source);
    let copy = |input| Source {
        input,
        name: source.name.clone(),
    };
    match stores.head(&to).await {
        Ok(input) if input.size == source.input.size => {
            bar.inc(source.input.size);
            return Ok((copy(input), Some(false)));
        }
        Ok(_) | Err(StoreError::Missing(_)) => {}
        Err(error) => return Err(error),
    }
    let before = std::sync::atomic::AtomicU64::new(0);
    let on_bytes = |done: u64| {
        let last = before.swap(done, std::sync::atomic::Ordering::Relaxed);
        bar.inc(done.saturating_sub(last));
    };
    let never = CancellationToken::new();
    let upload = stores.upload(&path, &to, &on_bytes, &never).await?;
    upload.commit().await?;
    Ok((copy(stores.head(&to).await?), Some(true)))
}

/// Where the copy goes. Its folder stands for one version of one file, so what
/// is there with the right size is the same, and nothing is ever replaced.
fn copy_of(store: &Location, source: &Source) -> Location {
    let input = &source.input;
    let identity = format!(
        "{} {} {}",
        String::from(input.location.clone()),
        input.size,
        input.version
    );
    let version = Uuid::new_v5(&Uuid::NAMESPACE_URL, identity.as_bytes())
        .simple()
        .to_string();
    let name: Vec<_> = Path::new(&source.name)
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    store.join(&format!("in/{}/{}", &version[..12], name.join("/")))
}
