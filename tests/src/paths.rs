//! Where the things are that tests use: built programs, brought tools, media.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the repository")
}

/// The folder that the build of this test put its programs in, e.g. `target/debug`.
fn profile() -> PathBuf {
    let exe = std::env::current_exe().expect("a running program has a path");
    exe.ancestors()
        .nth(2)
        .expect("tests lie in target/<profile>/deps, examples in target/<profile>/examples")
        .to_owned()
}

fn target() -> PathBuf {
    let profile = profile();
    profile.parent().expect("profiles lie in target").to_owned()
}

/// A program of this workspace, which cargo does not build for us: it lies in
/// another package.
pub fn program(name: &str) -> PathBuf {
    let path = profile().join(name);
    assert!(
        path.is_file(),
        "{} is not built: run `cargo build --workspace` first (`make test` does)",
        path.display()
    );
    path
}

/// A program that `tests/setup test` brings, or that is in `PATH`.
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

/// axe-core as a script, which checks what a page is like for people who see,
/// hear or point badly.
pub fn axe() -> String {
    let path = target().join("tools/axe/axe.min.js");
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}: run `tests/setup test` first (`make test` does)",
            path.display()
        )
    })
}

/// `PATH` with the tools that `tests/setup` brought first.
pub fn search_path() -> std::ffi::OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::iter::once(target().join("tools/bin")).chain(std::env::split_paths(&inherited));
    std::env::join_paths(folders).expect("folders of PATH hold no separator")
}

/// Where the media of all tests lie.
pub fn brought() -> PathBuf {
    target().join("tools")
}

/// Something that `tests/clips` makes: a file, or one of its folders.
pub fn media(name: &str) -> PathBuf {
    let path = target().join("tools/media").join(name);
    assert!(
        path.exists(),
        "{} is missing: run `tests/setup test && tests/clips` first (`make test` does)",
        path.display()
    );
    path
}

/// A real clip as its package ships it.
pub fn clip(name: &str) -> PathBuf {
    let path = target().join("tools/clips").join(name);
    assert!(
        path.exists(),
        "{} is missing: run `tests/setup test` first (`make test` does)",
        path.display()
    );
    path
}

/// An empty folder that goes when the test does. It lies on the disk of the
/// build, so that programs can be hard links there.
pub fn test_folder() -> TempDir {
    let base = target().join("tmp");
    std::fs::create_dir_all(&base).expect("the target folder can be written");
    tempfile::Builder::new()
        .prefix("farm-")
        .tempdir_in(base)
        .expect("the target folder can be written")
}

/// Where tests leave pictures of what they saw.
pub fn screenshots() -> PathBuf {
    target().join("screenshots")
}

/// Where workers of all tests keep what they have found out about this machine:
/// finding it out anew takes each of them seconds. Another build of the worker
/// begins anew.
pub fn shared_cache() -> PathBuf {
    let built = program("worker")
        .metadata()
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .unwrap_or_default();
    target().join(format!("tmp/cache-{}", built.as_nanos()))
}
