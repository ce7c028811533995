//! Sources of all kinds, split without loss.

use std::path::{Path, PathBuf};

use common::recipe::{Container, Recipe};

use super::alike::Content;
use super::chunks::{At, chunks};
use super::{Encode, lossless};
use crate::studio::Studio;

/// A clip of 6 s: a picture that changes all the time, sound with clicks, and what a test adds.
fn clip(studio: &Studio, name: &str, rate: &str, codecs: &str) -> PathBuf {
    studio.make(
        name,
        &format!(
            "-f lavfi -i testsrc2=size=160x90:rate={rate}:d=6 \
             -f lavfi -i aevalsrc='0.2*sin(2*PI*440*t)+if(lt(mod(t,1),0.01),0.5,0)':d=6:s=48000 \
             -pix_fmt yuv420p {codecs}"
        ),
    )
}

const NTSC: &str = "24000/1001";
const FILM: &str = "30000/1001";

/// Name, frame rate, options of the clip, encoder, sound, container, number of chunks, where they begin.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Container,
    usize,
    At,
);

const CASES: &[Case] = &[
    (
        "closed.mp4",
        NTSC,
        "-c:v libx264 -preset veryfast -g 24 -bf 2 -c:a aac",
        "libx264",
        "copy",
        Container::Mp4,
        7,
        At::Keys,
    ),
    (
        "open.mkv",
        NTSC,
        "-c:v libx264 -preset veryfast -g 12 -bf 3 -x264-params open-gop=1 -c:a ac3",
        "ffv1",
        "aac",
        Container::Mkv,
        7,
        At::Keys,
    ),
    (
        "middle.mkv",
        "25",
        "-c:v libx264 -preset veryfast -g 24 -bf 3 -x264-params open-gop=1 -c:a ac3",
        "libx264",
        "libopus",
        Container::Mkv,
        7,
        At::Frames,
    ),
    (
        "many.mp4",
        "60000/1001",
        "-c:v libx264 -preset veryfast -g 5 -bf 2 -c:a aac",
        "libx264",
        "aac",
        Container::Mov,
        40,
        At::Keys,
    ),
    (
        "open.ts",
        NTSC,
        "-c:v libx265 -preset ultrafast -x265-params keyint=24:bframes=3:open-gop=1:log-level=error -c:a ac3",
        "libx264",
        "copy",
        Container::Mkv,
        7,
        At::Keys,
    ),
    (
        "closed.mov",
        FILM,
        "-c:v libx265 -preset ultrafast -x265-params keyint=24:open-gop=0:log-level=error -tag:v hvc1 -c:a pcm_s16le",
        "ffv1",
        "libopus",
        Container::Mkv,
        2,
        At::Frames,
    ),
    (
        "vp9.webm",
        NTSC,
        "-c:v libvpx-vp9 -cpu-used 8 -deadline realtime -g 24 -b:v 500k -c:a libopus",
        "libx264",
        "copy",
        Container::Mp4,
        7,
        At::Keys,
    ),
    (
        "av1.mkv",
        "25",
        "-c:v libsvtav1 -preset 12 -g 25 -c:a flac",
        "libvpx-vp9",
        "libopus",
        Container::Webm,
        2,
        At::Keys,
    ),
    (
        "mpeg2.ts",
        "25",
        "-c:v mpeg2video -b:v 2M -g 12 -bf 2 -c:a mp2",
        "libx264",
        "aac",
        Container::Mp4,
        7,
        At::Keys,
    ),
    (
        "prores.mov",
        "25",
        "-c:v prores_ks -pix_fmt yuv422p10le -c:a pcm_s24le",
        "libx264",
        "aac",
        Container::Mp4,
        7,
        At::Frames,
    ),
    (
        "xvid.avi",
        "25",
        "-c:v mpeg4 -g 25 -c:a libmp3lame",
        "libx264",
        "copy",
        Container::Mp4,
        2,
        At::Keys,
    ),
];

/// Encodes a clip in whole and in chunks, and compares.
async fn compare(studio: &Studio, case: Case) {
    let (name, rate, options, encoder, audio, container, count, at) = case;
    let clip = clip(studio, name, rate, options);
    let recipe = lossless(encoder, audio, container);
    is_joined_to_the_same(studio, &clip, recipe, (count, at)).await;
}

/// Encodes a clip in whole and in so many chunks, and compares all that can be seen of the two.
pub(super) async fn is_joined_to_the_same(
    studio: &Studio,
    clip: &Path,
    recipe: Recipe,
    (count, at): (usize, At),
) {
    let encode = Encode::of(studio, clip, recipe).await;
    let what = encode.name();
    let (chunks, unit) = chunks(studio, clip, count, at);
    assert!(chunks.len() > count / 2, "{what}: {chunks:?}");
    let made = encode.make(&chunks, unit).await;
    let first = &made.headers[0].digest;
    assert!(
        made.headers.iter().all(|header| header.digest == *first),
        "{what}"
    );
    let is_odd = made.told.contains("monoton") || made.told.contains("nvalid");
    assert!(!is_odd, "{what}: {}", made.told);
    let whole = Content::of(studio, &made.whole);
    let joined = Content::of(studio, &made.joined);
    whole.same_pictures(&joined, &what);
    whole.same_around(&joined, &what);
}

/// Runs a case, and notes what went wrong.
pub(super) fn note(wrong: &mut Vec<String>, studio: &Studio, case: impl Future<Output = ()>) {
    let run = std::panic::AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(case);
    });
    if let Err(panic) = std::panic::catch_unwind(run) {
        let told = panic.downcast_ref::<String>().cloned();
        let told = told.unwrap_or_default();
        wrong.push(format!("recent {}: {told}", studio.is_recent()));
    }
}

#[test]
fn a_joined_film_is_the_unsplit_one() {
    let mut wrong = Vec::new();
    for studio in Studio::each() {
        for case in CASES {
            note(&mut wrong, &studio, compare(&studio, *case));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
