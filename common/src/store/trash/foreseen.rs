//! What is foreseen of a replacement is what is told when it is made, and foreseeing writes nothing.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{ReplaceError, disk};
use crate::job::Job;
use crate::job::replacement::{HardLinks, Replacement};
use crate::names::location::Location;
use crate::recipe::Choice;
use crate::recipe::encoder::Codec;
use crate::store::local_input;
use crate::store::roots::Roots;
use crate::testing;

fn at(path: &Path) -> Location {
    Location::file(path).expect("absolute")
}

fn job(source: &Path, trash: &Path) -> Job {
    let mut job = testing::job(Choice::Codec(Codec::Hevc), 1);
    let metadata = std::fs::metadata(source).expect("a file");
    job.input = local_input(at(source), &metadata);
    job.output = at(source);
    job.replacement = Some(Replacement {
        trash: Replacement::trash_in(&at(trash)),
        days: 30,
        hard_links: HardLinks::Refuse,
    });
    job
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
}

#[test]
fn refusals_are_foreseen_and_nothing_is_written() {
    let home = tempfile::tempdir().expect("room");
    let home = home.path().canonicalize().expect("a folder");
    let folder = |name: &str| {
        let folder = home.join(name);
        std::fs::create_dir(&folder).expect("room");
        folder
    };
    let film = |folder: &Path| {
        let film = folder.join("a.mp4");
        std::fs::write(&film, b"a film").expect("room");
        film
    };
    let plain = film(&folder("plain"));
    let linked = film(&folder("linked"));
    std::fs::hard_link(&linked, home.join("linked/b.mp4")).expect("a link");
    let link = home.join("plain/s.mp4");
    symlink(&plain, &link).expect("a link");
    let read_only = film(&folder("read-only"));
    chmod(&read_only, 0o444);
    let locked = film(&folder("locked"));
    chmod(&home.join("locked"), 0o555);
    let taken = folder("taken");
    std::fs::create_dir(taken.join(".ffmpeg-easy-trash")).expect("room");
    std::fs::write(taken.join(".ffmpeg-easy-trash/mine"), b"mine").expect("room");

    let roots = Roots::new([&home]).expect("a folder");
    let foreseen = |source: &Path, trash: &Path| {
        let job = job(source, trash);
        disk::foresee(&roots, &job, &job.trash_entry().expect("it replaces"))
    };
    assert!(foreseen(&plain, &home).is_ok());
    assert!(!home.join(".ffmpeg-easy-trash").exists());
    let why = |source: &Path| foreseen(source, &home).expect_err("it is refused");
    assert!(matches!(
        why(&linked),
        ReplaceError::HardLinked { others: 1, .. }
    ));
    assert!(matches!(why(&link), ReplaceError::Link(_)));
    assert!(matches!(why(&read_only), ReplaceError::ReadOnly(at) if at.name() == "a.mp4"));
    assert!(
        matches!(why(&locked), ReplaceError::ReadOnly(at) if at.to_string().ends_with("locked")
        || at.to_string().ends_with("locked/"))
    );
    chmod(&home.join("locked"), 0o755);
    let foreign = foreseen(&plain, &taken).expect_err("it is refused");
    assert!(matches!(foreign, ReplaceError::NoTrash(_)));
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_takes_no_trash_is_named() {
    let home = tempfile::tempdir().expect("room");
    let film = home.path().canonicalize().expect("a folder").join("a.mp4");
    std::fs::write(&film, b"a film").expect("room");
    let roots = Roots::new([home.path(), Path::new("/proc")]).expect("folders");
    let job = job(&film, Path::new("/proc"));
    let refused = disk::check(&roots, &job, &job.trash_entry().expect("it replaces"));
    let why = refused
        .expect_err("no folder can be made there")
        .to_string();
    assert!(why.starts_with("cannot make a trash in /proc"), "{why}");
    assert!(why.ends_with("name another folder with --trash"), "{why}");
}
