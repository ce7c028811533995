//! How busy the machine is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::farm::worker::Load;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::report::gauge::Gauge;

/// Reads how busy the machine is; what this system does not tell stays 0.
pub struct Meter {
    system: Option<System>,
    scratch: PathBuf,
}

impl Meter {
    /// For a machine whose scratch files lie in this folder.
    pub fn new(scratch: &Path) -> Self {
        Self {
            system: System::new().ok(),
            scratch: scratch.to_owned(),
        }
    }

    /// How busy it is, since the last reading where it is about a rate.
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

/// Reads how busy the machine is without holding up whoever asks.
pub(crate) struct LoadGauge(Gauge<Load>);

impl LoadGauge {
    /// For a machine whose scratch files lie in this folder.
    pub(crate) fn of(scratch: &Path) -> Self {
        let mut meter = Meter::new(scratch);
        Self(Gauge::new(Load::default(), move || meter.read()))
    }

    /// The load by now; where the machine does not tell in time, as it was.
    pub(crate) async fn read(&self) -> Load {
        self.0.read(LONGEST).await
    }
}

/// Bytes that are free where a folder lies; `None` where this system does not
/// tell. Asks that disk alone: another's server may be gone and never answer.
#[cfg(unix)]
pub fn free_space(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes that are free where a folder lies; `None` where this system does not tell.
#[cfg(not(unix))]
pub fn free_space(folder: &Path) -> Option<u64> {
    let disks = sysinfo::Disks::new_with_refreshed_list().ok()?;
    disks
        .iter()
        .filter(|disk| folder.starts_with(disk.mount_point()))
        .max_by_key(|disk| disk.mount_point().as_os_str().len())
        .map(sysinfo::Disk::available_space)
}
