//! Makes an input readable for ffmpeg.

mod peer;
pub mod server;

use std::io;
use std::path::{Path, PathBuf};

use common::job::Job;
use common::job::failure::Failure;
use common::job::input::Input;
use common::names::location::Location;
use common::recipe::Captions;
use common::store::roots::Roots;
use common::store::{OnBytes, StoreError, Stores, local_input};

use server::InputServer;

use crate::cli::config::ReadMode;
use crate::ffmpeg::Source;

/// The name of the copy of an input in a scratch folder.
pub const NAME: &str = "input";

/// How ffmpeg reads an input of a job, by its number, if the worker's configuration says `read`.
pub fn mode(job: &Job, number: usize, read: ReadMode) -> ReadMode {
    // With captions, ffmpeg reads the input at two places at once; parts are read more than once. Subtitles are small.
    match job.recipe.captions {
        Captions::Srt => ReadMode::Download,
        Captions::Keep if job.is_joined() || number > 0 => ReadMode::Download,
        Captions::Keep => read,
    }
}

/// Makes sure that the input is still the version that was enqueued, and decides how ffmpeg reads it. A local file is
/// read in place. An object is served by this worker, or downloaded to the path `to`.
///
/// # Errors
/// If the input is gone, empty or changed, or if the store fails.
pub async fn open(
    (stores, server): (&Stores, &InputServer),
    input: &Input,
    mode: ReadMode,
    to: &Path,
    on_bytes: OnBytes<'_>,
) -> Result<Source, Failure> {
    let location = &input.location;
    let missing = |error| match error {
        StoreError::Missing(_) if location.is_remote() => {
            Failure::input(format!("the input {location} is gone"))
        }
        // Another machine may have this folder.
        StoreError::Missing(_) => Failure::worker(format!(
            "there is no {location} on this machine: is its folder shared with every worker?"
        )),
        other => failure(other),
    };
    let (now, path) = if location.is_remote() {
        (stores.head(location).await.map_err(missing)?, None)
    } else {
        let (now, path) = stores.on_disk(location, on_disk).await.map_err(missing)?;
        (now, Some(path))
    };
    if now != *input {
        return Err(Failure::input(format!(
            "the input {location} has changed since it was enqueued ({} bytes then, {} now): enqueue it again",
            input.size, now.size
        )));
    }
    if now.size == 0 {
        return Err(Failure::input(format!("the input {location} is empty")));
    }
    // This path has no link in it: the sandbox accepts no other path.
    if let Some(path) = path {
        return Ok(Source::File(path));
    }
    match mode {
        ReadMode::InPlace => Ok(Source::Url(server.serve(location))),
        ReadMode::Download => download(stores, input, to, on_bytes).await,
    }
}

/// The current version of a file, and its path without any link in it.
fn on_disk(roots: &Roots, location: &Location) -> Result<(Input, PathBuf), StoreError> {
    let found = roots.file(location)?;
    let metadata = found.file.metadata();
    let metadata = metadata.map_err(|source| StoreError::Local {
        what: location.to_string(),
        source,
    })?;
    Ok((local_input(location.clone(), &metadata), found.path))
}

/// Makes sure, after the work, that the input is still the version that was enqueued: a file that was overwritten
/// in place may decode well, as a mixture of two versions. An input that is missing by now was read to its end.
/// `while_it_was` says what was done with it meanwhile, and what to do.
///
/// # Errors
/// If the input has changed, or if the store fails.
pub async fn unchanged(stores: &Stores, input: &Input, while_it_was: &str) -> Result<(), Failure> {
    match stores.head(&input.location).await {
        Ok(now) if now == *input => Ok(()),
        Err(StoreError::Missing(_)) => Ok(()),
        Ok(_) => Err(Failure::input(format!(
            "the input {} has changed while it was {while_it_was}",
            input.location
        ))),
        Err(error) => Err(failure(error)),
    }
}

/// Makes sure that a job's output is not one of its inputs under another name.
///
/// # Errors
/// If both are the same file, or if the output's name is impossible.
pub async fn differs(stores: &Stores, job: &Job) -> Result<(), Failure> {
    let itself = || Failure::input("the output is the input itself");
    let output = &job.output;
    let identity = async |file: &Location| {
        let found = stores.on_disk(file, Roots::file).await?;
        Ok::<_, StoreError>(found.identity)
    };
    // A job that replaces its source gives its output the source's own name.
    let own = usize::from(job.replaces_in_place());
    for input in job.inputs().skip(own).map(|input| &input.location) {
        if input == output {
            return Err(itself());
        }
        if input.is_remote() || output.is_remote() {
            continue;
        }
        match (identity(input).await, identity(output).await) {
            (Ok(input), Ok(output)) if input == output => return Err(itself()),
            // Refused before the encode, because no file can have such a name.
            (_, Err(StoreError::Local { what, source }))
                if source.kind() == io::ErrorKind::InvalidFilename =>
            {
                return Err(failure(StoreError::Local { what, source }));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Copies the input to a file.
async fn download(
    stores: &Stores,
    input: &Input,
    to: &Path,
    on_bytes: OnBytes<'_>,
) -> Result<Source, Failure> {
    stores
        .download(&input.location, to, on_bytes)
        .await
        .map_err(failure)?;
    Ok(Source::File(to.to_owned()))
}

/// Turns a store's error into a failure with a fault. Network errors are passing. A full or broken disk is the
/// worker's fault. So is a file that this worker's user may not read or write, because the user of another worker
/// may. A name that no file can have, or that a folder has, is the input's fault. `Reach::judge` decides later
/// whether the store answers others, and so whether a failure is passing.
pub fn failure(error: StoreError) -> Failure {
    let message = error.to_string();
    match error {
        StoreError::Missing(_)
        | StoreError::Name { .. }
        | StoreError::Outside(_)
        | StoreError::LeadsOut(_) => Failure::input(message),
        StoreError::Remote { .. }
        | StoreError::Refused { .. }
        | StoreError::Settings { .. }
        | StoreError::Away { .. }
        | StoreError::Stopped(_) => Failure::passing(message),
        StoreError::Local { source, .. }
            if matches!(
                source.kind(),
                io::ErrorKind::IsADirectory | io::ErrorKind::InvalidFilename
            ) =>
        {
            Failure::input(message)
        }
        StoreError::Local { .. } => Failure::worker(message),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use common::job::failure::Fault;

    use super::*;

    /// A folder of media, and stores that may use it.
    fn place() -> (tempfile::TempDir, Stores) {
        let folder = tempfile::tempdir().expect("a folder");
        let roots = Roots::new([folder.path()]).expect("a folder");
        (folder, Stores::new().within(roots, Vec::new()))
    }

    #[tokio::test]
    async fn a_hanging_disk_does_not_block_the_only_thread() {
        let (folder, stores) = place();
        let location = Location::file(&folder.path().join("film.mkv")).expect("absolute");
        let (let_go, hung) = std::sync::mpsc::channel::<()>();
        let work = move |_: &Roots, _: &Location| {
            let _ = hung.recv();
            Ok(())
        };
        let mut hanging = std::pin::pin!(stores.on_disk(&location, work));
        // A lease is renewed in the same way, beside such a call.
        for _ in 0..10 {
            tokio::select! {
                _ = &mut hanging => panic!("nobody let it go"),
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
        }
        let_go.send(()).expect("it hangs");
        hanging.await.expect("let go");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_pipe_in_place_of_an_input_does_not_block() {
        let (folder, stores) = place();
        let path = folder.path().join("film.mkv");
        std::fs::write(&path, "film").expect("written");
        let location = Location::file(&path).expect("absolute");
        let input = stores.head(&location).await.expect("a file");
        std::fs::remove_file(&path).expect("ours");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        let to = folder.path().join(NAME);
        let server = InputServer::start(stores.clone()).await.expect("a port");
        let opened = open((&stores, &server), &input, ReadMode::InPlace, &to, &|_| {});
        let opened = tokio::time::timeout(Duration::from_secs(60), opened).await;
        opened.expect("no wait").expect_err("no plain file");
    }

    #[test]
    fn a_permission_error_is_not_the_inputs_fault() {
        let fault = |kind: io::ErrorKind| {
            let what = "cannot write /films/a.mkv".to_owned();
            let source = kind.into();
            failure(StoreError::Local { what, source }).fault
        };
        assert_eq!(fault(io::ErrorKind::PermissionDenied), Fault::Worker);
        assert_eq!(fault(io::ErrorKind::IsADirectory), Fault::Input);
        assert_eq!(fault(io::ErrorKind::InvalidFilename), Fault::Input);
    }
}
