//! The file of a backup: a tar archive with an entry for each piece of each stream.
//!
//! ```text
//! format                 the version of this layout
//! JOBS/heading.json      what the stream is and what it held
//! JOBS/000001 …          its pieces, as the server sent them
//! KV_runs/heading.json   …
//! end                    the SHA-256 of all entries before: without it, the file is not whole
//! ```

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use common::broker::StreamHeading;
use common::names::digest::{Digest, Digester};
use tar::{Builder, Header};

use crate::cli::exit::Error;

const FORMAT: &str = "format";
const VERSION: &[u8] = b"1";
const HEADING: &str = "heading.json";
const END: &str = "end";

/// A backup that is being written, under another name until it is whole.
pub(super) struct Archive {
    builder: Builder<BufWriter<File>>,
    digester: Digester,
    file: PathBuf,
    unfinished: Unfinished,
    stream: String,
    pieces: u32,
}

/// A file that goes if it is not finished.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Archive {
    /// Only this user may read it: it holds secrets.
    ///
    /// # Errors
    /// The file cannot be made.
    pub(super) fn create(file: &Path) -> Result<Self, Error> {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = file.with_file_name(name);
        // What an interrupted backup has left may have another mode.
        let _ = std::fs::remove_file(&part);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let opened = options
            .open(&part)
            .map_err(|error| Error::usage(format!("cannot write {}: {error}", part.display())))?;
        let mut archive = Self {
            builder: Builder::new(BufWriter::new(opened)),
            digester: Digester::default(),
            file: file.to_owned(),
            unfinished: Unfinished(part),
            stream: String::new(),
            pieces: 0,
        };
        archive.entry(FORMAT, VERSION)?;
        Ok(archive)
    }

    /// Begins the next stream.
    pub(super) fn begin(&mut self, heading: &StreamHeading) -> Result<(), Error> {
        heading.name().clone_into(&mut self.stream);
        self.pieces = 0;
        let json = serde_json::to_vec(heading).map_err(|error| self.failed(&error))?;
        self.entry(&format!("{}/{HEADING}", self.stream), &json)
    }

    /// Adds the next piece of the stream.
    pub(super) fn piece(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.pieces += 1;
        self.entry(&format!("{}/{:06}", self.stream, self.pieces), piece)
    }

    /// Ends the file and gives it its name; returns its size.
    pub(super) fn finish(mut self) -> Result<u64, Error> {
        let digest = std::mem::take(&mut self.digester).finish().to_string();
        self.append(END, digest.as_bytes())?;
        let Self {
            builder,
            file,
            unfinished,
            ..
        } = self;
        let written = (|| {
            let written = builder.into_inner()?.into_inner()?;
            written.sync_all()?;
            let size = written.metadata()?.len();
            std::fs::rename(&unfinished.0, &file)?;
            Ok(size)
        })();
        written.map_err(|error: std::io::Error| failed(&unfinished, &error))
    }

    fn entry(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.append(name, bytes)?;
        add(&mut self.digester, name, bytes);
        Ok(())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        let appended = self.builder.append_data(&mut header, name, bytes);
        appended.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &dyn std::error::Error) -> Error {
        failed(&self.unfinished, error)
    }
}

fn failed(unfinished: &Unfinished, error: &dyn std::error::Error) -> Error {
    Error::failed(format!(
        "cannot write {}: {error}; the backup that was there before is untouched",
        unfinished.0.display()
    ))
}

/// What an entry adds to the digest: its name as well, so that none can stand for another.
fn add(digester: &mut Digester, name: &str, bytes: &[u8]) {
    digester.add(name.as_bytes());
    digester.add(&(bytes.len() as u64).to_le_bytes());
    digester.add(bytes);
}

/// One entry of a backup that is read.
pub(super) enum Entry {
    /// A stream begins.
    Heading(StreamHeading),
    /// A piece of the stream that has begun.
    Piece(Vec<u8>),
}

/// What is said of any other file.
const NO_BACKUP: &str = "this is no backup of a farm";

/// Whether the system has refused to read, and the file may be whole.
fn is_of_system(error: &std::io::Error) -> bool {
    error.raw_os_error().is_some()
}

/// What is said of a layout that this program does not know.
fn of_other_format(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).ok().map(str::trim);
    match text.and_then(|text| text.parse::<u32>().ok()) {
        Some(version) => format!(
            "it says that it is of version {version}, which this program does not know: a newer program wrote it (update this one), or it was \
             changed after it was written"
        ),
        None => NO_BACKUP.to_owned(),
    }
}

/// Reads a backup from its beginning to its end, and gives its entries to `take`.
///
/// # Errors
/// The file cannot be read, is no backup, is of a newer program, or is not whole; or `take` has failed.
pub(super) async fn read(
    file: &Path,
    mut take: impl AsyncFnMut(Entry) -> Result<(), Error>,
) -> Result<(), Error> {
    let refused = |why: &str| Error::usage(format!("{}: {why}", file.display()));
    let unreadable = |error: std::io::Error| refused(&format!("it cannot be read: {error}"));
    let opened = File::open(file).map_err(unreadable)?;
    let mut archive = tar::Archive::new(BufReader::new(opened));
    let mut digester = Digester::default();
    let mut is_known = false;
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(|error| match is_known || is_of_system(&error) {
            true => unreadable(error),
            // What the reader of archives misses in it says nothing to anybody.
            false => refused(NO_BACKUP),
        })?;
        let name = entry
            .path()
            .map_err(unreadable)?
            .to_string_lossy()
            .into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(unreadable)?;
        if name == END {
            let digest: Digest = std::mem::take(&mut digester).finish();
            return match digest.to_string().as_bytes() == bytes {
                true => Ok(()),
                false => Err(refused("it was changed after it was written")),
            };
        }
        add(&mut digester, &name, &bytes);
        if name == FORMAT {
            if bytes != VERSION {
                return Err(refused(&of_other_format(&bytes)));
            }
            is_known = true;
            continue;
        }
        if !is_known {
            return Err(refused(NO_BACKUP));
        }
        let entry = match name.ends_with(HEADING) {
            true => Entry::Heading(serde_json::from_slice(&bytes).map_err(|error| {
                refused(&format!(
                    "it was changed after it was written: {name}: {error}"
                ))
            })?),
            false => Entry::Piece(bytes),
        };
        take(entry).await?;
    }
    Err(refused(
        "it is not whole: the backup was interrupted, or the file was cut off",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(name: &str) -> StreamHeading {
        let text = format!(r#"{{"config": {{"name": "{name}"}}, "state": {{"messages": 3}}}}"#);
        serde_json::from_str(&text).expect("a heading")
    }

    fn written(file: &Path) {
        let mut archive = Archive::create(file).expect("made");
        for stream in ["JOBS", "KV_runs"] {
            archive.begin(&heading(stream)).expect("written");
            archive.piece(b"one").expect("written");
            archive.piece(&[7; 300_000]).expect("written");
        }
        archive.finish().expect("written");
    }

    async fn entries(file: &Path) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let read = read(file, async |entry| {
            found.push(match entry {
                Entry::Heading(heading) => heading.name().to_owned(),
                Entry::Piece(bytes) => bytes.len().to_string(),
            });
            Ok(())
        });
        read.await.map_err(|error| error.to_string())?;
        Ok(found)
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("farm.backup");
        written(&file);
        let expected = ["JOBS", "3", "300000", "KV_runs", "3", "300000"].map(str::to_owned);
        assert_eq!(entries(&file).await, Ok(expected.to_vec()));
        let names = std::fs::read_dir(folder.path()).expect("there");
        assert_eq!(names.count(), 1, "nothing else is left");
    }

    #[tokio::test]
    async fn another_file_and_another_version_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("farm.backup");
        let said = async |bytes: &[u8]| {
            std::fs::write(&file, bytes).expect("written");
            entries(&file).await.expect_err("refused")
        };
        let text = said(&b"no tar at all ".repeat(200)).await;
        assert!(text.contains("no backup of a farm"), "{text}");
        written(&file);
        let whole = std::fs::read(&file).expect("there");
        // The first entry of a tar: its header is a block, and its bytes follow.
        let with_format = |byte: u8| {
            let mut changed = whole.clone();
            changed[512] = byte;
            changed
        };
        let text = said(&with_format(b'q')).await;
        assert!(text.contains("no backup of a farm"), "{text}");
        let text = said(&with_format(b'9')).await;
        assert!(text.contains("a newer program wrote it"), "{text}");
    }

    #[tokio::test]
    async fn a_file_that_is_cut_off_or_changed_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("farm.backup");
        written(&file);
        let whole = std::fs::read(&file).expect("there");
        for length in [0, 1000, whole.len() / 2, whole.len() - 2000] {
            std::fs::write(&file, &whole[..length]).expect("written");
            assert!(entries(&file).await.is_err(), "{length}");
        }
        let mut changed = whole.clone();
        let place = whole.len() / 2;
        changed[place] ^= 1;
        std::fs::write(&file, &changed).expect("written");
        let refused = entries(&file).await.expect_err("it was changed");
        assert!(refused.contains("was changed"), "{refused}");
        std::fs::write(&file, "no archive at all").expect("written");
        assert!(entries(&file).await.is_err());
    }

    #[test]
    fn an_interrupted_backup_leaves_nothing_and_spares_the_former_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("farm.backup");
        std::fs::write(&file, "former").expect("written");
        let mut archive = Archive::create(&file).expect("made");
        archive.begin(&heading("JOBS")).expect("written");
        drop(archive);
        assert_eq!(std::fs::read(&file).expect("there"), b"former");
        assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 1);
    }
}
