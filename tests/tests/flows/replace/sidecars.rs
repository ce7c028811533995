//! Files beside a source go along with its output, and come back with it.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use harness::farm::Farm;
use harness::process::Ran;
use harness::servers::store::TestStore;
use harness::{paths, process, programs};

use super::{batch_in, names, seen};

const RECIPE: [&str; 4] = ["--encoder", "libx264", "--encoder-preset", "ultrafast"];

/// The sidecars of a film by their names, with what is in them.
const SIDECARS: [(&str, &str); 4] = [
    (
        "Film x264.en.forced.srt",
        "1\n00:00:00,000 --> 00:00:01,000\nhello\n",
    ),
    ("Film x264.nfo", "<movie/>"),
    ("Film x264-poster.jpg", "a poster"),
    ("Film x264-fanart.jpg", "more art"),
];

/// Files that belong to another film, or to none.
const OTHERS: [&str; 3] = ["Film x264-2.srt", "Film.srt", "Film x2645.nfo"];

/// A folder with a film, its neighbour with a longer name, and files beside them.
fn fill(films: &Path) {
    harness::farm::copy_into(films, &[paths::media("h264.mp4")]);
    let film = films.join("Film x264.mp4");
    std::fs::rename(films.join("h264.mp4"), &film).unwrap();
    std::fs::copy(paths::media("tracks.mkv"), films.join("Film x264-2.mkv")).unwrap();
    for (name, text) in SIDECARS {
        std::fs::write(films.join(name), text).unwrap();
    }
    for name in OTHERS {
        std::fs::write(films.join(name), name).unwrap();
    }
    let mode = std::fs::Permissions::from_mode(0o444);
    std::fs::set_permissions(films.join(SIDECARS[1].0), mode).unwrap();
}

async fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command: Command = programs::command("producer", folder);
    command.args(arguments);
    process::run(command).await
}

#[tokio::test]
async fn copies_go_to_the_output_folder_and_replace_nothing() {
    let folder = paths::test_folder();
    let (films, small) = (folder.path().join("films"), folder.path().join("small"));
    std::fs::create_dir_all(&small).unwrap();
    fill(&films);
    symlink("/etc/hostname", films.join("Film x264.link.txt")).unwrap();
    std::fs::write(small.join("Film x264-poster.jpg"), "somebody's own").unwrap();
    let before = seen(&films);
    let mut encode = vec!["encode", "films/Film x264.mp4", "-o", "small"];
    encode.extend(RECIPE);
    run(folder.path(), &encode).await.succeeded();
    assert_eq!(
        names(&small),
        ["Film x264-poster.jpg", "Film x264.mkv"],
        "nothing is copied unless a person asks"
    );

    encode.extend(["--sidecars", "carry", "--again"]);
    let told = run(folder.path(), &encode).await.succeeded();
    assert!(
        told.stderr.contains("-poster.jpg left behind")
            || told.stdout.contains("-poster.jpg left behind"),
        "{told:?}"
    );
    assert_eq!(seen(&films), before, "no source is touched");
    let made = seen(&small);
    assert_eq!(
        names(&small),
        [
            "Film x264-fanart.jpg",
            "Film x264-poster.jpg",
            "Film x264.en.forced.srt",
            "Film x264.mkv",
            "Film x264.nfo",
        ]
    );
    for (name, _) in SIDECARS {
        if name.ends_with("poster.jpg") {
            assert_eq!(made[Path::new(name)].0, b"somebody's own");
        } else {
            assert_eq!(made[Path::new(name)], before[Path::new(name)], "{name}");
        }
    }
}

#[tokio::test]
async fn a_kept_original_is_copied_with_its_sidecars() {
    let folder = paths::test_folder();
    let films = folder.path().join("films");
    fill(&films);
    let mut encode = vec!["encode", "films/Film x264.mp4", "-o", "small"];
    encode.extend(RECIPE);
    encode.extend([
        "--sidecars",
        "carry",
        "--skip-if",
        "codec = h264",
        "--original",
        "copy",
    ]);
    run(folder.path(), &encode).await.succeeded();
    let (before, made) = (seen(&films), seen(&folder.path().join("small")));
    let copied: BTreeMap<_, _> = before
        .into_iter()
        .filter(|(name, _)| {
            let name = name.to_str().unwrap();
            name == "Film x264.mp4" || SIDECARS.iter().any(|(sidecar, _)| *sidecar == name)
        })
        .collect();
    assert_eq!(made, copied);
}

#[tokio::test]
async fn sidecars_are_renamed_with_a_replaced_film_and_undo_gives_the_names_back() {
    let farm = Farm::start().await;
    let films = farm.folder_of("films", &[]);
    fill(&films);
    let before = seen(&films);
    let setup = farm.worker("w").encoders("libx264").roots(&[&films]);
    let _worker = farm.join(setup).await;
    let film = films.join("Film x264.mp4");
    let enqueue = [
        "enqueue",
        film.to_str().unwrap(),
        "--replace",
        "--wait",
        "--json",
    ];
    let named = ["--name", "{stem-without-codec}"];
    let enqueue = async || {
        farm.producer(enqueue.into_iter().chain(RECIPE).chain(named))
            .await
    };
    let done = enqueue().await.succeeded().json();
    // `Film.srt` is somebody's own, and no sidecar goes over it.
    assert_eq!(
        names(&films),
        [
            "Film x264-2.mkv",
            "Film x264-2.srt",
            "Film x2645.nfo",
            "Film-fanart.jpg",
            "Film-poster.jpg",
            "Film.en.forced.srt",
            "Film.mkv",
            "Film.nfo",
            "Film.srt",
        ]
    );
    let replaced = seen(&films);
    for (name, _) in SIDECARS {
        let new = name.replace("Film x264", "Film");
        assert_eq!(replaced[Path::new(&new)], before[Path::new(name)], "{name}");
    }
    let job = done["jobs"][0]["job"].as_str().unwrap().to_owned();
    let run = farm.run(&job.parse().unwrap()).await.unwrap();
    let carried = &run.report().expect("completed").sidecars;
    assert_eq!(carried.len(), SIDECARS.len(), "{carried:?}");

    let shown = farm.producer(["job", &job]).await.succeeded();
    assert!(shown.stdout.contains(".en.forced.srt, .nfo"), "{shown:?}");

    // A new file under an old name is in the way, and is told.
    let batch = batch_in(&films);
    std::fs::write(films.join("Film x264.nfo"), "a new one").unwrap();
    let refused = farm.producer(["undo", &batch]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let told = format!("{}{}", refused.stdout, refused.stderr);
    assert!(told.contains("Film x264.nfo"), "{told}");
    assert!(films.join("Film.mkv").exists() && films.join("Film.nfo").exists());
    std::fs::remove_file(films.join("Film x264.nfo")).unwrap();
    farm.producer(["undo", &batch]).await.succeeded();
    assert_eq!(seen(&films), before);
}

#[tokio::test]
async fn sidecars_in_a_bucket_go_along() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let folder = farm.folder_of("films", &[]);
    fill(&folder);
    let files = names(&folder);
    for name in &files {
        store
            .put(&folder.join(name), &format!("films/{name}"))
            .await;
    }
    let setup = farm.worker("w").encoders("libx264");
    let _worker = farm.join(setup.environment(store.environment())).await;
    let producer = async |arguments: &[&str]| {
        let mut command = farm.producer_command();
        command.args(arguments).envs(store.environment());
        process::run(command).await
    };
    let below = async |prefix: &str| -> Vec<String> {
        let keys = store.keys().await.into_iter();
        let keys = keys.filter(|key| !key.contains(".ffmpeg-easy-trash/"));
        keys.filter_map(|key| key.strip_prefix(prefix).map(str::to_owned))
            .collect()
    };
    let mut copy = vec![
        "enqueue",
        "s3://media/films/Film x264.mp4",
        "-o",
        "s3://media/small",
    ];
    copy.extend(["--wait", "--sidecars", "carry"]);
    copy.extend(RECIPE);
    producer(&copy).await.succeeded();
    let mut expected: Vec<&str> = SIDECARS.iter().map(|(name, _)| *name).collect();
    expected.push("Film x264.mkv");
    expected.sort();
    assert_eq!(below("small/").await, expected);

    let mut replace = vec![
        "enqueue",
        "s3://media/films/Film x264.mp4",
        "--replace",
        "--wait",
    ];
    replace.extend(["--name", "{stem-without-codec}"]);
    replace.extend(RECIPE);
    producer(&replace).await.succeeded();
    let renamed = below("films/").await;
    for (name, text) in SIDECARS {
        let new = name.replace("Film x264", "Film");
        assert!(
            renamed.contains(&new) && !renamed.contains(&name.to_owned()),
            "{renamed:?}"
        );
        assert_eq!(
            store.get(&format!("films/{new}")).await.unwrap(),
            text.as_bytes()
        );
    }
    let listed = producer(&["trash", "s3://media/films", "--json"])
        .await
        .succeeded()
        .json();
    let batch = listed[0]["batch"].as_str().unwrap();
    producer(&["undo", batch]).await.succeeded();
    assert_eq!(below("films/").await, files);
}
