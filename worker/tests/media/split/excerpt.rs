//! From an excerpt of a film, a part reads what it reads from the film.

use std::ops::Range;
use std::path::{Path, PathBuf};

use worker::ffmpeg::arguments::search_at;
use worker::ffmpeg::probe::media::Media;
use worker::ffmpeg::split::cut::cut;
use worker::ffmpeg::split::index::DECODED;
use worker::ffmpeg::split::lookback;
use worker::ffmpeg::split::places::{First, are_known, of_chunk, of_opening, of_rest};
use worker::ffmpeg::split::sizes::equal;

use super::index::{films, outline};
use super::{FILM, X264, decoded, indexed, unit};
use crate::studio::Studio;

/// A file with the tables of a film, and these stretches of it.
fn excerpt(film: &Path, outline: &Path, stretches: &[Range<u64>]) -> PathBuf {
    let whole = std::fs::read(film).expect("a film");
    let mut bytes = std::fs::read(outline).expect("an outline");
    for stretch in stretches {
        let stretch = stretch.start as usize..stretch.end as usize;
        bytes[stretch.clone()].copy_from_slice(&whole[stretch]);
    }
    let path = film.with_extension("excerpt");
    std::fs::write(&path, bytes).expect("room");
    path
}

/// What a file holds by its tables and its first packets, and whether each of its streams has one of these.
async fn seen(studio: &Studio, file: &Path, outline: &Path) -> (Media, bool) {
    let first = First::Pictures(DECODED);
    let opening = of_opening(&studio.runner(outline), outline, first).await;
    let opening = opening.expect("read").expect("an opening");
    let excerpt = excerpt(file, outline, &opening.stretches);
    let media = studio.probe(&excerpt).await.expect("media");
    let mut indices = media.streams.iter().map(|stream| stream.index);
    let has_all = indices.all(|index| opening.streams.contains(&index));
    (media, has_all)
}

fn bytes(stretches: &[Range<u64>]) -> u64 {
    stretches.iter().map(|range| range.end - range.start).sum()
}

#[tokio::test]
async fn a_chunk_of_an_excerpt_has_the_frames_of_the_film() {
    for studio in Studio::each() {
        for file in films(&studio) {
            let name = file.display();
            let Some(outline) = outline(&file) else {
                continue;
            };
            let media = studio.probe(&file).await.expect("media");
            assert!(are_known(&media), "{name}");
            assert_eq!(
                seen(&studio, &file, &outline).await,
                (media.clone(), true),
                "{name}"
            );
            let (film, index) = indexed(&studio, &file).await;
            let index = index.unwrap_or_else(|obstacle| panic!("{name}: {obstacle}"));
            let lead = lookback::lead(&film, "").expect("no filter");
            let chunks = cut(&index, &equal(index.seconds(), 2.0), lead);
            assert!(chunks.len() > 2, "{name}: {chunks:?}");
            let runner = studio.runner(&outline);
            let opening = of_opening(&runner, &outline, First::Opened)
                .await
                .expect("read");
            let opening = opening.expect("an opening").stretches;
            let unit = unit(&index);
            for chunk in &chunks {
                let from = search_at(&media, chunk, index.time_base);
                let stretch = (from, index.to_seconds(chunk.end));
                let found = of_chunk(&runner, &outline, film.index, chunk, stretch).await;
                let found = found.expect("read");
                let found = found.unwrap_or_else(|| panic!("{name}: not all of {chunk:?}"));
                let size = file.metadata().expect("a film").len();
                assert!(bytes(&found) < size * 3 / 4, "{name}: {found:?} of {size}");
                let excerpt = excerpt(&file, &outline, &[opening.clone(), found].concat());
                let seek = from.map(|from| {
                    let from = format!("{from:.6}");
                    ["-seek_timestamp", "1", "-noaccurate_seek", "-ss", &from].map(str::to_owned)
                });
                let seek = seek.map_or(Vec::new(), Vec::from);
                let (start, end) = (chunk.start, chunk.end);
                let trim = format!("settb={unit},trim=start_pts={start}:end_pts={end}");
                let frames = |file| decoded(&studio, file, &seek, &trim, &unit);
                let frames = (frames(&excerpt), frames(&file));
                assert_eq!(frames.0, frames.1, "{name}: {chunk:?}");
                assert_eq!(frames.0.len() as u64, chunk.frames, "{name}: {chunk:?}");
            }
        }
    }
}

/// Films with several tracks of sound, and subtitles.
fn with_sound(studio: &Studio) -> Vec<PathBuf> {
    let subtitles = studio.path("lines.srt");
    let text = "1\n00:00:01,000 --> 00:00:02,500\nHello\n\n2\n00:00:05,200 --> 00:00:07,000\nBye\n";
    std::fs::write(&subtitles, text).expect("room");
    let sounds = "-itsoffset 3.1 -f lavfi -i sine=f=440:d=4 -f lavfi -i sine=f=880:d=8";
    let line = format!("{sounds} -i {} {FILM}", subtitles.display());
    let line = format!("{line} -map 3 -map 0 -map 1 -map 2 -c:s mov_text {X264}");
    let make = |name: &str, codecs: &str| studio.make(name, &format!("{line} {codecs}"));
    let first = make("aac.mp4", "-c:a aac");
    let copy = |name: &str, how: &str| {
        studio.make(
            name,
            &format!("{how} -i {} -map 0 -c copy", first.display()),
        )
    };
    vec![
        make("dolby.mp4", "-c:a:0 ac3 -c:a:1 eac3 -movflags +faststart"),
        make("mp3.mp4", "-c:a:0 libmp3lame -c:a:1 mp2"),
        make("opus.mp4", "-c:a:0 libopus -c:a:1 flac -strict -2"),
        make(
            "pcm.mov",
            "-c:a:0 pcm_s16le -c:a:1 alac -timecode 10:00:00:00",
        ),
        copy("hidden.mov", "-ss 1.3"),
        copy("late.mp4", "-itsoffset 3.7"),
        first,
    ]
}

/// The packets of all tracks with their times, sorted. Some parsers round the length of the last packet up.
fn packets(studio: &Studio, file: &Path, options: &[&str]) -> Vec<String> {
    let what = [
        "-show_entries",
        "packet=codec_type,stream_index,pts,dts,size,flags",
    ];
    let mut ffprobe = studio.ffprobe();
    let answer = ffprobe.args(what).args(options).arg(file).output();
    let answer = String::from_utf8(answer.expect("ffprobe runs").stdout).expect("text");
    let mut packets: Vec<String> = answer.lines().map(str::to_owned).collect();
    // A parser gives some packets later than others.
    packets.sort_unstable();
    packets
}

/// All tracks but the film, as a copy and as a decode of the sound has them.
fn rest(studio: &Studio, file: &Path) -> [String; 2] {
    let copied = "-map 0 -map -0:v -map -0:d? -c copy -f framemd5 -";
    let decoded = "-map 0:a -f framemd5 -";
    [copied, decoded].map(|what| {
        let mut ffmpeg = studio.ffmpeg();
        ffmpeg.args(["-v", "error", "-i"]).arg(file);
        let answer = ffmpeg.args(what.split(' ')).output().expect("ffmpeg runs");
        let told = String::from_utf8_lossy(&answer.stderr);
        assert!(answer.status.success(), "{}: {told}", file.display());
        String::from_utf8(answer.stdout).expect("text")
    })
}

#[tokio::test]
async fn the_rest_of_an_excerpt_is_that_of_the_film() {
    for studio in Studio::each() {
        for file in with_sound(&studio) {
            let name = file.display();
            let media = studio.probe(&file).await.expect("media");
            assert!(are_known(&media), "{name}");
            let outline = outline(&file).unwrap_or_else(|| panic!("{name} has an outline"));
            let (seen, has_all) = seen(&studio, &file, &outline).await;
            assert!(
                !has_all || seen == media,
                "{name}: {seen:#?} is not {media:#?}"
            );
            // The places and times of packets need no bytes of them.
            let of_outline = packets(&studio, &outline, &["-fflags", "+noparse"]);
            assert_eq!(of_outline, packets(&studio, &file, &[]), "{name}");
            let runner = studio.runner(&outline);
            let opening = of_opening(&runner, &outline, First::Opened)
                .await
                .expect("read");
            let opening = opening.expect("an opening").stretches;
            let found = of_rest(&runner, &outline, &media).await.expect("read");
            let excerpt = excerpt(&file, &outline, &[opening, found].concat());
            assert_eq!(rest(&studio, &excerpt), rest(&studio, &file), "{name}");
        }
    }
}
