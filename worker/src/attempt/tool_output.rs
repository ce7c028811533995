//! The file that a confined tool made, opened once.
//!
//! A hostile input may take a tool over, and the tool may then leave anything in place of its output: a link to a
//! file that only this worker may read, a pipe, a device, another name of an existing file. So the file is opened
//! without following links and without waiting, and checked through its descriptor. Then it is moved to a folder
//! where no tool may write, before anyone reads it. All processes of the tool have ended by then.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use common::job::failure::{Doubt, Failure};
use common::names::digest::Digest;
use common::store::marked::{is_name_of, open_plain};
use common::store::roots::Identity;

use crate::attempt::scratch::AttemptFolder;
use crate::ffmpeg::containers::finish::Finish;

/// A file that a tool made, and that no tool can change any more.
pub struct ToolOutput {
    file: File,
    path: PathBuf,
    size: u64,
}

impl ToolOutput {
    /// Takes the file of this name from the attempt's working folder.
    ///
    /// # Errors
    /// A failure in doubt if the file is missing or empty. The input's fault if it is no plain file, because a sound
    /// tool leaves nothing else.
    pub fn take(folder: &AttemptFolder, name: &str) -> Result<Self, Failure> {
        let system = |error: std::io::Error| {
            Failure::worker(format!("cannot open what ffmpeg made: {error}"))
        };
        let file = match open_plain(folder.work(), name) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(nothing());
            }
            file => file.map_err(system)?,
        };
        let file = file.ok_or_else(not_plain)?;
        folder
            .work()
            .rename(name, folder.dir(), name)
            .map_err(system)?;
        if !is_name_of(folder.dir(), name, &file).map_err(system)? {
            return Err(not_plain());
        }
        let size = file.metadata().map_err(system)?.len();
        if size == 0 {
            return Err(nothing());
        }
        Ok(Self {
            file: file.into_std(),
            path: folder.path().join(name),
            size,
        })
    }

    /// The file, for reading.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Opens the file again, for reading from its beginning.
    ///
    /// # Errors
    /// If another file has this name by now.
    pub fn reopen(&self) -> std::io::Result<File> {
        let file = File::open(&self.path)?;
        if Identity::of(&file)? == Identity::of(&self.file)? {
            return Ok(file);
        }
        Err(exchanged())
    }

    /// Writes the parts into the file that ffmpeg cannot write.
    ///
    /// # Errors
    /// The worker's fault if the file is not as expected, or if the disk refuses.
    pub fn finish(&self, finish: &Finish) -> Result<(), Failure> {
        if finish.is_empty() {
            return Ok(());
        }
        let write = || {
            let mut file = File::options().read(true).write(true).open(&self.path)?;
            if Identity::of(&file)? != Identity::of(&self.file)? {
                return Err(exchanged());
            }
            finish.write(&mut file)
        };
        write().map_err(|error| {
            Failure::worker(format!("what ffmpeg made cannot be finished: {error}"))
        })
    }

    /// The digest of the whole file.
    ///
    /// # Errors
    /// The worker's fault if the disk refuses.
    pub async fn digest(&self) -> Result<Digest, Failure> {
        let failed = |error| Failure::worker(format!("cannot read what ffmpeg made: {error}"));
        let file = self.file.try_clone().map_err(failed)?;
        tokio::task::spawn_blocking(move || Digest::of_file(&file))
            .await
            .map_err(std::io::Error::other)
            .flatten()
            .map_err(failed)
    }

    /// The path of the file, in a folder where no tool may write.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

fn exchanged() -> std::io::Error {
    std::io::Error::other("the output was exchanged")
}

fn nothing() -> Failure {
    Failure::in_doubt(Doubt::Repetition, "ffmpeg ended well but wrote nothing")
}

fn not_plain() -> Failure {
    Failure::input(
        "ffmpeg left a link, or something else that is no plain file, where its output should be: an input may have \
         taken it over. Nothing of it was read",
    )
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use common::job::failure::Fault;

    use super::*;
    use crate::attempt::scratch::Scratch;

    /// The folders in which a test takes a tool's output.
    struct Place {
        home: tempfile::TempDir,
        folder: AttemptFolder,
        _scratch: Scratch,
    }

    impl Place {
        fn new() -> Self {
            let home = tempfile::tempdir().expect("a folder");
            std::fs::write(home.path().join("secret"), "SECRET").expect("room");
            let name = "w".parse().expect("a name");
            let scratch = Scratch::open(&home.path().join("scratch"), &name).expect("free");
            Self {
                folder: scratch.proof().expect("room"),
                _scratch: scratch,
                home,
            }
        }

        fn output(&self) -> PathBuf {
            self.folder.work_path().join("output")
        }

        fn secret(&self) -> PathBuf {
            self.home.path().join("secret")
        }

        fn refused(&self) {
            let failure = ToolOutput::take(&self.folder, "output")
                .err()
                .expect("refused");
            assert_eq!(failure.fault, Fault::Input, "{failure}");
            assert!(failure.message.contains("no plain file"), "{failure}");
        }
    }

    #[test]
    fn a_plain_file_is_moved_to_where_no_tool_may_write() {
        let place = Place::new();
        std::fs::write(place.output(), "film").expect("room");
        let made = ToolOutput::take(&place.folder, "output").expect("plain");
        assert_eq!(made.size(), 4);
        assert_eq!(made.path(), place.folder.path().join("output"));
        assert!(made.path().exists() && !place.output().exists());
        made.reopen().expect("the same file");
        std::fs::remove_file(made.path()).expect("removed");
        std::fs::write(made.path(), "evil").expect("room");
        made.reopen().expect_err("another file");
    }

    #[test]
    fn links_and_other_names_of_files_are_refused() {
        let place = Place::new();
        symlink(place.secret(), place.output()).expect("room");
        place.refused();
        std::fs::remove_file(place.output()).expect("there");
        std::fs::hard_link(place.secret(), place.output()).expect("room");
        place.refused();
        assert_eq!(std::fs::read(place.secret()).expect("there"), b"SECRET");
    }

    #[test]
    fn pipes_and_folders_and_devices_are_refused_without_waiting() {
        let place = Place::new();
        let made = std::process::Command::new("mkfifo")
            .arg(place.output())
            .status();
        assert!(made.expect("mkfifo").success());
        place.refused();
        std::fs::remove_file(place.output()).expect("there");
        std::fs::create_dir(place.output()).expect("room");
        place.refused();
        std::fs::remove_dir(place.output()).expect("there");
        // Only root can make a device.
        let mut mknod = std::process::Command::new("mknod");
        let made = mknod.arg(place.output()).args(["c", "1", "3"]).output();
        if made.is_ok_and(|made| made.status.success()) {
            place.refused();
        }
    }

    #[test]
    fn a_missing_or_empty_output_is_the_workers_fault() {
        let place = Place::new();
        let failure = ToolOutput::take(&place.folder, "output")
            .err()
            .expect("nothing");
        assert_eq!(failure.fault, Fault::Worker);
        std::fs::write(place.output(), "").expect("room");
        let failure = ToolOutput::take(&place.folder, "output")
            .err()
            .expect("empty");
        assert_eq!(failure.fault, Fault::Worker);
    }
}
