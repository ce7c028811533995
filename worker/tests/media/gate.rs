//! Which outputs pass the publish gate.

use std::time::Duration;

use crate::studio;
use crate::studio::Studio;
use common::job::failure::{Doubt, Fault};

#[tokio::test]
async fn an_input_that_is_no_film_is_the_inputs_fault() {
    let studio = Studio::new();
    let whole = studio.clip(
        "in.mp4",
        "-frames:v 30 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    let whole = std::fs::read(whole).expect("bytes");
    let playlist = format!(
        "#EXTM3U\n#EXTINF:1,\nfile://{}\n",
        studio.path("in.mp4").display()
    );
    for (name, bytes) in [
        ("empty.mp4", &b""[..]),
        ("text.mp4", b"this is no film at all"),
        ("truncated.mp4", &whole[..whole.len() / 2]),
        ("playlist.m3u8", playlist.as_bytes()),
        ("concat.txt", b"ffconcat version 1.0\nfile in.mp4\n"),
    ] {
        let source = studio.path(name);
        std::fs::write(&source, bytes).expect("a file");
        let failure = studio
            .encode(&source, &studio::recipe("libx264"))
            .await
            .expect_err(name);
        assert_eq!(failure.fault, Fault::Input, "{name}: {failure:?}");
    }
    let sound = studio.sound();
    let failure = studio
        .encode(&sound, &studio::recipe("libx264"))
        .await
        .expect_err("sound only");
    assert_eq!(failure.fault, Fault::Input);
    assert!(failure.message.contains("no video"), "{failure}");
}

#[tokio::test]
async fn an_input_that_breaks_off_is_called_damaged() {
    let studio = Studio::new();
    // The index comes first, so the file opens, and ffmpeg exits with 0.
    let whole = studio.clip(
        "in.mp4",
        "-frames:v 60 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -movflags +faststart",
    );
    let bytes = std::fs::read(whole).expect("bytes");
    let source = studio.path("broken.mp4");
    std::fs::write(&source, &bytes[..bytes.len() * 6 / 10]).expect("a file");
    let failure = studio
        .encode(&source, &studio::recipe("libx264"))
        .await
        .expect_err("damaged");
    assert_eq!(failure.fault, Fault::Input, "{failure:?}");
    assert!(
        failure.message.starts_with("source is damaged"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_broken_output_does_not_pass() {
    let studio = Studio::new();
    let source = studio.clip(
        "in.mp4",
        "-frames:v 60 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    let recipe = studio::recipe("libx264");
    type Harm = fn(&mut Vec<u8>);
    let harm: [(&str, Harm); 4] = [
        ("nothing", |bytes| bytes.clear()),
        ("half", |bytes| bytes.truncate(bytes.len() / 2)),
        ("zeros", |bytes| {
            let half = bytes.len() / 2;
            bytes[half..half + 2000].fill(0);
        }),
        ("garbage", |bytes| bytes.fill(0xaa)),
    ];
    for (what, harm) in harm {
        let failure = studio.encode_and(&source, &recipe, |output| {
            let mut bytes = std::fs::read(output).expect("an output");
            harm(&mut bytes);
            std::fs::write(output, bytes).expect("written");
        });
        let failure = failure.await.expect_err(what);
        assert_eq!(failure.fault, Fault::Worker, "{what}: {failure:?}");
        assert_eq!(
            failure.doubt,
            Some(Doubt::Repetition),
            "{what}: {failure:?}"
        );
    }
    // A whole file with too few frames does not pass either.
    let shorter = studio.clip(
        "short.mkv",
        "-frames:v 40 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    let failure = studio
        .encode_and(&source, &recipe, |output| {
            std::fs::copy(&shorter, output).expect("a copy");
        })
        .await
        .expect_err("too short");
    assert_eq!(
        failure.message,
        "output has 40 frames where the input has 60"
    );
}

#[tokio::test]
async fn a_sample_is_enough_for_a_check_by_sample() {
    let studio = Studio::new();
    let source = studio.clip(
        "in.mp4",
        "-frames:v 100 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    let depth = worker::attempt::verify::gate::Depth::Sample(Duration::from_secs(1));
    let checked = studio
        .encode_to(&source, &studio::recipe("libx264"), depth, |_| {})
        .await
        .expect("passes");
    assert_eq!(checked.frames, 100);
}
