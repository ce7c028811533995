//! A process that is killed at every single step of carrying a sidecar. A child of the test does the steps, and the test
//! judges by the bytes that are left.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::{Carried, Way, disk};
use crate::job::id::JobId;
use crate::names::location::Location;
use crate::store::roots::{Roots, fault};

const TEXT: &[u8] = b"subtitles that took an evening";
const MODE: u32 = 0o440;
/// More steps than any sidecar has.
const MOST: i64 = 50;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Case {
    is_move: bool,
    has_links: bool,
}

fn modified() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(981_158_400_123_456_789)
}

fn job() -> JobId {
    "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"
        .parse()
        .expect("an id")
}

/// The way of a sidecar: beside the film, which has another name by then, or into another folder.
fn way(films: &Path, case: Case) -> Way {
    let at = |name: &str| Location::file(&films.join(name)).expect("absolute");
    Way {
        from: at("Film.x264.en.srt"),
        to: at(match case.is_move {
            true => "Film.en.srt",
            false => "small/Film.en.srt",
        }),
        is_move: case.is_move,
    }
}

fn carry(films: &Path, case: Case) -> Carried {
    let roots = Roots::new([films]).expect("a folder");
    disk::carry(&roots, &job(), &way(films, case)).expect("a sound disk")
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("there")
        .map(|entry| entry.expect("read"))
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

/// The file is what it was, if it is there.
fn is_whole(path: &Path, when: &str) -> bool {
    let Ok(bytes) = std::fs::read(path) else {
        return false;
    };
    assert_eq!(bytes, TEXT, "{when}");
    let metadata = path.metadata().expect("there");
    assert_eq!(metadata.modified().expect("a time"), modified(), "{when}");
    assert_eq!(metadata.permissions().mode() & 0o7777, MODE, "{when}");
    true
}

/// What a child of the test below does.
#[test]
#[ignore = "a part of another test"]
fn child() {
    let Ok(order) = std::env::var("CRASH") else {
        return;
    };
    let case = Case {
        is_move: order.contains("is_move: true"),
        has_links: order.contains("has_links: true"),
    };
    if !case.has_links {
        fault::without_links();
    }
    let at = order.split(' ').next().expect("a number");
    fault::kill_after(at.parse().expect("a number"));
    let films = PathBuf::from(std::env::var_os("CRASH_FILMS").expect("given"));
    assert_eq!(carry(&films, case), Carried::There);
}

#[test]
fn a_kill_at_any_step_loses_no_sidecar() {
    for (is_move, has_links) in [(true, true), (true, false), (false, true)] {
        let case = Case { is_move, has_links };
        let mut steps = 0;
        for at in 0.. {
            let folder = tempfile::tempdir().expect("room");
            let films = folder.path().canonicalize().expect("there");
            let source = films.join("Film.x264.en.srt");
            std::fs::create_dir(films.join("small")).expect("room");
            std::fs::write(&source, TEXT).expect("room");
            let file = std::fs::File::options().write(true).open(&source);
            file.expect("ours").set_modified(modified()).expect("ours");
            let mode = std::fs::Permissions::from_mode(MODE);
            std::fs::set_permissions(&source, mode).expect("ours");

            let child = Command::new(std::env::current_exe().expect("this test"))
                .args(["--ignored", "--exact", "store::sidecars::crash::child"])
                .env("CRASH", format!("{at} {case:?}"))
                .env("CRASH_FILMS", &films)
                .output()
                .expect("it runs");
            let is_killed = child.status.signal() == Some(9);
            let log = String::from_utf8_lossy(&child.stdout);
            assert!(is_killed || child.status.success(), "{at}: {log}");
            let when = format!("{case:?}, killed before step {at}");
            let to = way(&films, case).to.path().expect("a path");
            let (is_there, has_come) = (is_whole(&source, &when), is_whole(&to, &when));
            assert!(is_there || has_come, "{when}: lost");
            assert!(is_there || is_move, "{when}: a copy takes nothing away");

            // The next worker.
            assert_eq!(carry(&films, case), Carried::There, "{when}");
            assert_eq!(carry(&films, case), Carried::There, "{when}, and again");
            assert!(is_whole(&to, &when), "{when}");
            match is_move {
                true => assert_eq!(names(&films), ["Film.en.srt"], "{when}"),
                false => {
                    assert!(is_whole(&source, &when), "{when}");
                    assert_eq!(names(&films.join("small")), ["Film.en.srt"], "{when}");
                }
            }
            if !is_killed {
                break;
            }
            assert!(at < MOST, "{case:?} does not end");
            steps += 1;
        }
        assert!(steps > 2, "{case:?}: only {steps} steps");
    }
}

#[test]
fn what_is_in_the_way_and_links_are_left_alone() {
    for is_move in [true, false] {
        let case = Case {
            is_move,
            has_links: true,
        };
        let folder = tempfile::tempdir().expect("room");
        let films = folder.path().canonicalize().expect("there");
        let source = films.join("Film.x264.en.srt");
        let to = way(&films, case).to.path().expect("a path");
        std::fs::create_dir(films.join("small")).expect("room");
        std::fs::write(films.join("real"), TEXT).expect("room");
        let left = |expected: &str| match carry(&films, case) {
            Carried::Left(why) => assert!(why.contains(expected), "{why}"),
            Carried::There => panic!("{is_move}: carried in spite of: {expected}"),
        };
        left("gone");
        std::os::unix::fs::symlink(films.join("real"), &source).expect("linked");
        left("a link");
        std::fs::remove_file(&source).expect("ours");
        std::fs::write(&source, TEXT).expect("room");
        std::fs::write(&to, "somebody's own").expect("room");
        left("another file is at");
        assert_eq!(std::fs::read(&to).expect("there"), b"somebody's own");
        std::fs::remove_file(&to).expect("ours");
        std::os::unix::fs::symlink(&source, &to).expect("linked");
        left("another file is at");
        std::fs::remove_file(&to).expect("ours");
        // A copy is there once its bytes are. A move would lose the times of one of both.
        std::fs::write(&to, TEXT).expect("room");
        match is_move {
            true => left("another file is at"),
            false => assert_eq!(carry(&films, case), Carried::There),
        }
        assert_eq!(std::fs::read(&source).expect("there"), TEXT);
    }
}
