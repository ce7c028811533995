//! The units of systemd: that systemd reads every line of them, and how much they leave open.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use harness::paths;

/// The units, with programs that exist: systemd asks for them.
fn units(folder: &std::path::Path) -> Vec<PathBuf> {
    let shipped = paths::repository().join("deploy/systemd");
    let mut units = Vec::new();
    for entry in fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        let mut text = fs::read_to_string(&path).unwrap();
        for program in ["worker", "monitor"] {
            let built = paths::program(program);
            text = text.replace(
                &format!("/usr/bin/{program}\n"),
                &format!("{}\n", built.display()),
            );
        }
        let unit = folder.join(path.file_name().unwrap());
        fs::write(&unit, text).unwrap();
        units.push(unit);
    }
    assert_eq!(units.len(), 3);
    units
}

/// The words of `systemd-analyze`; nothing where there is no systemd.
fn analyzed(arguments: &[&str], unit: &std::path::Path) -> Option<String> {
    let ran = Command::new("systemd-analyze")
        .args(arguments)
        .arg(unit)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    Some(said.into_owned())
}

#[test]
fn systemd_understands_every_line() {
    let folder = paths::test_folder();
    for unit in units(folder.path()) {
        let name = unit.file_name().unwrap().to_string_lossy().into_owned();
        let Some(said) = analyzed(&["verify", "--man=no"], &unit) else {
            return eprintln!("skipped: there is no systemd-analyze on this machine");
        };
        // Other units of this machine may be wrong: only ours count.
        let ours: Vec<_> = said
            .lines()
            .filter(|line| line.contains("ffmpeg-easy"))
            .collect();
        assert!(ours.is_empty(), "{name}: {ours:#?}");
    }
}

#[test]
fn the_units_leave_little_open() {
    let folder = paths::test_folder();
    for unit in units(folder.path()) {
        let name = unit.file_name().unwrap().to_string_lossy().into_owned();
        let Some(said) = analyzed(&["security", "--offline=true"], &unit) else {
            return eprintln!("skipped: there is no systemd-analyze on this machine");
        };
        let level: f64 = said
            .lines()
            .rev()
            .find_map(|line| {
                line.split_once("service: ")?
                    .1
                    .split(' ')
                    .next()?
                    .parse()
                    .ok()
            })
            .unwrap_or_else(|| panic!("{name}: no level in {said}"));
        // The worker starts ffmpeg, which uses devices and namespaces.
        let most = if name.contains("worker") { 5.0 } else { 2.0 };
        assert!(level <= most, "{name}: {level}");
    }
}
