//! The attributes of a file: when it was last modified, and its permissions. An output gets those of its input, so
//! that libraries which sort by time keep their order, and private files stay private.

use std::fs::{File, Metadata};
use std::io;
use std::time::SystemTime;

use common::names::location::Location;
use common::store::Stores;
use common::store::roots::Roots;

/// The permissions that an output takes from its input: read, write and execute, without setuid, setgid and sticky
/// bit.
#[cfg(unix)]
const CARRIED: u32 = 0o777;
/// The owner of an output can always read it.
#[cfg(unix)]
const LEAST: u32 = 0o400;

/// When a file was last modified, and its permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    modified: Option<SystemTime>,
    #[cfg(unix)]
    mode: u32,
}

impl Attributes {
    /// The attributes of a local file; `None` for an object and for a file that cannot be read.
    pub async fn at(stores: &Stores, location: &Location) -> Option<Self> {
        if location.is_remote() {
            return None;
        }
        let look = |roots: &Roots, at: &Location| {
            let found = roots.file(at)?;
            Ok(found.file.metadata().ok().map(|found| Self::of(&found)))
        };
        stores.on_disk(location, look).await.ok()?
    }

    pub fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::PermissionsExt;
        Self {
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            mode: metadata.permissions().mode() & CARRIED | LEAST,
        }
    }

    /// Sets the attributes on a file that this worker has made. Not every file system supports them all. An output
    /// without them is still good, so errors are only logged.
    pub fn give(&self, file: &File) {
        if let Err(error) = self.try_give(file) {
            tracing::debug!(%error, "the output has not all attributes of its input");
        }
    }

    fn try_give(&self, file: &File) -> io::Result<()> {
        #[cfg(unix)]
        {
            use std::fs::Permissions;
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(Permissions::from_mode(self.mode))?;
        }
        match self.modified {
            Some(modified) => file.set_modified(modified),
            None => Ok(()),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_takes_time_and_permissions_but_no_setuid_bit() {
        let of = |mode: u32| {
            let file = tempfile::NamedTempFile::new().expect("room");
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(file.path(), permissions).expect("ours");
            file
        };
        let old = SystemTime::UNIX_EPOCH + Duration::from_secs(981_158_400);
        for (mode, carried) in [(0o640, 0o640), (0o4755, 0o755), (0o040, 0o440)] {
            let source = of(0o600);
            source.as_file().set_modified(old).expect("ours");
            std::fs::set_permissions(source.path(), std::fs::Permissions::from_mode(mode))
                .expect("ours");
            let made = of(0o600);
            let attributes = Attributes::of(&source.as_file().metadata().expect("open"));
            attributes.give(made.as_file());
            let metadata = made.as_file().metadata().expect("open");
            assert_eq!(metadata.modified().expect("a time"), old);
            assert_eq!(metadata.permissions().mode() & 0o7777, carried);
        }
    }
}
