//! Measures how busy the machine is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::farm::worker::Load;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::report::gauge::Gauge;

/// Measures how busy the machine is. Values that this system does not provide are 0.
pub struct Meter {
    system: Option<System>,
    scratch: PathBuf,
}

impl Meter {
    /// A meter for a machine whose scratch files lie in this folder.
    pub fn new(scratch: &Path) -> Self {
        Self {
            system: System::new().ok(),
            scratch: scratch.to_owned(),
        }
    }

    /// The load now. Rates cover the time since the last reading.
    pub fn read(&mut self) -> Load {
        let mut load = Load::default();
        if let Some(system) = &mut self.system {
            system.refresh_cpu_specifics(CpuRefreshKind::nothing().with_usage());
            system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
            load.cpu = system.global_cpu_usage() / 100.0;
            load.memory_used = system.used_memory();
            if let Ok(own) = sysinfo::get_current_pid() {
                system.refresh_processes_specifics(
                    ProcessesToUpdate::Some(&[own]),
                    false,
                    ProcessRefreshKind::nothing().with_memory(),
                );
                load.own_memory = system.process(own).map_or(0, sysinfo::Process::memory);
            }
        }
        load.scratch_free = free_space(&self.scratch).unwrap_or(0);
        load
    }
}

/// How long a heartbeat waits for a reading.
const LONGEST: Duration = Duration::from_secs(1);

/// Measures how busy the machine is, without blocking the caller.
pub(crate) struct LoadGauge(Gauge<Load>);

impl LoadGauge {
    /// A gauge for a machine whose scratch files lie in this folder.
    pub(crate) fn of(scratch: &Path) -> Self {
        let mut meter = Meter::new(scratch);
        Self(Gauge::new(Load::default(), move || meter.read()))
    }

    /// The load now, or the last known load if a reading takes too long.
    pub(crate) async fn read(&self) -> Load {
        self.0.read(LONGEST).await
    }
}

/// Free bytes on the disk of a folder; `None` if the system does not provide this number. Reads only this disk: the
/// server of another disk may be gone and never answer.
#[cfg(unix)]
pub fn free_space(folder: &Path) -> Option<u64> {
    // A folder that is not made yet will lie on the disk of the one above.
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Free bytes on the disk of a folder; `None` if the system does not provide this number.
#[cfg(not(unix))]
pub fn free_space(folder: &Path) -> Option<u64> {
    let disks = sysinfo::Disks::new_with_refreshed_list().ok()?;
    disks
        .iter()
        .filter(|disk| folder.starts_with(disk.mount_point()))
        .max_by_key(|disk| disk.mount_point().as_os_str().len())
        .map(sysinfo::Disk::available_space)
}
