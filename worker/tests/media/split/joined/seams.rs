//! Where chunks meet, the picture looks as good as in an unsplit encode.

use std::path::Path;

use common::recipe::{Container, Rate};
use serde_json::Value;

use super::Encode;
use super::chunks::{At, chunks};
use crate::studio;
use crate::studio::Studio;

/// The frames on each side of a seam that are looked at.
const AROUND: usize = 12;
/// How much worse they may be, in points of VMAF.
const WORSE: f64 = 0.5;

/// The VMAF of each frame.
fn scores(studio: &Studio, made: &Path, source: &Path) -> Vec<f64> {
    let log = studio.path("vmaf.json");
    let mut ffmpeg = studio.ffmpeg();
    ffmpeg.arg("-i").arg(made).arg("-i").arg(source);
    let graph = format!(
        "[0:v]setpts=N/TB/24[made];[1:v]setpts=N/TB/24[source];\
         [made][source]libvmaf=n_threads=2:log_fmt=json:log_path={}",
        log.display()
    );
    let measured = ffmpeg.args(["-lavfi", &graph, "-f", "null", "-"]).status();
    assert!(measured.expect("ffmpeg runs").success());
    let told = std::fs::read(&log).expect("a log");
    let told: Value = serde_json::from_slice(&told).expect("JSON");
    let frames = told["frames"].as_array().expect("frames").iter();
    let score = |frame: &Value| frame["metrics"]["vmaf"].as_f64().expect("a number");
    frames.map(score).collect()
}

#[tokio::test]
async fn pictures_around_seams_look_as_good_as_in_an_unsplit_encode() {
    let [_, studio] = Studio::each();
    let film = studio.make(
        "noisy.mkv",
        "-f lavfi -i testsrc2=s=320x180:r=24:d=12,noise=alls=12:allf=t \
         -pix_fmt yuv420p -c:v libx264 -preset veryfast -qp 4 -g 24 -bf 2",
    );
    for (encoder, quality) in [("libx264", 27.0), ("libx265", 29.0)] {
        let recipe = studio::with(studio::recipe(encoder), |video| {
            video.rate = Rate::Crf(quality);
        });
        let recipe = recipe.edit(|draft| draft.container = Container::Mkv);
        let encode = Encode::of(&studio, &film, recipe.expect("sound")).await;
        let (chunks, unit) = chunks(&studio, &film, 3, At::Keys);
        let made = encode.make(&chunks, unit).await;
        let whole = scores(&studio, &made.whole, &film);
        let joined = scores(&studio, &made.joined, &film);
        assert_eq!(whole.len(), joined.len());
        let mut around = Vec::new();
        let mut seam = 0;
        for chunk in &chunks[..chunks.len() - 1] {
            seam += usize::try_from(chunk.frames).expect("few");
            around.extend(seam - AROUND..seam + AROUND);
        }
        let mean = |scores: &[f64]| {
            around.iter().map(|frame| scores[*frame]).sum::<f64>() / around.len() as f64
        };
        let (whole, joined) = (mean(&whole), mean(&joined));
        assert!(
            joined > whole - WORSE,
            "{encoder}: {joined:.2} where the whole has {whole:.2}"
        );
    }
}
