//! Whether a file system is mounted at a folder.

use std::io;
use std::path::Path;

/// Whether the folder is a mount point.
#[cfg(unix)]
pub(crate) fn is_mounted(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| path.metadata().ok().map(|found| found.dev());
    let Some(above) = folder.parent() else {
        return false;
    };
    match (device(folder), device(above)) {
        (Some(own), Some(above)) => own != above,
        _ => false,
    }
}

/// On other systems, a drive that is gone has no folder that could be opened.
#[cfg(not(unix))]
pub(crate) fn is_mounted(_folder: &Path) -> bool {
    false
}

/// Whether an error says that a share's server cannot be reached.
pub(crate) fn is_unreachable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StaleNetworkFileHandle
            | io::ErrorKind::NotConnected
            | io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
    )
}
