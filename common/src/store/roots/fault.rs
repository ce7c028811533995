//! Faults on purpose, in tests only: the process is killed at a step, or the file system has no hard links.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// How many steps are left until the process is killed.
static LEFT: AtomicI64 = AtomicI64::new(i64::MAX);
/// Whether the file system has no hard links.
static NO_LINKS: AtomicBool = AtomicBool::new(false);

/// Kills the process after so many steps.
#[cfg(unix)]
pub(crate) fn kill_after(steps: i64) {
    LEFT.store(steps, Ordering::SeqCst);
}

/// Takes hard links away.
#[cfg(unix)]
pub(crate) fn without_links() {
    NO_LINKS.store(true, Ordering::SeqCst);
}

/// A step that changes the file system is about to be made.
pub(crate) fn point() {
    if LEFT.fetch_sub(1, Ordering::SeqCst) <= 0 {
        #[cfg(unix)]
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

pub(crate) fn links() -> io::Result<()> {
    match NO_LINKS.load(Ordering::SeqCst) {
        true => Err(io::ErrorKind::Unsupported.into()),
        false => Ok(()),
    }
}
