use std::path::Path;

use common::job::failure::Fault;
use common::recipe::Rate;

use crate::rate::recipe;
use crate::studio::Studio;

/// A digest of each decoded frame of the first film.
fn frames(studio: &Studio, file: &Path) -> Vec<String> {
    let decoded = studio
        .ffmpeg()
        .arg("-i")
        .arg(file)
        .args(["-map", "0:v:0", "-f", "framemd5", "-"])
        .output()
        .expect("ffmpeg runs");
    let text = String::from_utf8(decoded.stdout).expect("text");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit(',').next())
        .map(|digest| digest.trim().to_owned())
        .collect()
}

#[tokio::test]
async fn an_encode_without_loss_decodes_to_the_same_frames() {
    for studio in Studio::each() {
        for depth in ["yuv420p", "yuv420p10le"] {
            let arguments = format!("-frames:v 8 -pix_fmt {depth} -c:v ffv1");
            let source = studio.clip(&format!("{depth}.mkv"), &arguments);
            let before = frames(&studio, &source);
            assert_eq!(before.len(), 8);
            for encoder in [
                "libx264",
                "libx265",
                "libvpx-vp9",
                "libaom-av1",
                "libsvtav1",
                "ffv1",
            ] {
                let recipe = recipe(encoder, |video| video.rate = Rate::Lossless);
                let made = studio.encode(&source, &recipe).await;
                let what = format!("{encoder} {depth}");
                let is_deep = depth != "yuv420p";
                let fault = match encoder {
                    // Another worker may have a newer ffmpeg.
                    "libsvtav1" if !studio.is_recent() => Some(Fault::Worker),
                    "libsvtav1" | "libaom-av1" if is_deep => Some(Fault::Input),
                    _ => None,
                };
                if let Some(fault) = fault {
                    let failure = made.expect_err(&what);
                    assert_eq!(failure.fault, fault, "{failure}");
                    continue;
                }
                made.unwrap_or_else(|why| panic!("{what}: {why:?}"));
                assert_eq!(frames(&studio, &studio.output()), before, "{what}");
                assert_eq!(studio.describe("pix_fmt"), depth, "{what}");
            }
        }
    }
}
