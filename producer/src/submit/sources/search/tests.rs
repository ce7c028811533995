use super::*;

fn tree(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        std::fs::write(path, b"media").expect("written");
    }
    folder
}

async fn search(
    paths: &[PathBuf],
    globs: &Globs,
    output: Option<&Path>,
) -> Result<FoundFiles, Error> {
    let output = output.map(|path| Location::file(path).expect("absolute"));
    let outputs: Vec<Location> = output.into_iter().collect();
    Search::new(globs, &outputs, &Stores::new())?
        .run(paths)
        .await
}

fn names(found: &FoundFiles) -> Vec<&str> {
    found
        .sources
        .iter()
        .map(|source| source.name.to_str().expect("text"))
        .collect()
}

#[tokio::test]
async fn sound_counts_as_media_for_recipes_of_sound_only() {
    let folder = tree(&["a.mkv", "b.flac", "c.txt"]);
    let found = async |recipe: &Recipe| {
        let stores = Stores::new();
        let search = Search::new(&Globs::default(), &[], &stores).expect("sound");
        let search = search.for_recipe(recipe);
        search
            .run(&[folder.path().to_owned()])
            .await
            .expect("found")
    };
    assert_eq!(names(&found(&Recipe::copy()).await), ["a.mkv"]);
    let sound = Recipe::copy().edit(|draft| draft.video = Video::None);
    let found = found(&sound.expect("sound")).await;
    assert_eq!(names(&found), ["a.mkv", "b.flac"]);
}

#[tokio::test]
async fn a_folder_gives_its_media_and_counts_the_rest() {
    let folder = tree(&[
        "b.MP4",
        "a.mkv",
        "sub/c.mov",
        "notes.txt",
        ".hidden.mp4",
        ".git/d.mp4",
        "out/e.mkv",
    ]);
    let root = folder.path().canonicalize().expect("there");
    let found = search(
        &[root.clone(), root.join("a.mkv")],
        &Globs::default(),
        Some(&root.join("out")),
    )
    .await
    .expect("found");
    assert_eq!(names(&found), ["a.mkv", "b.MP4", "sub/c.mov"]);
    assert_eq!((found.no_media, found.hidden), (1, 2));
    assert_eq!(found.skipped(), "1 no media, 2 hidden");
    assert_eq!(found.bytes(), 15);
}

#[tokio::test]
async fn what_only_seems_to_be_video_is_left_out_and_named() {
    let folder = tree(&["app/index.ts", "memo.flac", "a.mkv"]);
    let root = folder.path().canonicalize().expect("there");
    std::fs::write(root.join("a.mkv"), b"\x1a\x45\xdf\xa3").expect("written");
    let mut found = search(std::slice::from_ref(&root), &Globs::default(), None)
        .await
        .expect("found");
    assert_eq!(found.sift(), []);
    assert_eq!(names(&found), ["a.mkv"]);
    assert_eq!(found.skipped(), "2 no video");
    assert_eq!(
        found.without_video().expect("two"),
        "2 files are no video: memo.flac (sound only), app/index.ts (text)"
    );
    let named = [root.join("app/index.ts"), root.join("a.mkv")];
    let mut found = search(&named, &Globs::default(), None)
        .await
        .expect("found");
    assert_eq!(found.sift(), [(PathBuf::from("index.ts"), NoVideo::Text)]);
    assert_eq!(
        (names(&found), found.skipped().as_str()),
        (vec!["a.mkv"], "")
    );
}

#[tokio::test]
async fn globs_match_names_and_paths() {
    let folder = tree(&["a.mkv", "b.mov", "sub/c.mov", "sub/deep/d.mov"]);
    let globs = |include: &[&str], exclude: &[&str]| Globs {
        include: include.iter().map(ToString::to_string).collect(),
        exclude: exclude.iter().map(ToString::to_string).collect(),
    };
    let root = [folder.path().to_owned()];
    let found = search(&root, &globs(&["*.mov"], &["sub/*.mov"]), None)
        .await
        .expect("found");
    assert_eq!(names(&found), ["b.mov", "sub/deep/d.mov"]);
    assert_eq!(found.excluded, 2);
    let error = search(&root, &globs(&["["], &[]), None)
        .await
        .expect_err("no glob");
    assert!(error.to_string().contains("--include"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_taken_says_why() {
    let folder = tree(&["notes.txt"]);
    let root = folder.path().canonicalize().expect("there");
    for (path, output, words) in [
        (root.clone(), None, "no media found"),
        (root.join("missing"), None, "does not exist"),
        (root.clone(), Some(root.as_path()), "both input and output"),
    ] {
        let error = search(&[path], &Globs::default(), output)
            .await
            .expect_err("refused");
        assert!(error.to_string().contains(words), "{error}");
    }
    let named = search(&[root.join("notes.txt")], &Globs::default(), None).await;
    assert_eq!(names(&named.expect("named files are taken")), ["notes.txt"]);
}

#[tokio::test]
async fn a_file_that_is_named_twice_is_joined_twice() {
    let folder = tree(&["film.mkv", "intro.mp4"]);
    let root = folder.path().canonicalize().expect("there");
    let (intro, film) = (root.join("intro.mp4"), root.join("film.mkv"));
    let stores = Stores::new();
    let search = Search::new(&Globs::default(), &[], &stores).expect("sound");
    let paths = [intro.clone(), film, intro];
    let found = search
        .that_keeps_repeats()
        .run(&paths)
        .await
        .expect("found");
    assert_eq!(names(&found), ["intro.mp4", "film.mkv", "intro.mp4"]);
}

#[tokio::test]
async fn subtitles_in_two_files_are_told_and_nothing_is_incomplete() {
    let folder = tree(&["film.mkv", "film.idx", "film.sub", "film.en.srt"]);
    let stores = Stores::new();
    let recipe = Recipe::copy().edit(|draft| draft.subtitle_tracks.external = true);
    let search = Search::new(&Globs::default(), &[], &stores).expect("sound");
    let search = search.for_recipe(&recipe.expect("sound"));
    let found = search.run(&[folder.path().to_owned()]).await;
    let found = found.expect("found");
    assert_eq!(found.sources[0].further.len(), 1);
    assert!(found.unreadable.is_empty());
    let warnings: Vec<String> = found.warnings().collect();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("mkvmerge"), "{warnings:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_a_file_that_is_gone_is_named() {
    let folder = tree(&["a.mkv"]);
    let link = folder
        .path()
        .canonicalize()
        .expect("a folder")
        .join("b.mkv");
    std::os::unix::fs::symlink("gone.mkv", &link).expect("a link");
    let (paths, globs) = ([folder.path().to_owned()], Globs::default());
    let found = search(&paths, &globs, None).await.expect("found");
    assert_eq!((names(&found), found.is_complete()), (vec!["a.mkv"], false));
    let warnings: Vec<String> = found.warnings().collect();
    let link = link.display();
    assert_eq!(
        warnings,
        [format!(
            "{link} is a link to a file that is gone: remove it, or bring the file back"
        )]
    );
}
