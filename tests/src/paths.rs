//! Paths that tests use: built programs, tools and media.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the repository")
}

/// The folder of the programs of this build, e.g. `target/debug`.
fn profile() -> PathBuf {
    let exe = std::env::current_exe().expect("a running program has a path");
    exe.ancestors()
        .nth(2)
        .expect("tests lie in target/<profile>/deps, examples in target/<profile>/examples")
        .to_owned()
}

/// The folder of everything that is built.
pub fn target() -> PathBuf {
    let profile = profile();
    profile.parent().expect("profiles lie in target").to_owned()
}

/// A program of this workspace. Cargo does not build it for these tests, as it belongs to another package.
pub fn program(name: &str) -> PathBuf {
    let path = profile().join(name);
    assert!(
        path.is_file(),
        "{} is not built: run `cargo build --workspace` first (`make test` does)",
        path.display()
    );
    path
}

/// A program of an earlier commit, which `tests/upgrade` has built.
pub fn old_program(name: &str) -> PathBuf {
    existing(target().join("old").join(name), "tests/upgrade")
}

/// The roles for a broker that the same commit ships.
pub fn old_roles() -> PathBuf {
    existing(target().join("old/source/nats/roles.conf"), "tests/upgrade")
}

/// A program that `tests/setup test` installs, or that is in `PATH`.
pub fn tool(name: &str) -> PathBuf {
    let brought = target().join("tools/bin").join(name);
    if brought.is_file() {
        return brought;
    }
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!("{name} is missing: run `tests/setup test` first (`make test` does)")
        })
}

/// The script of axe-core, which checks the accessibility of a page.
pub fn axe() -> String {
    let path = target().join("tools/axe/axe.min.js");
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}: run `tests/setup test` first (`make test` does)",
            path.display()
        )
    })
}

/// `PATH` with the tools of `tests/setup` first.
pub fn search_path() -> std::ffi::OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::iter::once(target().join("tools/bin")).chain(std::env::split_paths(&inherited));
    std::env::join_paths(folders).expect("folders of PATH hold no separator")
}

/// The folder of the media of all tests.
pub fn brought() -> PathBuf {
    target().join("tools")
}

fn existing(path: PathBuf, setup: &str) -> PathBuf {
    assert!(
        path.exists(),
        "{} is missing: run `{setup}` first (the Makefile does)",
        path.display()
    );
    path
}

/// A file or a folder that `tests/clips` makes.
pub fn media(name: &str) -> PathBuf {
    existing(
        target().join("tools/media").join(name),
        "tests/setup test && tests/clips",
    )
}

/// A real clip, as its package ships it.
pub fn clip(name: &str) -> PathBuf {
    existing(target().join("tools/clips").join(name), "tests/setup test")
}

/// An empty folder that is removed with the test. It lies on the disk of the build, so that programs can be hard links
/// in it.
pub fn test_folder() -> TempDir {
    let base = target().join("tmp");
    std::fs::create_dir_all(&base).expect("the target folder can be written");
    tempfile::Builder::new()
        .prefix("farm-")
        .tempdir_in(base)
        .expect("the target folder can be written")
}

/// The folder for screenshots of tests.
pub fn screenshots() -> PathBuf {
    target().join("screenshots")
}

/// The folder in which the workers of all tests cache what they have proved on this machine: to prove it takes each of
/// them seconds. Another build of the worker proves it again.
pub fn shared_cache() -> PathBuf {
    let built = program("worker")
        .metadata()
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .unwrap_or_default();
    target().join(format!("tmp/cache-{}", built.as_nanos()))
}
