//! The outputs that earlier attempts at a job have published, were about to publish, or have left half done.
//!
//! The worker looks at the output to find out, and trusts no record alone. Before it looks, it makes sure that no
//! delayed request of an earlier attempt can make an output appear any more.

use common::job::Job;
use common::job::companion::{Companion, Suffix};
use common::job::failure::Failure;
use common::job::run::Run;
use common::job::run::fence::{Fence, PublishMethod};
use common::names::digest::Digest;
use common::names::location::Location;
use common::store::{StoreError, Stores};

use crate::attempt::input;
use crate::attempt::publish::replace;
use crate::attempt::publish::staged_file;
use crate::attempt::publish::staged_file::HIDDEN;

/// The kind of file at a job's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtOutput {
    Nothing,
    /// The output that the fence describes.
    Ours,
    Foreign,
}

/// A file that is about to appear.
#[derive(Clone, Copy)]
pub(crate) struct Announced<'a> {
    pub(crate) to: &'a Location,
    pub(crate) size: u64,
    pub(crate) digest: &'a Digest,
    /// Whether it is a file beside the output.
    pub(crate) is_companion: bool,
}

impl Announced<'_> {
    /// The failure of the job if another file has the name.
    pub(crate) fn occupied(self) -> Failure {
        occupied(self.to, self.is_companion)
    }
}

/// Whether a file may be replaced by the companion with this suffix. A video or subtitles may be somebody's own.
pub(crate) fn replaces(job: &Job, suffix: &Suffix) -> bool {
    job.replace && !suffix.may_be_a_source()
}

/// Whether the output may replace what is at its location.
pub(crate) fn replaces_output(job: &Job) -> bool {
    job.replace || job.replaces_in_place()
}

/// Compares the file at a location with the announced one. Reads it only if its size is right.
///
/// # Errors
/// If the store fails.
pub(crate) async fn look(
    stores: &Stores,
    announced: Announced<'_>,
) -> Result<AtOutput, StoreError> {
    let Announced {
        to, size, digest, ..
    } = announced;
    let there = match stores.head(to).await {
        Ok(there) if there.size == size => stores.digest(to).await,
        Ok(_) => return Ok(AtOutput::Foreign),
        Err(error) => Err(error),
    };
    match there {
        Ok(found) if found == *digest => Ok(AtOutput::Ours),
        Ok(_) => Ok(AtOutput::Foreign),
        Err(StoreError::Missing(_)) => Ok(AtOutput::Nothing),
        // It is a link, and jobs make no links.
        Err(StoreError::LeadsOut(_)) => Ok(AtOutput::Foreign),
        Err(error) => Err(error),
    }
}

/// Aborts the uploads or removes the hidden files that an earlier attempt was about to publish. So its output cannot
/// appear any more, however late its request reaches the store. Then looks at the output. If the output is not there,
/// the companions that have appeared are removed. With an older output in its place, those stay that may be its own: a
/// job that replaces both may make the very same companion.
///
/// # Errors
/// If the store fails. Then the earlier output may still appear.
pub(crate) async fn abort(stores: &Stores, job: &Job, fence: &Fence) -> Result<AtOutput, Failure> {
    let to = fence.place(job);
    let companions = || {
        let files = fence.companions().iter();
        files.map(|file| (file, file.suffix.beside(to)))
    };
    for (by, (_, to)) in fence.companions.iter().zip(companions()) {
        prevent(stores, &to, by).await.map_err(input::failure)?;
    }
    prevent(stores, to, &fence.by)
        .await
        .map_err(input::failure)?;
    let announced = Announced {
        to,
        size: fence.size,
        digest: &fence.digest,
        is_companion: false,
    };
    let found = look(stores, announced).await.map_err(input::failure)?;
    // Companions appear before their output. Without the output, they belong to nothing.
    if found != AtOutput::Ours {
        let may_be_older =
            |file: &Companion| found == AtOutput::Foreign && replaces(job, &file.suffix);
        for (file, to) in companions().filter(|(file, _)| !may_be_older(file)) {
            withdraw(stores, &to, file).await.map_err(input::failure)?;
        }
    }
    Ok(found)
}

/// Makes sure that a file cannot appear any more in this way.
async fn prevent(stores: &Stores, to: &Location, by: &PublishMethod) -> Result<(), StoreError> {
    match by {
        PublishMethod::Upload(upload) => stores.abort(to, upload).await,
        // A run is a message, so it may name only our own hidden files.
        PublishMethod::File(name) if is_hidden(name) => stores.delete(&to.sibling(name)).await,
        PublishMethod::File(_) => Ok(()),
    }
}

/// Removes a companion that has appeared. Another file in its place stays.
async fn withdraw(stores: &Stores, to: &Location, file: &Companion) -> Result<(), StoreError> {
    let announced = Announced {
        to,
        size: file.size,
        digest: &file.digest,
        is_companion: true,
    };
    match look(stores, announced).await? {
        AtOutput::Ours => stores.delete(to).await,
        AtOutput::Nothing | AtOutput::Foreign => Ok(()),
    }
}

/// Removes the files that the attempts at a job may have left: hidden files beside its output, and the output that
/// the fence announces. An upload without a fence is left to the store, which lets its parts expire.
pub(crate) async fn clean_up(stores: &Stores, run: &Run) {
    if !run.job.kind.writes() {
        return;
    }
    staged_file::remove_leftovers(stores, &run.job.output, &run.job.id).await;
    if let Some(fence) = &run.fence
        && let Err(error) = abort(stores, &run.job, fence).await
    {
        tracing::warn!(job = %run.job.id, %error, "an output may still appear");
    }
    replace::abandon(stores, run).await;
}

/// Whether `name` is one of our hidden names, without a path.
fn is_hidden(name: &str) -> bool {
    name.starts_with(HIDDEN) && !name.contains(['/', '\\'])
}

/// The failure of a job if another file has the name of its output or of a companion.
pub(crate) fn occupied(to: &Location, is_companion: bool) -> Failure {
    if is_companion {
        return Failure::input(format!(
            "a file is where the job would put a file beside its output, and was left as it is: move it away and retry the \
             job ({to})"
        ));
    }
    Failure::input(format!(
        "another file has appeared at the output since the job was enqueued, and was left as it is: \
         move it away and retry the job, or enqueue it again with --overwrite ({to})"
    ))
}

#[cfg(test)]
mod tests {
    use common::recipe::Choice;
    use common::recipe::encoder::Codec;
    use common::testing;

    use super::*;

    #[tokio::test]
    async fn companions_without_their_output_are_removed_and_files_of_others_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let to = Location::file(&at("film.mkv")).expect("absolute");
        let companion = |suffix: &str, bytes: &[u8]| Companion {
            suffix: Suffix::new(suffix).expect("sound"),
            size: bytes.len() as u64,
            digest: Digest::of(bytes),
        };
        let mut fence = testing::fence("w", "x");
        fence.by = PublishMethod::File(format!("{HIDDEN}film"));
        let beside = ["contact.jpg", "1.jpg", "2.jpg"];
        let report = fence.report.as_mut().expect("a report");
        report.companions = beside.map(|suffix| companion(suffix, b"ours")).into();
        let hidden = beside.map(|suffix| format!("{HIDDEN}{suffix}"));
        fence.companions = hidden.clone().map(PublishMethod::File).into();
        let write = |name: &str, text: &str| std::fs::write(at(name), text).expect("room");
        // The first has appeared, the second has not, and another file is where the third would be.
        write("film.contact.jpg", "ours");
        write(&hidden[1], "ours");
        write("film.2.jpg", "them");
        let stores = Stores::new();
        let mut job = testing::job(Choice::Codec(Codec::Hevc), 1);
        job.output = to;
        let found = abort(&stores, &job, &fence).await.expect("a sound disk");
        assert_eq!(found, AtOutput::Nothing);
        let mut left: Vec<_> = std::fs::read_dir(folder.path())
            .expect("there")
            .map(|entry| entry.expect("read").file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["film.2.jpg"]);

        // With the output, they stay.
        write("film.contact.jpg", "ours");
        write("film.mkv", "film");
        (fence.size, fence.digest) = (4, Digest::of(b"film"));
        let found = abort(&stores, &job, &fence).await.expect("a sound disk");
        assert_eq!(found, AtOutput::Ours);
        assert!(at("film.contact.jpg").exists());

        // With an older output that the job was to replace, they may be the older one's.
        write("film.mkv", "older");
        job.replace = true;
        let found = abort(&stores, &job, &fence).await.expect("a sound disk");
        assert_eq!(found, AtOutput::Foreign);
        assert!(at("film.contact.jpg").exists());
        job.replace = false;
        abort(&stores, &job, &fence).await.expect("a sound disk");
        assert!(!at("film.contact.jpg").exists(), "nothing was there before");
    }
}
