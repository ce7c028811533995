//! Splitting films: their index, and chunks that hold the same pictures as the film.

mod exact;
mod excerpt;
mod index;
mod joined;

use std::path::Path;

use worker::ffmpeg::Source;
use worker::ffmpeg::probe::media::Stream;
use worker::ffmpeg::split::index::{Index, read};
use worker::ffmpeg::split::obstacle::Obstacle;

use crate::studio::Studio;

/// A picture in motion, 8 s of 23.976 fps.
const FILM: &str = "-f lavfi -i testsrc2=s=160x90:r=24000/1001:d=8 -pix_fmt yuv420p";

/// A fast encode by libx264 with a keyframe every second, and frames that are not in the order of decoding.
const X264: &str = "-c:v libx264 -preset veryfast -bf 3 -g 24";

/// The film of a file, and its index.
async fn indexed(studio: &Studio, file: &Path) -> (Stream, Result<Index, Obstacle>) {
    let media = studio.probe(file).await.expect("media");
    let film = media.films().next().expect("a film").clone();
    let source = Source::File(file.to_owned());
    let runner = studio.runner(file);
    let index = read(&runner, &source, (None, &source), &film, &media.format).await;
    (film, index.expect("ffprobe reads it"))
}

/// The frames of a decode, each as its time and a digest of its picture. `input` are options of the input.
fn decoded(
    studio: &Studio,
    file: &Path,
    input: &[String],
    filters: &str,
    unit: &str,
) -> Vec<(i64, String)> {
    let mut ffmpeg = studio.ffmpeg();
    ffmpeg.args(["-copyts"]).args(input).arg("-i").arg(file);
    if !filters.is_empty() {
        ffmpeg.args(["-vf", filters]);
    }
    let list = ffmpeg
        .args([
            "-map",
            "0:v:0",
            "-fps_mode",
            "passthrough",
            "-enc_time_base",
            unit,
        ])
        .args(["-f", "framemd5", "-"])
        .output()
        .expect("ffmpeg runs");
    let text = String::from_utf8(list.stdout).expect("text");
    let frames = text.lines().filter(|line| !line.starts_with('#'));
    let frame = |line: &str| {
        let mut fields = line.split(',').map(str::trim);
        let time = fields.nth(2)?.parse().ok()?;
        Some((time, fields.next_back()?.to_owned()))
    };
    frames.filter_map(frame).collect()
}

/// The unit of an index in the syntax of ffmpeg.
fn unit(index: &Index) -> String {
    let (numerator, denominator) = index.time_base;
    format!("{numerator}/{denominator}")
}
