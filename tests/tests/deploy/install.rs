//! `deploy/install/install.sh`: versions beside each other, upgrades, the way back, and nothing of other people's removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::testing;
use harness::paths;
use tempfile::TempDir;

const PROGRAMS: [&str; 3] = ["producer", "worker", "monitor"];

/// A machine with a home of its own.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = paths::test_folder();
        fs::create_dir(folder.path().join("home")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn installer(&self, arguments: &[&str]) -> Output {
        Command::new("sh")
            .arg(paths::repository().join("deploy/install/install.sh"))
            .args(arguments)
            .arg("--prefix")
            .arg(self.path("prefix"))
            .env("HOME", self.path("home"))
            .env_remove("XDG_CONFIG_HOME")
            .output()
            .unwrap()
    }

    fn install(&self, arguments: &[&str]) -> String {
        let ran = self.installer(arguments);
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        String::from_utf8(ran.stdout).unwrap()
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let ran = self.installer(arguments);
        assert_eq!(ran.status.code(), Some(1), "{ran:?}");
        String::from_utf8(ran.stderr).unwrap()
    }

    /// Programs that say they are of this version.
    fn build(&self, version: &str) -> String {
        let folder = self.path(&format!("build-{version}"));
        fs::create_dir(&folder).unwrap();
        for program in PROGRAMS {
            let file = folder.join(program);
            testing::executable(&file, &format!("#!/bin/sh\necho {program} {version}\n"));
        }
        folder.into_os_string().into_string().unwrap()
    }

    fn says(&self, program: &str) -> String {
        let path = self.path("prefix/bin").join(program);
        let ran = Command::new(path).arg("--version").output().unwrap();
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_programs_of_this_build_run_where_they_are_installed() {
    let machine = Machine::new();
    let built = machine.path("built");
    fs::create_dir(&built).unwrap();
    for program in PROGRAMS {
        fs::hard_link(paths::program(program), built.join(program)).unwrap();
    }
    machine.install(&["--from", built.to_str().unwrap()]);
    for program in PROGRAMS {
        let said = machine.says(program);
        assert_eq!(said, format!("{program} {}", env!("CARGO_PKG_VERSION")));
        let page = machine
            .path("prefix/share/man/man1")
            .join(format!("{program}.1"));
        assert!(page.is_file(), "{page:?}");
    }
    machine.install(&["--uninstall"]);
    assert!(names(&machine.path("prefix/share/man/man1")).is_empty());
}

#[test]
fn an_archive_is_unpacked_and_installed() {
    let machine = Machine::new();
    machine.build("1.0.0");
    let archive = machine.path("farm.tar.gz");
    let packed = Command::new("tar")
        .arg("-czf")
        .arg(&archive)
        .arg("-C")
        .arg(machine.folder.path())
        .arg("build-1.0.0")
        .status()
        .unwrap();
    assert!(packed.success());
    machine.install(&["--from", archive.to_str().unwrap()]);
    assert_eq!(machine.says("worker"), "worker 1.0.0");
}

#[test]
fn an_upgrade_can_be_taken_back_and_two_builds_of_one_version_are_two() {
    let machine = Machine::new();
    let first = machine.build("1.0.0");
    machine.install(&["--from", &first]);
    machine.install(&["--from", &machine.build("1.1.0")]);
    assert_eq!(machine.says("monitor"), "monitor 1.1.0");
    machine.install(&["--roll-back"]);
    assert_eq!(machine.says("monitor"), "monitor 1.0.0");
    // Forth again, by the same command.
    machine.install(&["--roll-back"]);
    assert_eq!(machine.says("monitor"), "monitor 1.1.0");

    fs::write(
        Path::new(&first).join("worker"),
        "#!/bin/sh\necho worker 1.0.0 mended\n",
    )
    .unwrap();
    machine.install(&["--from", &first]);
    assert_eq!(machine.says("worker"), "worker 1.0.0 mended");
    let listed = machine.install(&["--list"]);
    assert_eq!(listed.lines().count(), 3, "{listed}");
    assert_eq!(listed.matches("(current)").count(), 1, "{listed}");
}

#[test]
fn installing_a_version_again_changes_nothing() {
    let machine = Machine::new();
    let build = machine.build("1.0.0");
    machine.install(&["--from", &build]);
    machine.install(&["--from", &build]);
    assert_eq!(machine.install(&["--list"]).lines().count(), 1);
    assert!(
        machine
            .refused(&["--roll-back"])
            .contains("no earlier version")
    );
}

#[test]
fn only_the_last_three_versions_are_kept() {
    let machine = Machine::new();
    for version in ["1", "2", "3", "4", "5"] {
        machine.install(&["--from", &machine.build(version)]);
    }
    let kept = machine.install(&["--list"]);
    assert_eq!(kept.lines().count(), 3, "{kept}");
    machine.install(&["--roll-back"]);
    assert_eq!(machine.says("worker"), "worker 4");
}

#[test]
fn programs_of_others_and_settings_stay() {
    let machine = Machine::new();
    let bin = machine.path("prefix/bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("worker"), "another program").unwrap();
    let build = machine.build("1.0.0");
    let said = machine.refused(&["--from", &build]);
    assert!(said.contains("is not of ffmpeg-easy"), "{said}");
    assert_eq!(names(&bin), ["worker"]);

    fs::remove_file(bin.join("worker")).unwrap();
    fs::write(bin.join("beside"), "another program").unwrap();
    let settings = machine.path("home/.config/ffmpeg-easy");
    fs::create_dir_all(&settings).unwrap();
    fs::write(settings.join("farm.toml"), "").unwrap();
    machine.install(&["--from", &build]);
    let said = machine.install(&["--uninstall"]);
    assert!(said.contains(settings.to_str().unwrap()), "{said}");
    assert!(settings.join("farm.toml").is_file());
    assert_eq!(names(&bin), ["beside"]);
    assert!(
        machine
            .refused(&["--uninstall"])
            .contains("nothing is installed")
    );
}

#[test]
fn a_folder_without_programs_is_refused_and_the_version_before_stays() {
    let machine = Machine::new();
    machine.install(&["--from", &machine.build("1.0.0")]);
    let empty = machine.path("empty");
    fs::create_dir(&empty).unwrap();
    let said = machine.refused(&["--from", empty.to_str().unwrap()]);
    assert!(said.contains("no program 'producer'"), "{said}");
    assert!(machine.refused(&["--form", "x"]).contains("unknown option"));
    assert_eq!(machine.says("worker"), "worker 1.0.0");
}
