//! A source that is gone is told from one that has changed, and from one whose disk is not mounted.

use std::fs;

use super::{ReplaceError, disk};
use crate::job::replacement::{HardLinks, Replacement};
use crate::names::location::Location;
use crate::recipe::Choice;
use crate::recipe::encoder::Codec;
use crate::store::StoreError;
use crate::store::roots::Roots;
use crate::testing;

#[test]
fn gone_is_not_changed() {
    let disk = tempfile::tempdir().expect("a folder");
    let top = disk.path().canonicalize().expect("there");
    let (folder, film) = (top.join("films"), top.join("films/Film.mkv"));
    let roots = Roots::new([&top]).expect("a folder");
    let mut job = testing::job(Choice::Codec(Codec::Hevc), 1);
    job.input.location = Location::file(&film).expect("absolute");
    job.output = job.input.location.clone();
    job.replacement = Some(Replacement {
        trash: Replacement::trash_in(&Location::file(&folder).expect("absolute")),
        days: 30,
        hard_links: HardLinks::Refuse,
    });
    let entry = job.trash_entry().expect("it replaces");
    let check = || disk::check(&roots, &job, &entry).expect_err("refused");

    let away = check();
    let is_away = matches!(&away, ReplaceError::Store(StoreError::Away { place, .. }) if *place == job.input.location.folder());
    assert!(is_away, "{away}");
    assert!(!folder.exists(), "nobody makes the folder");

    fs::create_dir(&folder).expect("made");
    let gone = check();
    assert!(matches!(gone, ReplaceError::Gone(_)), "{gone}");
    assert_eq!(fs::read_dir(&folder).expect("there").count(), 0);

    fs::write(&film, "another film").expect("written");
    let changed = check();
    assert!(matches!(changed, ReplaceError::Changed(_)), "{changed}");
}
