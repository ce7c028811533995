//! A small disk that is soon full.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system of its own with little room, unmounted when dropped.
pub struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts a disk with room for so many kilobytes at `folder`; `None` if this user may not mount file systems.
    pub fn mount(folder: &Path, kilobytes: u32) -> Option<Self> {
        std::fs::create_dir_all(folder).expect("a test's folder can be written");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "none"])
            .arg(folder)
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then(|| Self {
            folder: folder.to_owned(),
        })
    }
}

impl SmallDisk {
    /// Makes the disk read-only, or writable again.
    pub fn lock(&self, is_read_only: bool) {
        let how = if is_read_only {
            "remount,ro"
        } else {
            "remount,rw"
        };
        let done = Command::new("mount")
            .args(["-o", how])
            .arg(&self.folder)
            .status();
        assert!(done.is_ok_and(|status| status.success()), "{how}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, because a process that is being killed may still use the disk.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
