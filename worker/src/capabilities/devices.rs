//! The hardware of the machine, as far as encoders depend on it.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use common::farm::card::Host;

/// The GPUs' render nodes, e.g. `/dev/dri/renderD128`, in order.
pub(crate) fn render_nodes() -> Vec<String> {
    names("/dev/dri")
        .into_iter()
        .filter(|name| name.starts_with("renderD"))
        .map(|name| format!("/dev/dri/{name}"))
        .collect()
}

/// A text that changes when the machine's devices or their drivers change.
pub(crate) fn identity(host: &Host) -> String {
    let mut facts = vec![host.os.clone(), host.cpu.clone(), host.cores.to_string()];
    for node in render_nodes() {
        let device = node.replace("/dev/dri", "/sys/class/drm");
        for fact in ["vendor", "device"] {
            facts.extend(fs::read_to_string(format!("{device}/device/{fact}")));
        }
        facts.push(node);
    }
    let encoders = ["nvidia", "video", "mpp_service", "dxg"];
    facts.extend(
        names("/dev")
            .into_iter()
            .filter(|name| encoders.iter().any(|prefix| name.starts_with(prefix))),
    );
    facts.extend(fs::read_to_string("/proc/driver/nvidia/version"));
    // This file changes with every installed library, for example a driver or an encoder of a shared build.
    facts.extend(modified("/etc/ld.so.cache"));
    facts.join("\n")
}

/// The sorted names in a folder; empty if the folder does not exist.
fn names(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

fn modified(path: impl AsRef<Path>) -> Option<String> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    let age = modified.duration_since(UNIX_EPOCH).ok()?;
    Some(age.as_nanos().to_string())
}
