//! A process that is killed at every single step of a replacement and of its undo. A child of the test does the steps,
//! and the test judges by the bytes that are left.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::{Undone, disk, disk_undo};
use crate::job::Job;
use crate::job::replacement::{HardLinks, Replaced, Replacement};
use crate::job::run::report::Report;
use crate::job::trash::{TrashEntry, TrashRecord};
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::recipe::Choice;
use crate::recipe::encoder::Codec;
use crate::store::local_input;
use crate::store::roots::{Roots, fault};
use crate::testing;

const ORIGINAL: &[u8] = b"the original film, which nobody has another copy of";
const OUTPUT: &[u8] = b"the output";
const MODE: u32 = 0o640;
/// More steps than any replacement has.
const MOST: i64 = 200;

/// Where the fault happens.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// Whether the output gets the name of the source.
    in_place: bool,
    has_links: bool,
    /// Whether the trash is on another disk.
    is_apart: bool,
}

/// A film in a folder, and a trash.
struct Place {
    films: PathBuf,
    trash: PathBuf,
    case: Case,
}

fn modified() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(981_158_400_123_456_789)
}

impl Place {
    fn at(&self, name: &str) -> PathBuf {
        self.films.join(name)
    }

    fn roots(&self) -> Roots {
        Roots::new([&self.films, &self.trash]).expect("folders")
    }

    fn begin(&self) {
        std::fs::create_dir_all(self.films.join("sub")).expect("room");
        std::fs::create_dir_all(&self.trash).expect("room");
        let film = self.at("sub/Film.mp4");
        std::fs::write(&film, ORIGINAL).expect("room");
        std::fs::set_permissions(&film, std::fs::Permissions::from_mode(MODE)).expect("ours");
        let file = std::fs::File::options().write(true).open(&film);
        file.expect("ours").set_modified(modified()).expect("ours");
    }

    /// The job is the same for parent and child.
    fn job(&self) -> Job {
        let at = |name: &str| Location::file(&self.at(name)).expect("absolute");
        let mut job = testing::job(Choice::Codec(Codec::Hevc), 1);
        let batch = "01900000-0000-7000-8000-000000000000";
        job.batch = batch.parse().expect("an id");
        job.input.location = at("sub/Film.mp4");
        job.input.size = ORIGINAL.len() as u64;
        job.input.version = "981158400.123456789".to_owned();
        job.output = match self.case.in_place {
            true => job.input.location.clone(),
            false => at("sub/Film.mkv"),
        };
        let trash = Location::file(&self.trash).expect("absolute");
        job.replacement = Some(Replacement {
            trash: Replacement::trash_in(&trash),
            days: 30,
            hard_links: HardLinks::Refuse,
        });
        job
    }

    fn entry(&self) -> TrashEntry {
        self.job().trash_entry().expect("it replaces")
    }

    fn record(&self) -> TrashRecord {
        let job = self.job();
        TrashRecord {
            job: job.id,
            batch: job.batch,
            original: job.input.clone(),
            mode: None,
            output: job.output.clone(),
            output_size: OUTPUT.len() as u64,
            output_digest: Digest::of(OUTPUT),
            sidecars: Vec::new(),
            replaced: Timestamp::UNIX_EPOCH,
            until: Timestamp::UNIX_EPOCH,
        }
    }

    fn report(&self) -> Report {
        let mut report = testing::report("w1", "libx265", 1000, 1.0);
        report.output_size = OUTPUT.len() as u64;
        report.replaced = Some(Replaced {
            original: self.entry().original,
            until: Timestamp::UNIX_EPOCH,
        });
        report
    }

    /// The steps of a worker, which begin anew after a crash.
    fn replace(&self) {
        let (roots, job, entry) = (self.roots(), self.job(), self.entry());
        let (folder, to) = roots.folder_of(&job.output).expect("there");
        folder.remove_own(".ffmpeg-easy-made").expect("ours");
        if !self.is_output(&to) {
            disk::check(&roots, &job, &entry).expect("it can be replaced");
            let hidden = OsStr::new(".ffmpeg-easy-made-1");
            std::fs::write(self.at("sub/.ffmpeg-easy-made-1"), OUTPUT).expect("room");
            disk::keep(&roots, &job, &entry, self.record()).expect("kept");
            disk::unchanged(&roots, &job, &entry).expect("the same");
            let replaced = folder.settle(hidden, &to, self.case.in_place);
            replaced.expect("it appears");
            folder.sync().expect("a sound disk");
        }
        assert!(disk::remove(&roots, &job, &entry).expect("removed"));
    }

    fn undo(&self) -> Undone {
        let (roots, job, entry) = (self.roots(), self.job(), self.entry());
        let (report, digest) = (self.report(), Digest::of(OUTPUT));
        disk_undo::undo(&roots, &job, &entry, (&report, &digest), false).expect("undone")
    }

    fn is_output(&self, name: &OsStr) -> bool {
        let read = std::fs::read(self.films.join("sub").join(name));
        read.is_ok_and(|bytes| bytes == OUTPUT)
    }

    fn kept(&self) -> Option<Vec<u8>> {
        let path = self.entry().original.path().expect("a path");
        std::fs::read(path).ok()
    }

    /// The original is the file that it was.
    fn assert_original(&self, path: &Path, when: &str) {
        assert_eq!(std::fs::read(path).expect(when), ORIGINAL, "{when}");
        let metadata = path.metadata().expect("there");
        assert_eq!(metadata.modified().expect("a time"), modified(), "{when}");
        let mode = metadata.permissions().mode() & 0o7777;
        assert_eq!(mode, MODE, "{when}");
    }

    /// Right after a kill: the film has its original or its output, and the original is somewhere.
    fn assert_not_lost(&self, when: &str) {
        let source = std::fs::read(self.at("sub/Film.mp4")).ok();
        let is_original = source.as_deref() == Some(ORIGINAL);
        let is_output = match self.case.in_place {
            true => source.as_deref() == Some(OUTPUT),
            false => self.is_output(OsStr::new("Film.mkv")),
        };
        assert!(is_original || is_output, "{when}: neither is there");
        if !is_original {
            assert_eq!(
                self.kept().as_deref(),
                Some(ORIGINAL),
                "{when}: no original"
            );
        }
        if self.case.in_place {
            assert!(source.is_some(), "{when}");
        }
    }

    /// Only these files are in the films' folder.
    fn assert_files(&self, expected: &[&str], when: &str) {
        let names = std::fs::read_dir(self.films.join("sub")).expect("there");
        let mut names: Vec<String> = names
            .map(|entry| {
                entry
                    .expect("read")
                    .file_name()
                    .into_string()
                    .expect("text")
            })
            .collect();
        names.sort();
        assert_eq!(names, expected, "{when}");
    }

    fn assert_trash_is_empty(&self, when: &str) {
        let trash = self.entry().trash.path().expect("a path");
        let Ok(mut names) = std::fs::read_dir(trash) else {
            return;
        };
        let left = names.find(|entry| {
            let name = entry.as_ref().expect("read").file_name();
            !name.to_string_lossy().starts_with("ffmpeg-easy.mark")
        });
        let left = left.map(|entry| {
            let found = Command::new("find")
                .arg(entry.expect("read").path())
                .output();
            String::from_utf8_lossy(&found.expect("it runs").stdout).into_owned()
        });
        assert!(left.is_none(), "{when}: {left:?}");
    }

    /// Does the steps in a child, which is killed before the given one. Returns whether it was.
    fn killed(&self, what: &str, at: i64) -> bool {
        let child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--ignored", "--exact", "store::trash::crash::child"])
            .env("CRASH", format!("{what} {at} {:?}", self.case))
            .env("CRASH_FILMS", &self.films)
            .env("CRASH_TRASH", &self.trash)
            .output()
            .expect("it runs");
        let is_killed = child.status.signal() == Some(9);
        let log = String::from_utf8_lossy(&child.stdout);
        assert!(is_killed || child.status.success(), "{what} {at}: {log}");
        is_killed
    }
}

/// What a child of [`every_step`] does.
#[test]
#[ignore = "a part of another test"]
fn child() {
    let Ok(order) = std::env::var("CRASH") else {
        return;
    };
    let path = |name| PathBuf::from(std::env::var_os(name).expect("given"));
    let has = |text: &str| order.contains(text);
    let place = Place {
        films: path("CRASH_FILMS"),
        trash: path("CRASH_TRASH"),
        case: Case {
            in_place: has("in_place: true"),
            has_links: has("has_links: true"),
            is_apart: has("is_apart: true"),
        },
    };
    if !place.case.has_links {
        fault::without_links();
    }
    let at = order.split(' ').nth(1).expect("a number");
    fault::kill_after(at.parse().expect("a number"));
    match order.split(' ').next() {
        Some("undo") => drop(place.undo()),
        _ => place.replace(),
    }
}

fn every_step(case: Case) {
    let films = tempfile::tempdir().expect("room");
    let apart = Path::new("/dev/shm");
    let trash = match case.is_apart && apart.is_dir() {
        true => tempfile::tempdir_in(apart).expect("room"),
        false => tempfile::tempdir_in(films.path()).expect("room"),
    };
    let real = |path: &Path| path.canonicalize().expect("there");
    let mut steps = 0;
    for what in ["replace", "undo", "abort"] {
        for at in 0.. {
            let place = Place {
                films: real(films.path()).join(format!("{what}{at}")),
                trash: real(trash.path()).join(format!("{what}{at}")),
                case,
            };
            place.begin();
            let when = format!("{case:?}: {what}, killed before step {at}");
            let film = place.at("sub/Film.mp4");
            let metadata = std::fs::metadata(&film).expect("there");
            let input = local_input(place.job().input.location, &metadata);
            assert_eq!(input, place.job().input, "the job is for this file");
            let output: &[&str] = match case.in_place {
                true => &["Film.mp4"],
                false => &["Film.mkv"],
            };
            if what == "undo" {
                place.replace();
                place.assert_files(output, &when);
            }
            let is_killed = place.killed(what, at);
            place.assert_not_lost(&when);
            // The next worker, or the next undo.
            match what {
                "undo" => drop(place.undo()),
                "abort" if !place.is_output(OsStr::new(output[0])) => {
                    let (roots, job, entry) = (place.roots(), place.job(), place.entry());
                    let (folder, _) = roots.folder_of(&job.output).expect("there");
                    folder.remove_own(".ffmpeg-easy-").expect("ours");
                    disk::drop_entry(&roots, &job, &entry).expect("dropped");
                }
                _ => {
                    place.replace();
                    place.assert_files(output, &when);
                    let kept = place.entry().original.path().expect("a path");
                    place.assert_original(&kept, &when);
                    assert_eq!(place.undo(), Undone::Now, "{when}");
                }
            }
            place.assert_original(&film, &when);
            place.assert_files(&["Film.mp4"], &when);
            place.assert_trash_is_empty(&when);
            if !is_killed {
                break;
            }
            assert!(at < MOST, "{what} does not end");
            steps += 1;
        }
    }
    assert!(steps > 20, "{case:?}: only {steps} steps");
}

#[test]
fn a_kill_at_any_step_leaves_the_original_or_the_output() {
    for in_place in [true, false] {
        for (has_links, is_apart) in [(true, false), (false, false), (true, true)] {
            every_step(Case {
                in_place,
                has_links,
                is_apart,
            });
        }
    }
}

#[test]
fn what_has_changed_since_is_left_alone() {
    for in_place in [true, false] {
        let folder = tempfile::tempdir().expect("room");
        let films = folder.path().canonicalize().expect("there");
        let case = Case {
            in_place,
            has_links: true,
            is_apart: false,
        };
        let place = Place {
            trash: films.clone(),
            films,
            case,
        };
        place.begin();
        let (roots, job, entry) = (place.roots(), place.job(), place.entry());
        let film = place.at("sub/Film.mp4");
        let check = |expected: &str| {
            let refused = disk::check(&roots, &job, &entry).expect_err(expected);
            assert!(refused.to_string().contains(expected), "{refused}");
        };
        // Another name of the source, which is not in the trash.
        std::fs::hard_link(&film, place.at("seeded.mp4")).expect("linked");
        check("hard links");
        let mut allowed = job.clone();
        if let Some(wanted) = &mut allowed.replacement {
            wanted.hard_links = HardLinks::Replace;
        }
        disk::check(&roots, &allowed, &entry).expect("allowed");
        std::fs::remove_file(place.at("seeded.mp4")).expect("ours");
        let permit = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
        };
        permit(&film, 0o440);
        check("read-only");
        permit(&film, MODE);
        permit(&place.at("sub"), 0o555);
        check("read-only");
        permit(&place.at("sub"), 0o755);
        std::fs::rename(&film, place.at("real.mp4")).expect("ours");
        std::os::unix::fs::symlink(place.at("real.mp4"), &film).expect("linked");
        check("is a link");
        std::fs::remove_file(&film).expect("ours");
        check("is gone");
        std::fs::rename(place.at("real.mp4"), &film).expect("ours");

        place.replace();
        let output = job.output.path().expect("a path");
        let undo = || {
            let (report, digest) = (place.report(), Digest::of(OUTPUT));
            disk_undo::undo(&roots, &job, &entry, (&report, &digest), false)
        };
        std::fs::write(&output, b"edited by a person").expect("ours");
        let refused = undo().expect_err("changed").to_string();
        assert!(refused.contains("not what the job made"), "{refused}");
        assert_eq!(place.kept().as_deref(), Some(ORIGINAL));
        std::fs::write(&output, OUTPUT).expect("ours");
        if !in_place {
            std::fs::write(&film, b"a new film").expect("ours");
            let refused = undo().expect_err("occupied").to_string();
            assert!(refused.contains("another file is at"), "{refused}");
            std::fs::remove_file(&film).expect("ours");
        }
        assert_eq!(undo().expect("undone"), Undone::Now);
        assert_eq!(undo().expect("undone"), Undone::Already);
        place.assert_original(&film, "after the undo");
        place.assert_files(&["Film.mp4"], "after the undo");
        place.assert_trash_is_empty("after the undo");

        place.replace();
        std::fs::remove_file(entry.original.path().expect("a path")).expect("ours");
        let refused = undo().expect_err("gone").to_string();
        assert!(refused.contains("does not hold"), "{refused}");
        assert!(place.is_output(output.file_name().expect("a name")));
    }
}

#[test]
fn a_folder_of_others_is_no_trash() {
    let folder = tempfile::tempdir().expect("room");
    let films = folder.path().canonicalize().expect("there");
    let case = Case {
        in_place: true,
        has_links: true,
        is_apart: false,
    };
    let place = Place {
        trash: films.clone(),
        films,
        case,
    };
    place.begin();
    let trash = place.entry().trash.path().expect("a path");
    std::fs::create_dir(&trash).expect("made");
    std::fs::write(trash.join("precious"), "mine").expect("written");
    let refused = disk::check(&place.roots(), &place.job(), &place.entry());
    let refused = refused.expect_err("somebody's own").to_string();
    assert!(refused.contains("no trash"), "{refused}");
    std::fs::remove_file(trash.join("precious")).expect("ours");
    std::fs::write(trash.join("ffmpeg-easy.mark.half"), "").expect("written");
    disk::check(&place.roots(), &place.job(), &place.entry()).expect("empty but for our own");
}
