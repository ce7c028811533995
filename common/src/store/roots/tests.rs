use std::fs;
use std::os::unix::fs::symlink;

use crate::store::roots::*;

/// A disk with a folder `in`, another `more`, and a secret beside them.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new() -> Self {
        let disk = Self(tempfile::tempdir().expect("a folder"));
        fs::create_dir_all(disk.path("in/sub")).expect("made");
        fs::create_dir(disk.path("more")).expect("made");
        for file in ["in/sub/film", "more/other", "secret"] {
            fs::write(disk.path(file), file).expect("written");
        }
        disk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().expect("there").join(name)
    }

    fn at(&self, name: &str) -> Location {
        Location::file(&self.path(name)).expect("absolute")
    }

    fn roots(&self, names: &[&str]) -> Roots {
        Roots::new(names.iter().map(|name| self.path(name))).expect("folders")
    }

    fn link(&self, to: &str, name: &str) {
        symlink(to, self.path(name)).expect("linked");
    }
}

#[test]
fn a_path_that_is_no_folder_is_no_root() {
    let disk = Disk::new();
    for wrong in ["secret", "none"] {
        let refused = Roots::new([disk.path(wrong)]).expect_err("no folder");
        assert!(refused.to_string().contains(wrong), "{refused}");
    }
}

#[test]
fn links_are_followed_inside_the_roots_only() {
    let disk = Disk::new();
    disk.link("sub/film", "in/near");
    disk.link("../more/other", "in/across");
    disk.link(&disk.path("in/sub").to_string_lossy(), "in/whole");
    disk.link("../secret", "in/out");
    disk.link("/etc", "in/etc");
    disk.link("nowhere-outside", "in/dangling");
    disk.link("../nowhere", "in/dangling-outside");
    disk.link("loop", "in/loop");
    let one = disk.roots(&["in"]);
    let both = disk.roots(&["in", "more"]);
    let path = |roots: &Roots, name: &str| roots.file(&disk.at(name)).map(|found| found.path);
    for inside in ["in/sub/film", "in/near", "in/whole/film"] {
        assert_eq!(
            path(&one, inside).expect("inside"),
            disk.path("in/sub/film")
        );
    }
    assert_eq!(
        path(&both, "in/across").expect("in the other"),
        disk.path("more/other")
    );
    for outside in [
        "in/across",
        "in/out",
        "in/etc/passwd",
        "in/dangling-outside",
    ] {
        let refused = path(&one, outside);
        assert!(
            matches!(refused, Err(StoreError::LeadsOut(_))),
            "{outside}: {refused:?}"
        );
    }
    for missing in [
        "in/dangling",
        "in/none",
        "in/none/none",
        "in/sub",
        "in",
        "in/near/film",
    ] {
        let refused = path(&one, missing);
        assert!(
            matches!(refused, Err(StoreError::Missing(_))),
            "{missing}: {refused:?}"
        );
    }
    assert!(path(&one, "in/loop").is_err());
    for foreign in ["secret", "none", "more/other", "in2"] {
        let refused = path(&one, foreign);
        assert!(
            matches!(refused, Err(StoreError::Outside(_))),
            "{foreign}: {refused:?}"
        );
    }
}

#[test]
fn a_root_behind_a_link_goes_by_both_names() {
    let disk = Disk::new();
    disk.link("in", "named");
    let roots = disk.roots(&["named"]);
    assert_eq!(roots.locations(), [disk.at("named"), disk.at("in")]);
    for name in ["named/sub/film", "in/sub/film"] {
        let found = roots.file(&disk.at(name)).expect("inside");
        assert_eq!(found.path, disk.path("in/sub/film"));
    }
}

#[test]
fn one_file_under_two_names_is_the_same() {
    let disk = Disk::new();
    let roots = disk.roots(&["in"]);
    fs::hard_link(disk.path("in/sub/film"), disk.path("in/again")).expect("linked");
    fs::write(disk.path("in/copy"), "in/sub/film").expect("written");
    let identity = |name: &str| roots.file(&disk.at(name)).expect("there").identity;
    assert_eq!(identity("in/sub/film"), identity("in/again"));
    assert_ne!(identity("in/sub/film"), identity("in/copy"));
}

#[test]
fn folders_are_made_inside_the_roots_only() {
    let disk = Disk::new();
    disk.link("../more", "in/out");
    disk.link("sub", "in/near");
    let roots = disk.roots(&["in"]);
    let make = |name: &str| roots.make_folder_of(&disk.at(name));
    let (folder, name) = make("in/near/a/b/film").expect("inside");
    assert_eq!(folder.path(), disk.path("in/sub/a/b"));
    assert_eq!(name, "film");
    assert!(disk.path("in/sub/a/b").is_dir());
    for outside in ["in/out/a/film", "more/a/film"] {
        assert!(make(outside).is_err(), "{outside}");
    }
    assert!(!disk.path("more/a").exists());
}

#[test]
fn operations_on_a_name_never_follow_a_link() {
    let disk = Disk::new();
    disk.link("../secret", "in/planted");
    let roots = disk.roots(&["in"]);
    let (folder, planted) = roots.folder_of(&disk.at("in/planted")).expect("inside");
    assert!(folder.create(&planted).is_err());
    assert!(folder.open(&planted).is_err());
    folder.remove_own("planted").expect("listed");
    assert!(folder.has(&planted).expect("told"), "a link is not ours");
    roots.remove(&disk.at("in/planted")).expect("removed");
    assert_eq!(fs::read(disk.path("secret")).expect("there"), b"secret");
    folder.create(&planted).expect("free");
    folder.remove_own("plant").expect("listed");
    assert!(!folder.has(&planted).expect("told"));
    folder.sync().expect("this file system can");
    assert!(folder.open("sub".as_ref()).is_err(), "no regular file");
}

#[test]
fn a_missing_root_is_told_from_a_missing_file() {
    let disk = Disk::new();
    let roots = disk.roots(&["in"]);
    roots.reach(&disk.at("in/none")).expect("the root is there");
    fs::rename(disk.path("in"), disk.path("gone")).expect("renamed");
    let refused = roots.file(&disk.at("in/sub/film"));
    assert!(
        matches!(refused, Err(StoreError::Away { .. })),
        "{refused:?}"
    );
    assert!(roots.reach(&disk.at("in/none")).is_err());
    fs::rename(disk.path("gone"), disk.path("in")).expect("renamed");
    roots.file(&disk.at("in/sub/film")).expect("back");
}
