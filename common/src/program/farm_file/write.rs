//! Writing the farm's file: whole or not at all, for its owner only.

use std::io::Write;
use std::path::Path;

use crate::program::farm_file::{FarmFile, FarmFileError};

/// The first lines of a file.
const HEADER: &str = "# The farm of this machine: read by `producer`, `worker` and `monitor`. It holds secrets.\n\
    # The command line and the environment go before it. docs/guide/SETUP.md names all settings.\n\n";

impl FarmFile {
    /// The text of the file.
    pub fn to_toml(&self) -> String {
        let text = toml::to_string_pretty(self);
        format!(
            "{HEADER}{}",
            text.expect("settings are tables of plain values")
        )
    }

    /// Writes the file, with its folder. An existing file is replaced, and is never half written.
    ///
    /// # Errors
    /// The system refuses.
    pub fn write(&self, path: &Path) -> Result<(), FarmFileError> {
        write_private(path, &self.to_toml()).map_err(|source| FarmFileError::Unwritable {
            file: path.to_owned(),
            source,
        })
    }
}

/// Writes a file that only this user may read, with its folder. An existing file is replaced, and is never half
/// written.
///
/// # Errors
/// The system refuses.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let fresh = folder.join(name);
    // One that an earlier process of this number has left may have another mode.
    let _ = std::fs::remove_file(&fresh);
    let written = (|| {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&fresh);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::location::Location;

    #[test]
    fn what_is_written_reads_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/farm.toml");
        let mut file = FarmFile::default();
        file.broker.servers = Some("tls://a:4222, tls://b:4222".into());
        file.broker.nkey = Some(crate::names::nkey::UserSeed::new());
        file.broker.user = "attic".parse().ok();
        file.broker.replicas = "3".parse().ok();
        file.store.url = Location::s3("media", "films").ok();
        file.store.secret_access_key = Some("a\"b\\c".into());
        file.worker.roots = vec!["/media films".into()];
        file.worker.buckets = vec![Location::s3("media", "").expect("a bucket")];
        file.monitor.listen = "127.0.0.1:8080".parse().ok();
        file.write(&path).expect("written");
        // Again: an existing file is replaced.
        file.write(&path).expect("written");
        assert_eq!(FarmFile::read(&path).expect("readable"), file);
        let names = std::fs::read_dir(path.parent().expect("deep")).expect("there");
        assert_eq!(names.count(), 1, "no file in the making is left");
    }
}
