//! The promises of every store.

use common::names::digest::Digest;
use common::store::{StoreError, SubtitleSearch};

use crate::backend::Backend;

/// Names that have broken programs. For a store, each is a name like any other.
const NAMES: [&str; 12] = [
    "a.mkv",
    "two words.mkv",
    ".hidden.mkv",
    "..two dots",
    "-dash",
    "#hash?question&and=equals+plus",
    "100 % sure; 'quoted' \"twice\"",
    "[brackets] {braces} (parentheses)",
    "pipe|less<more>star*",
    "Grüße, 世界, مرحبا 🎬.mkv",
    "%41 is no A",
    "a.mkv.part",
];

/// All promises that every store keeps.
pub(crate) async fn holds(backend: &Backend) {
    a_missing_object_is_reported_as_missing(backend).await;
    a_written_object_is_read_back(backend).await;
    another_content_is_another_version(backend).await;
    names_are_only_names(backend).await;
    a_folder_is_no_file(backend).await;
    a_removal_removes_one_object_and_no_other(backend).await;
    a_folder_shows_what_lies_in_it(backend).await;
    subtitle_files_lie_beside_their_film(backend).await;
}

async fn a_missing_object_is_reported_as_missing(backend: &Backend) {
    let missing = backend.at("missing/file.mkv");
    let head = backend.stores.head(&missing).await;
    assert!(
        matches!(&head, Err(StoreError::Missing(at)) if *at == missing),
        "{head:?}"
    );
    let digest = backend.stores.digest(&missing).await;
    assert!(matches!(digest, Err(StoreError::Missing(_))), "{digest:?}");
    backend.stores.delete(&missing).await.unwrap();
}

async fn a_written_object_is_read_back(backend: &Backend) {
    // No bytes, one byte, and more than is read at once.
    for (name, size) in [("empty", 0), ("one", 1), ("large", 3 << 20)] {
        let content: Vec<u8> = (0..size).map(|byte| (byte % 251) as u8).collect();
        let location = backend.at(&format!("sizes/{name}"));
        backend.put(&location, &content).await;
        let found = backend.stores.head(&location).await.unwrap();
        assert_eq!((&found.location, found.size), (&location, size));
        assert!(!found.version.is_empty(), "{name} has no version");
        let again = backend.stores.head(&location).await.unwrap();
        assert_eq!(again, found, "nothing changed");
        let digest = backend.stores.digest(&location).await.unwrap();
        assert_eq!(digest, Digest::of(&content), "{name}");
    }
}

async fn another_content_is_another_version(backend: &Backend) {
    let location = backend.at("versions/film.mkv");
    backend.put(&location, b"first").await;
    let first = backend.stores.head(&location).await.unwrap();
    // The size is the same, so only the version shows the change.
    backend.put(&location, b"other").await;
    let other = backend.stores.head(&location).await.unwrap();
    assert_ne!(first.version, other.version);
    let digest = backend.stores.digest(&location).await.unwrap();
    assert_eq!(digest, Digest::of(b"other"));
}

async fn names_are_only_names(backend: &Backend) {
    let long = "long".repeat(50);
    for name in NAMES.into_iter().chain([long.as_str()]) {
        let location = backend.at("names").join(name);
        backend.put(&location, name.as_bytes()).await;
    }
    for name in NAMES.into_iter().chain([long.as_str()]) {
        let location = backend.at("names").join(name);
        let found = backend.stores.head(&location).await;
        let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.location.name(), name);
        assert_eq!(found.size, name.len() as u64, "{name}");
        let digest = backend.stores.digest(&location).await;
        let digest = digest.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(digest, Digest::of(name.as_bytes()), "{name}");
    }
    // The server of these tests treats a backslash as a slash.
    if !backend.place.is_remote() {
        let location = backend.at("names").join("back\\slash");
        backend.put(&location, b"content").await;
        assert_eq!(backend.stores.head(&location).await.unwrap().size, 7);
        backend.stores.delete(&location).await.unwrap();
    }
    let mut names: Vec<&str> = NAMES.into_iter().chain([long.as_str()]).collect();
    names.sort_unstable();
    let found = backend.entries(&backend.at("names")).await.unwrap();
    let found: Vec<&str> = found.files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(found, names);
    for name in names {
        let location = backend.at("names").join(name);
        backend.stores.delete(&location).await.unwrap();
        let head = backend.stores.head(&location).await;
        assert!(matches!(head, Err(StoreError::Missing(_))), "{head:?}");
    }
}

async fn a_folder_is_no_file(backend: &Backend) {
    backend.put(&backend.at("folder/film.mkv"), b"film").await;
    let head = backend.stores.head(&backend.at("folder")).await;
    assert!(matches!(head, Err(StoreError::Missing(_))), "{head:?}");
}

async fn a_removal_removes_one_object_and_no_other(backend: &Backend) {
    let [short, longer, other] = ["a", "a.mkv", "b"].map(|name| backend.at("removed").join(name));
    for location in [&short, &longer, &other] {
        backend.put(location, b"content").await;
    }
    backend.stores.delete(&short).await.unwrap();
    let head = backend.stores.head(&short).await;
    assert!(matches!(head, Err(StoreError::Missing(_))), "{head:?}");
    // A second delete succeeds, too, as after an answer that was lost.
    backend.stores.delete(&short).await.unwrap();
    for location in [&longer, &other] {
        backend.stores.head(location).await.unwrap();
    }
}

async fn a_folder_shows_what_lies_in_it(backend: &Backend) {
    for (name, content) in [
        ("b.mkv", "12345"),
        ("a.mkv", "1"),
        (".hidden", "12"),
        ("season one/episode 1.mkv", "1"),
        ("season one/extras/more.mkv", "1"),
        ("season two/episode 1.mkv", "1"),
    ] {
        let location = backend.at("shown").join(name);
        backend.put(&location, content.as_bytes()).await;
    }
    let found = backend.entries(&backend.at("shown")).await.unwrap();
    assert_eq!(found.folders, ["season one", "season two"]);
    let files = [(".hidden", 2), ("a.mkv", 1), ("b.mkv", 5)];
    assert_eq!(
        found.files,
        files.map(|(name, size)| (name.to_owned(), size))
    );
    let found = backend.entries(&backend.at("shown/season one")).await;
    assert_eq!(found.unwrap().folders, ["extras"]);
}

async fn subtitle_files_lie_beside_their_film(backend: &Backend) {
    // At the top of the place, which may be all that the program may use.
    let film = backend.at("silent.mkv");
    for name in [
        "silent.mkv",
        "silent.en.srt",
        "silent.sprites.vtt",
        "other.srt",
        "below/silent.de.srt",
    ] {
        backend.put(&backend.at(name), b"text").await;
    }
    let mut search = SubtitleSearch::new(&backend.stores);
    let found = search.beside(&film).await.unwrap();
    assert_eq!(found.unreadable, [""; 0]);
    assert_eq!(found.unsupported, [""; 0]);
    let subtitles = backend.stores.head(&backend.at("silent.en.srt")).await;
    let files: Vec<_> = found.files.into_iter().map(|file| file.input).collect();
    assert_eq!(files, [subtitles.unwrap()]);
}

/// The promises to a program that may use one place only.
pub(crate) async fn nothing_outside_is_touched(backend: &Backend) {
    let theirs = backend.outside.join("theirs.mkv");
    backend.put(&theirs, b"theirs").await;
    let is_refused = |error: StoreError| matches!(error, StoreError::Outside(at) if at == theirs);
    assert!(is_refused(backend.stores.head(&theirs).await.unwrap_err()));
    assert!(is_refused(
        backend.stores.digest(&theirs).await.unwrap_err()
    ));
    assert!(is_refused(
        backend.stores.delete(&theirs).await.unwrap_err()
    ));
    let unbound = common::store::Stores::new();
    let digest = unbound.digest(&theirs).await.unwrap();
    assert_eq!(digest, Digest::of(b"theirs"));
}
