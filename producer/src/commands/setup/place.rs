//! Where the parts of a farm lie on the machine that has made it.

use std::path::{Path, PathBuf};

use common::program::farm_file::FarmFile;

use crate::cli::exit::Error;
use crate::cli::settings::Settings;

/// The folder of a farm, beside the farm's file.
#[derive(Clone, Debug)]
pub(super) struct FarmPlace {
    /// The farm's file of this machine.
    pub file: PathBuf,
    folder: PathBuf,
    /// The folder of a new broker's streams.
    pub data: PathBuf,
}

impl FarmPlace {
    /// # Errors
    /// This user has no home, and names no file.
    pub(super) fn find(settings: &Settings, data: Option<&Path>) -> Result<Self, Error> {
        let file = FarmFile::path(settings.farm.as_deref())
            .ok_or_else(|| Error::usage("this user has no home folder: name a file with --farm"))?;
        let file = absolute(&file)?;
        let folder = file.with_file_name("broker");
        let is_usual = FarmFile::default_path().is_some_and(|usual| usual == file);
        let data = match (data, directories::BaseDirs::new()) {
            (Some(data), _) => absolute(data)?,
            (None, Some(folders)) if is_usual => folders.data_dir().join("ffmpeg-easy/broker"),
            (None, _) => folder.join("data"),
        };
        Ok(Self { file, folder, data })
    }

    /// Whether this machine has made a farm.
    pub(super) fn is_made(&self) -> bool {
        self.file.is_file() && self.configuration().is_file()
    }

    /// # Errors
    /// This machine has made no farm.
    pub(super) fn is_made_here(&self) -> Result<(), Error> {
        match self.is_made() {
            true => Ok(()),
            false => Err(Error::usage(format!(
                "no farm was made here: there is no {}; run this on the machine where `producer setup` has made the farm",
                self.configuration().display()
            ))),
        }
    }

    /// Makes the folders, and closes them and the log to other users of this machine; earlier programs have left them
    /// open.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn close(&self) -> Result<(), Error> {
        for folder in [&self.folder, &self.users()] {
            std::fs::create_dir_all(folder)
                .and_then(|()| closed(folder, 0o700))
                .map_err(|error| Error::failed(format!("{}: {error}", folder.display())))?;
        }
        let log = self.log();
        match log.is_file() {
            true => closed(&log, 0o600)
                .map_err(|error| Error::failed(format!("{}: {error}", log.display()))),
            false => Ok(()),
        }
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.folder.join("nats-server.conf")
    }

    /// The users as nats-server reads them.
    pub(super) fn users_conf(&self) -> PathBuf {
        self.folder.join("users.conf")
    }

    /// A file for each user.
    pub(super) fn users(&self) -> PathBuf {
        self.folder.join("users")
    }

    /// The certificate of the farm's authority, and its key.
    pub(super) fn authority(&self) -> (PathBuf, PathBuf) {
        (self.folder.join("ca.pem"), self.folder.join("ca.key"))
    }

    /// The certificate of the broker, and its key.
    pub(super) fn certificate(&self) -> (PathBuf, PathBuf) {
        (
            self.folder.join("server.pem"),
            self.folder.join("server.key"),
        )
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("nats-server.log")
    }

    pub(super) fn pid(&self) -> PathBuf {
        self.folder.join("nats-server.pid")
    }
}

#[cfg(unix)]
fn closed(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let now = path.metadata()?.permissions().mode();
    match now & 0o777 == mode {
        true => Ok(()),
        false => std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)),
    }
}

/// Elsewhere, a user's folders are closed to others by those above them.
#[cfg(not(unix))]
fn closed(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|error| Error::usage(format!("{}: {error}", path.display())))
}
