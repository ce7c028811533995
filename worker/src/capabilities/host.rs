//! The facts about the machine.

use std::num::NonZero;
use std::thread::available_parallelism;

use common::farm::card::Host;
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// The facts about this machine, within the limits of a container.
pub(crate) fn host() -> Host {
    let system = System::new_with_specifics(
        RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing())
            .with_memory(MemoryRefreshKind::nothing().with_ram()),
    )
    .ok();
    let memory = system.as_ref().map_or(0, |system| {
        let limit = system
            .cgroup_limits()
            .map_or(0, |limits| limits.total_memory);
        match limit {
            0 => system.total_memory(),
            limit => limit.min(system.total_memory()),
        }
    });
    let brand = system
        .as_ref()
        .and_then(|system| system.cpus().first())
        .map(|cpu| cpu.brand().trim())
        .filter(|brand| !brand.is_empty());
    Host {
        name: host_name(),
        os: System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned()),
        cpu: brand.map_or_else(System::cpu_arch, str::to_owned),
        cores: cores(),
        memory,
    }
}

/// How many cores this process may use.
pub(crate) fn cores() -> u32 {
    let cores = available_parallelism().map_or(1, NonZero::get);
    u32::try_from(cores).unwrap_or(u32::MAX)
}

pub fn host_name() -> String {
    System::host_name().unwrap_or_else(|_| "unknown".to_owned())
}
