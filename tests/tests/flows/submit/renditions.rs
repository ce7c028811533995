//! Several outputs of one source: renditions and name templates.

use std::path::{Path, PathBuf};

use harness::farm::copy_into;
use harness::outside::media::Media;
use harness::process::Ran;
use harness::{outside, paths, process, programs};

async fn encode(folder: &Path, further: &[&str]) -> Ran {
    let mut command = programs::command("producer", folder);
    command.args(["encode", "in", "-o", "out", "--encoder", "libx264"]);
    command.args(["--encoder-preset", "ultrafast"]);
    command.args(further);
    process::run(command).await
}

fn place() -> tempfile::TempDir {
    let place = paths::test_folder();
    copy_into(&place.path().join("in"), &[paths::media("h264.mp4")]);
    place
}

#[tokio::test]
async fn a_source_becomes_one_output_for_each_rendition_and_a_second_run_makes_nothing_new() {
    let place = place();
    let out = place.path().join("out");
    let source = Media::of(&paths::media("h264.mp4"));
    let (width, height) = source.film().size();
    let shorter = width.min(height);
    let sizes = [shorter * 2, shorter / 2, shorter / 4].map(|side| side - side % 2);
    let ladder = sizes.map(|side| format!("{side}p")).join(",");
    let told = encode(place.path(), &["--rendition", &ladder, "--json"]).await;
    let outcome = told.succeeded().json();
    assert_eq!(outcome["added"], 3, "{outcome:#}");
    let names = sizes.map(|side| PathBuf::from(format!("h264-{side}p.mkv")));
    let mut sorted = names.to_vec();
    sorted.sort();
    assert_eq!(outside::names(&out), sorted);
    for (name, side) in names.iter().zip(sizes) {
        let made = Media::of(&out.join(name));
        let (width, height) = made.film().size();
        assert_eq!(width.min(height), side.min(shorter), "never enlarged");
        assert_eq!(made.frames(), source.frames());
    }
    let which = || names.each_ref().map(|name| outside::which(&out.join(name)));
    let before = which();
    let again = encode(place.path(), &["--rendition", &ladder, "--json"]).await;
    let outcome = again.succeeded().json();
    assert_eq!(
        (&outcome["added"], &outcome["done"]),
        (&0.into(), &3.into())
    );
    assert_eq!(which(), before);
}

#[tokio::test]
async fn outputs_are_named_by_a_template_in_folders_below_the_output_folder() {
    let place = place();
    let template = ["--name", "{codec}/{stem} {bitrate}"];
    let ladder = ["--rendition", "64p:200k,32p:100k"];
    let told = encode(place.path(), &[template, ladder].concat()).await;
    told.succeeded();
    let out = place.path().join("out");
    assert_eq!(
        outside::names(&out),
        ["h264/h264 100k.mkv", "h264/h264 200k.mkv"].map(PathBuf::from)
    );
    // The same names for the same sources, and what would be done is known before.
    let told = encode(
        place.path(),
        &[&template[..], &ladder, &["--dry-run", "--json"]].concat(),
    )
    .await;
    let planned = told.succeeded().json();
    let rows = planned["files"].as_array().or(planned.as_array());
    let rows = rows.expect("a row for each output");
    assert_eq!(rows.len(), 2, "{planned:#}");
    for row in rows {
        assert_eq!(row["would"], "skip", "{planned:#}");
    }
}

#[tokio::test]
async fn outputs_that_no_source_can_have_are_refused_before_anything_is_made() {
    let place = place();
    for (line, words) in [
        (
            &["--rendition", "64p,32p", "--name", "{stem}"][..],
            "would both be named",
        ),
        (&["--rendition", "64p,64p"], "would both be named"),
        (&["--rendition", ""], "is no rendition"),
        (&["--rendition", "huge"], "is no rendition"),
        (&["--name", "../{stem}"], "below the output folder"),
        (&["--name", "all"], "needs {stem}"),
        (&["--name", "{stem}-{height}"], "{height} has no value"),
    ] {
        let told = encode(place.path(), line).await;
        assert_eq!(told.code, Some(2), "{line:?}: {told:?}");
        assert!(told.stderr.contains(words), "{line:?}: {told:?}");
        assert!(!place.path().join("out").exists(), "{line:?}");
    }
}
