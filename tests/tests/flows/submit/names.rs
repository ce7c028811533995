//! Names of outputs: a name stays once it is given. Also outputs that exist already.

use std::path::{Path, PathBuf};

use common::job::run::RunState;
use harness::farm::{Farm, copy_into};
use harness::process::Ran;
use harness::{outside, paths, process, programs};

/// The command of the tests: all of `in` into `out`.
fn line<'a>(verb: &'a str, further: &[&'a str]) -> Vec<&'a str> {
    let mut line = vec![verb, "in", "-o", "out", "--encoder", "libx264"];
    line.extend(["--encoder-preset", "ultrafast"]);
    line.extend(further);
    line
}

async fn encode(folder: &Path, further: &[&str]) -> Ran {
    let mut command = programs::command("producer", folder);
    command.args(line("encode", further));
    process::run(command).await
}

fn names(folder: &Path) -> Vec<PathBuf> {
    outside::names(&folder.join("out"))
}

fn paths_of(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

fn long(letter: &str, count: usize, extension: &str) -> String {
    format!("{}.{extension}", letter.repeat(count))
}

#[tokio::test]
async fn encode_keeps_names_that_it_gave_and_reports_inputs_without_a_possible_name() {
    let place = paths::test_folder();
    let input = place.path().join("in");
    let film = paths::media("h264.mp4");
    copy_into(&input, std::slice::from_ref(&film));
    let put = |name: &str| std::fs::copy(&film, input.join(name)).expect("copied");
    // A name of 255 bytes whose output has 255 bytes, too, and a name of 255 bytes whose output would have 256.
    let (fits, does_not) = (long("D", 251, "mp4"), long("E", 252, "ts"));
    put(&fits);
    put(&does_not);
    std::fs::create_dir(input.join("app")).expect("made");
    std::fs::write(input.join("app/index.ts"), "export const x = 1;\n").expect("written");
    let fit = long("D", 251, "mkv");
    let told = encode(place.path(), &["--json"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    let long_name = "would be 256 bytes long";
    assert!(told.stderr.contains(long_name), "{told:?}");
    let no_video = "1 file is no video: app/index.ts (text)";
    assert!(told.stderr.contains(no_video), "{told:?}");
    let outcome = told.json();
    for (count, expected) in [("added", 2), ("done", 2), ("failed", 0), ("running", 0)] {
        assert_eq!(outcome[count], expected, "{count}: {outcome:#}");
    }
    assert_eq!(outcome["left_out"][0]["file"], does_not.as_str());
    assert_eq!(names(place.path()), paths_of(&[&fit, "h264.mkv"]));
    // There is no state to continue from: only the completed jobs are remembered.
    let states = outside::names(&place.path().join("state/ffmpeg-easy"));
    assert_eq!(states.len(), 1, "{states:?}");
    assert!(
        states[0].extension().is_some_and(|end| end == "done"),
        "{states:?}"
    );

    // A new input renames no other output.
    std::fs::remove_file(input.join(&does_not)).expect("removed");
    put("h264.mov");
    let made = |name: &str| outside::which(&place.path().join("out").join(name));
    let before = [made(&fit), made("h264.mkv")];
    let outcome = encode(place.path(), &["--json"]).await.succeeded().json();
    assert_eq!(
        (&outcome["added"], &outcome["done"]),
        (&1.into(), &3.into())
    );
    let three = [&fit, "h264.mkv", "h264.mov.mkv"];
    assert_eq!(names(place.path()), paths_of(&three));
    // A deleted input does not rename others either.
    std::fs::remove_file(input.join("h264.mp4")).expect("removed");
    let outcome = encode(place.path(), &["--json"]).await.succeeded().json();
    assert_eq!(outcome["added"], 0, "{outcome:#}");
    assert_eq!(names(place.path()), paths_of(&three));
    assert_eq!([made(&fit), made("h264.mkv")], before);

    // With another recipe, the output that is there is not the wanted one.
    let other = encode(place.path(), &["--crf", "40", "--json"]).await;
    assert_eq!(other.code, Some(1), "{other:?}");
    assert!(other.stderr.contains("by another recipe"), "{other:?}");
    let outcome = other.json();
    assert_eq!(
        (&outcome["skipped"], &outcome["done"]),
        (&2.into(), &0.into())
    );
    assert_eq!([made(&fit), made("h264.mkv")], before);
}

#[tokio::test]
async fn a_finished_output_keeps_its_name_and_is_not_made_by_another_recipe() {
    let farm = Farm::start().await;
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let folder = farm.folder_of("in", &["h264.mp4", "vp9.webm"].map(paths::media));
    let enqueue = async |further: &[&str]| farm.producer(line("enqueue", further)).await;
    enqueue(&["--wait"]).await.succeeded();

    let second = enqueue(&["--crf", "40"]).await;
    assert_eq!(second.code, Some(1), "{second:?}");
    let told = |name: &str| {
        let mut lines = second.stderr.lines();
        let job = |line: &str| line.contains("was made by another recipe by job");
        lines.any(|line| line.starts_with(name) && job(line) && line.contains("--overwrite"))
    };
    assert!(told("h264.mp4") && told("vp9.webm"), "{second:?}");
    assert!(second.stderr.contains("2 skipped"), "{second:?}");
    assert_eq!(farm.queued().await, 0);
    assert_eq!(farm.view.runs().await.expect("an answer").len(), 2);

    // From then on, the output of the second recipe counts as the one that is there.
    enqueue(&["--crf", "40", "--overwrite", "--wait"])
        .await
        .succeeded();
    let first = enqueue(&["--wait"]).await;
    assert_eq!(first.code, Some(1), "{first:?}");
    let same = enqueue(&["--crf", "40", "--wait", "--json"]).await;
    assert_eq!(same.succeeded().json()["done"], 2);

    // A new input whose output name is taken keeps its extension in the name.
    std::fs::copy(paths::media("h264.mp4"), folder.join("h264.mov")).expect("copied");
    std::fs::remove_file(folder.join("vp9.webm")).expect("removed");
    let third = enqueue(&["--crf", "40", "--wait", "--json"]).await;
    let outcome = third.succeeded().json();
    assert_eq!(
        (&outcome["added"], &outcome["done"]),
        (&1.into(), &2.into())
    );
    let expected = ["h264.mkv", "h264.mov.mkv", "vp9.mkv"];
    assert_eq!(outside::names(&farm.out()), paths_of(&expected));
    let is_done = |run: &common::job::run::Run| matches!(run.state, RunState::Completed { .. });
    let runs = farm.view.runs().await.expect("an answer");
    assert!(runs.len() == 5 && runs.iter().all(is_done), "{runs:#?}");
}

#[tokio::test]
async fn a_named_file_without_video_is_refused_in_one_line() {
    let farm = Farm::start().await;
    farm.folder_of("in", &[paths::media("h264.mp4")]);
    let file = |name: &str, bytes: &[u8]| {
        std::fs::write(farm.folder().join(name), bytes).expect("written");
    };
    file("list.mkv", b"#EXTM3U\n#EXTINF:4,\nok.mp4\n");
    file("voice memo.flac", b"fLaC\0\0\0\x22");
    for (name, why) in [
        ("list.mkv", "list.mkv is a playlist, no video"),
        ("voice memo.flac", "voice memo.flac is sound only, no video"),
    ] {
        for verb in ["enqueue", "encode"] {
            let mut command = match verb {
                "enqueue" => farm.producer_command(),
                _ => programs::command("producer", farm.folder()),
            };
            command.args([verb, name, "-o", "out", "--encoder", "libx264"]);
            let refused = process::run(command).await;
            assert_eq!(refused.code, Some(1), "{refused:?}");
            assert_eq!(refused.stderr.trim(), format!("error: {why}"));
        }
    }
    let both = ["enqueue", "list.mkv", "in/h264.mp4", "-o", "out"];
    let both = both.into_iter().chain(["--encoder", "libx264", "--json"]);
    let some = farm.producer(both).await;
    assert_eq!(some.code, Some(1), "{some:?}");
    let outcome = some.json();
    assert_eq!(outcome["added"], 1, "{outcome:#}");
    assert_eq!(outcome["left_out"][0]["file"], "list.mkv");
    assert_eq!(farm.queued().await, 1);
}

#[tokio::test]
async fn sources_that_differ_in_a_word_for_a_codec_are_refused_and_others_encoded() {
    let farm = Farm::start().await;
    let film = paths::media("h264.mp4");
    let input = farm.folder_of("in", std::slice::from_ref(&film));
    for name in ["Film x264.mp4", "Film x265.mp4"] {
        std::fs::copy(&film, input.join(name)).expect("copied");
    }
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let named = ["--name", "{stem-without-codec}", "--json"];
    for verb in ["encode", "enqueue"] {
        let told = match verb {
            "encode" => encode(farm.folder(), &named).await,
            _ => {
                let wait = [&named[..], &["--wait"]].concat();
                farm.producer(line(verb, &wait)).await
            }
        };
        assert_eq!(told.code, Some(1), "{verb}: {told:?}");
        let left = &told.json()["left_out"];
        for (nth, name, other) in [(0, "Film x264.mp4", "x265"), (1, "Film x265.mp4", "x264")] {
            assert_eq!(left[nth]["file"], name, "{verb}: {left}");
            let why = left[nth]["error"].as_str().expect("a reason");
            let expected = format!("{other}.mp4 would become the same file in");
            assert!(why.replace("%20", " ").contains(&expected), "{verb}: {why}");
        }
        assert_eq!(names(farm.folder()), paths_of(&["h264.mkv"]), "{verb}");
    }
}
