use super::*;

const JOB: &str = "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab";

fn name() -> WorkerName {
    "w1".parse().expect("a name")
}

fn base() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// The scratch folder of a worker that crashed during an attempt.
fn crashed() -> (tempfile::TempDir, PathBuf) {
    let base = base();
    let scratch = Scratch::open(base.path(), &name()).expect("free");
    let attempt = scratch
        .attempt(&JOB.parse().expect("an id"), 1)
        .expect("room");
    std::fs::write(attempt.path().join("part"), "x").expect("room");
    let left = attempt.path().to_owned();
    // A crash runs no destructor, but the system releases the lock.
    scratch._lock.unlock().expect("ours");
    std::mem::forget(attempt);
    std::mem::forget(scratch);
    assert!(left.join("part").exists());
    (base, left)
}

#[test]
fn a_successor_sweeps_what_a_crash_left_and_a_twin_is_refused() {
    let (base, left) = crashed();
    let second = Scratch::open(base.path(), &name()).expect("free again");
    assert!(!left.exists());
    assert!(Scratch::open(base.path(), &name()).is_err(), "a live twin");
    drop(second);
    assert!(!base.path().join(folder(&name())).exists());
}

#[test]
fn files_that_no_worker_made_stay_and_so_does_the_folder() {
    let (base, left) = crashed();
    let own = left.parent().expect("a folder");
    std::fs::write(own.join("film.mkv"), "film").expect("room");
    std::fs::create_dir(own.join("videos")).expect("room");
    std::fs::write(own.join("videos/holiday.mkv"), "film").expect("room");
    drop(Scratch::open(base.path(), &name()).expect("free"));
    assert!(!left.exists());
    assert_eq!(std::fs::read(own.join("film.mkv")).expect("there"), b"film");
    assert_eq!(
        std::fs::read(own.join("videos/holiday.mkv")).expect("there"),
        b"film"
    );
}

#[test]
fn a_folder_without_our_marker_is_refused_and_left_as_it_is() {
    let base = base();
    let taken = base.path().join(folder(&name()));
    std::fs::create_dir(&taken).expect("room");
    std::fs::write(taken.join("film.mkv"), "film").expect("room");
    let refused = Scratch::open(base.path(), &name()).err().expect("refused");
    assert!(refused.to_string().contains("no marker"), "{refused}");
    assert!(Scratch::look(base.path(), &name()).is_err());
    // The marker of another worker is refused, too.
    drop(Scratch::open(base.path(), &"w2".parse().expect("a name")).expect("free"));
    let other = kind(&"w2".parse().expect("a name"));
    std::fs::write(
        taken.join(marked::MARKER),
        format!("ffmpeg-easy: {other}\n"),
    )
    .expect("room");
    let refused = Scratch::open(base.path(), &name()).err().expect("refused");
    assert!(refused.to_string().contains(&other), "{refused}");
    assert!(taken.join("film.mkv").exists());
}

#[test]
fn a_look_changes_nothing() {
    let base = base();
    let missing = base.path().join("missing");
    Scratch::look(&missing, &name()).expect("to be made");
    assert!(!missing.exists());
    let held = Scratch::open(base.path(), &name()).expect("free");
    let attempt = held.attempt(&JOB.parse().expect("an id"), 1).expect("room");
    Scratch::look(base.path(), &name()).expect("beside a worker");
    assert!(attempt.path().exists());
}

#[tokio::test]
async fn a_dropped_folder_frees_its_name_at_once_and_is_waited_for() {
    let base = base();
    let scratch = Scratch::open(base.path(), &name()).expect("free");
    let job = JOB.parse().expect("an id");
    for _ in 0..3 {
        let attempt = scratch.attempt(&job, 1).expect("its name is free");
        for number in 0..500 {
            std::fs::write(attempt.path().join(format!("part-{number}")), "x").expect("room");
        }
    }
    scratch.removed().await;
    let left = std::fs::read_dir(scratch.path()).expect("a folder");
    let left: Vec<_> = left.map(|entry| entry.expect("read").file_name()).collect();
    assert_eq!(left, [marked::MARKER], "only the marker");
}

#[test]
fn a_very_deep_tree_is_removed() {
    let base = base();
    let scratch = Scratch::open(base.path(), &name()).expect("free");
    let attempt = scratch.preview().expect("room");
    let mut deep = attempt.dir().try_clone().expect("a descriptor");
    for _ in 0..3000 {
        deep.create_dir("d").expect("room");
        deep = deep.open_dir("d").expect("there");
    }
    drop(attempt);
    drop(scratch);
    assert!(!base.path().join(folder(&name())).exists());
}

#[cfg(unix)]
mod planted {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A folder of another person, with a film in it.
    fn home() -> tempfile::TempDir {
        let home = base();
        std::fs::write(home.path().join("film.mkv"), "film").expect("room");
        home
    }

    fn refused(base: &Path, home: &tempfile::TempDir) -> String {
        let refused = Scratch::open(base, &name()).err().expect("refused");
        let film = std::fs::read(home.path().join("film.mkv")).expect("there");
        assert_eq!(film, b"film");
        let entries = std::fs::read_dir(home.path()).expect("there");
        assert_eq!(entries.count(), 1, "nothing was made there");
        refused.to_string()
    }

    #[test]
    fn a_link_as_the_base_is_refused() {
        let (at, home) = (base(), home());
        let link = at.path().join("scratch");
        symlink(home.path(), &link).expect("room");
        for end in ["", "/", "/."] {
            let path = format!("{}{end}", link.display());
            let why = refused(path.as_ref(), &home);
            assert!(why.contains("is a link"), "{why}");
        }
    }

    #[test]
    fn a_link_as_the_folder_is_refused() {
        let (at, home) = (base(), home());
        symlink(home.path(), at.path().join(folder(&name()))).expect("room");
        let why = refused(at.path(), &home);
        assert!(why.contains("is a link"), "{why}");
    }

    #[test]
    fn a_link_as_the_lock_is_refused_and_its_target_kept() {
        let (at, home) = (base(), home());
        symlink(home.path().join("film.mkv"), at.path().join(lock(&name()))).expect("room");
        let why = refused(at.path(), &home);
        assert!(why.contains("no plain file"), "{why}");
    }

    #[test]
    fn a_link_as_the_marker_is_refused() {
        let (at, home) = (base(), home());
        let real = base();
        std::fs::write(
            real.path().join("mark"),
            format!("ffmpeg-easy: {}\n", kind(&name())),
        )
        .expect("room");
        let planted = at.path().join(folder(&name()));
        std::fs::create_dir(&planted).expect("room");
        symlink(real.path().join("mark"), planted.join(marked::MARKER)).expect("room");
        let why = refused(at.path(), &home);
        assert!(why.contains("no marker"), "{why}");
    }

    #[test]
    fn links_in_attempts_are_removed_and_their_targets_kept() {
        let ((base, left), home) = (crashed(), home());
        symlink(home.path(), left.join("link")).expect("room");
        // A link with the name of an attempt.
        let name_of_attempt = left.with_file_name(format!("{JOB}-2"));
        symlink(home.path(), &name_of_attempt).expect("room");
        drop(Scratch::open(base.path(), &name()).expect("free"));
        assert!(!left.exists());
        assert!(!name_of_attempt.is_symlink());
        assert!(home.path().join("film.mkv").exists());
    }

    #[test]
    fn a_folder_that_others_may_write_is_refused() {
        let at = base();
        let mode = |mode| {
            let permissions = PermissionsExt::from_mode(mode);
            std::fs::set_permissions(at.path(), permissions).expect("ours");
        };
        for open in [0o777, 0o770, 0o722] {
            mode(open);
            let refused = Scratch::open(at.path(), &name()).err().expect("refused");
            assert!(refused.to_string().contains("chmod 700"), "{refused}");
        }
        // As in /tmp: others may add files, but not replace ours.
        mode(0o1777);
        let scratch = Scratch::open(at.path(), &name()).expect("ours in it");
        let mode = scratch.path().metadata().expect("there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o700);
    }

    #[test]
    fn a_folder_that_was_opened_to_others_is_refused() {
        let (base, left) = crashed();
        let own = left.parent().expect("a folder");
        std::fs::set_permissions(own, PermissionsExt::from_mode(0o777)).expect("ours");
        let refused = Scratch::open(base.path(), &name()).err().expect("refused");
        assert!(refused.to_string().contains("may write"), "{refused}");
        assert!(left.exists());
    }

    #[test]
    fn a_folder_that_cannot_be_entered_is_removed() {
        let (base, left) = crashed();
        let closed = left.join("closed");
        std::fs::create_dir_all(closed.join("inner")).expect("room");
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o000)).expect("ours");
        drop(Scratch::open(base.path(), &name()).expect("free"));
        assert!(!left.exists());
    }
}
