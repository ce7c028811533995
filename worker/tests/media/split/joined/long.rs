//! A film of an hour: sound and picture stay together up to its end.

use std::path::Path;

use common::recipe::Container;

use super::alike::Content;
use super::chunks::{At, chunks};
use super::{Encode, lossless};
use crate::studio::Studio;

/// The digest of all samples of the sound, decoded without a gap.
fn samples(studio: &Studio, file: &Path) -> String {
    let mut ffmpeg = studio.ffmpeg();
    ffmpeg.arg("-i").arg(file);
    let made = ffmpeg.args(["-map", "0:a", "-c:a", "pcm_s16le", "-f", "md5", "-"]);
    let made = made.output().expect("ffmpeg runs");
    String::from_utf8(made.stdout).expect("text")
}

/// When a track begins and ends, in seconds.
fn ends(studio: &Studio, file: &Path, track: &str) -> (f64, f64) {
    let mut ffprobe = studio.ffprobe();
    let entries = "packet=pts_time,duration_time";
    ffprobe.args(["-select_streams", track, "-show_entries", entries]);
    let told = ffprobe.arg(file).output().expect("ffprobe runs").stdout;
    let told = String::from_utf8(told).expect("text");
    let (mut begins, mut ends) = (f64::MAX, f64::MIN);
    for line in told.lines() {
        let mut fields = line.split(',').map(str::parse::<f64>);
        if let (Some(Ok(time)), Some(Ok(length))) = (fields.next(), fields.next()) {
            (begins, ends) = (begins.min(time), ends.max(time + length));
        }
    }
    (begins, ends)
}

#[tokio::test]
async fn sound_does_not_drift_within_an_hour() {
    let studio = Studio::new();
    let film = studio.make(
        "hour.mov",
        "-f lavfi -i testsrc2=s=32x32:r=5000/1001:d=3600 \
         -f lavfi -i aevalsrc='0.2*sin(2*PI*440*t)+if(lt(mod(t,60),0.01),0.5,0)':d=3600:s=8000 \
         -pix_fmt yuv420p -c:v libx264 -preset ultrafast -g 50 -bf 2 -c:a pcm_s16le",
    );
    let recipe = lossless("libx264", "flac", Container::Mp4);
    let encode = Encode::of(&studio, &film, recipe).await;
    let (chunks, unit) = chunks(&studio, &film, 40, At::Keys);
    let made = encode.make(&chunks, unit).await;
    let whole = Content::of(&studio, &made.whole);
    let joined = Content::of(&studio, &made.joined);
    whole.same_pictures(&joined, "an hour");
    whole.same_around(&joined, "an hour");
    assert_eq!(samples(&studio, &made.joined), samples(&studio, &film));
    let distance = |file: &Path| {
        let (picture, sound) = (ends(&studio, file, "v:0"), ends(&studio, file, "a:0"));
        [sound.0 - picture.0, sound.1 - picture.1]
    };
    let (source, output) = (distance(&film), distance(&made.joined));
    for (source, output) in source.iter().zip(output) {
        assert!((source - output).abs() < 0.001, "{source} and {output}");
    }
}
