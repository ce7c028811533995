//! A ladder plays from its first to its last frame, with its sound in time.

use std::collections::BTreeSet;
use std::path::Path;

use common::job::ladder::LadderStreamKind;

use super::{Ladder, ladder, recipe};
use crate::studio::Studio;

/// The number of frames that are decoded of a rendition.
fn frames(studio: &Studio, playlist: &Path, rendition: usize) -> usize {
    let told = studio
        .ffmpeg()
        .arg("-i")
        .arg(playlist)
        .args(["-map", &format!("0:v:{rendition}")])
        .args(["-fps_mode", "passthrough", "-f", "framecrc", "-"])
        .output()
        .expect("ffmpeg runs");
    let told = String::from_utf8(told.stdout).expect("text");
    told.lines().filter(|line| !line.starts_with('#')).count()
}

/// How often a playlist has each kind of stream.
fn kinds(studio: &Studio, playlist: &Path) -> [usize; 2] {
    let told = studio
        .ffprobe()
        .args(["-show_entries", "stream=index,codec_type"])
        .arg(playlist)
        .output()
        .expect("ffprobe runs");
    let told = String::from_utf8(told.stdout).expect("text");
    // Streams are told once more for each program.
    let streams: BTreeSet<&str> = told.lines().filter(|line| !line.is_empty()).collect();
    ["video", "audio"].map(|kind| streams.iter().filter(|line| line.contains(kind)).count())
}

/// Seconds from the beginning of the first picture to the first sound that can be heard.
fn onset(studio: &Studio, playlist: &Path) -> f64 {
    let pcm = studio
        .ffmpeg()
        .args(["-copyts", "-i"])
        .arg(playlist)
        .args(["-map", "0:a:0", "-af", "aresample=async=1:first_pts=0"])
        .args(["-ac", "1", "-ar", "48000", "-f", "s16le", "-"])
        .output()
        .expect("ffmpeg runs");
    let samples = pcm.stdout.chunks_exact(2);
    let mut samples = samples.map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    let first = samples.position(|sample| sample.unsigned_abs() > 1000);
    first.expect("a tone") as f64 / 48000.0
}

/// When each frame is shown, in seconds.
fn times(studio: &Studio, playlist: &Path) -> Vec<f64> {
    let told = studio
        .ffprobe()
        .args(["-show_entries", "packet=pts_time"])
        .arg(playlist)
        .output()
        .expect("ffprobe runs");
    let told = String::from_utf8(told.stdout).expect("text");
    let seconds = told
        .lines()
        .filter_map(|line| line.split(',').next()?.parse().ok());
    let mut times: Vec<f64> = seconds.collect();
    times.sort_by(f64::total_cmp);
    times
}

fn is_close(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.004
}

fn text(ladder: &Ladder, name: &str) -> String {
    std::fs::read_to_string(ladder.path(name)).expect("it is there")
}

#[tokio::test]
async fn a_ladder_plays_to_its_last_frame_as_hls_and_as_dash() {
    for studio in Studio::each() {
        // Silence for a second and a half, then a tone, in two languages; 73 frames, of which B-frames are reordered.
        let film = studio.make(
            "film.mkv",
            "-f lavfi -i testsrc2=size=160x90:rate=30000/1001 \
             -f lavfi -i aevalsrc='if(gte(t,1.5),sin(2764*t),0)':s=48000 \
             -map 0 -map 1 -map 1 -frames:v 73 -t 2.44 -c:v ffv1 -c:a flac \
             -metadata:s:a:0 language=ger -metadata:s:a:1 language=eng -metadata:s:a:1 title=Comments \
             -disposition:a:0 default -disposition:a:1 0",
        );
        let mut recipe = recipe("libx264");
        recipe = crate::studio::with(recipe, |video| {
            video.preset = Some("veryfast".parse().expect("a preset"));
        });
        let made = ladder(&studio, &film, &recipe, &["-2x90", "-2x54", "-2x36"]).await;
        // The sound is made once.
        let sounds = made.streams.iter().filter(|stream| stream.is_sound());
        let codecs: Vec<&str> = sounds.map(|stream| stream.codecs.as_str()).collect();
        assert_eq!(codecs.len(), 2);
        assert_eq!(made.streams.len(), 5);
        assert!(made.verified[0].companions.len() == 1 && made.verified[2].companions.len() == 5);

        for name in ["film.m3u8", "film.mpd"] {
            let playlist = made.path(name);
            assert_eq!(kinds(&studio, &playlist), [3, 2], "{name}");
            for rendition in 0..3 {
                assert_eq!(frames(&studio, &playlist, rendition), 73, "{name}");
            }
            let heard = onset(&studio, &made.path(name));
            assert!(is_close(heard, 1.5), "{name}: {heard}");
        }
        // Every rendition shows its first frame at 0 and its last one a frame before the end.
        for stream in &made.streams {
            let LadderStreamKind::Video { frame_rate, .. } = &stream.kind else {
                continue;
            };
            let rate = frame_rate.expect("a rate");
            assert_eq!((rate.numerator, rate.denominator), (30000, 1001));
            let file = stream.playlist.path().expect("a file");
            let times = times(&studio, &file);
            assert!(is_close(times[0], 0.0), "{}", times[0]);
            assert!(is_close(times[72], 72.0 * 1.001 / 30.0), "{}", times[72]);
        }
        let master = text(&made, "film.m3u8");
        let media: Vec<&str> = master
            .lines()
            .filter(|line| line.contains("MEDIA:"))
            .collect();
        let german = "NAME=\"de\",LANGUAGE=\"de\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"1\",URI=\"film--2x36.audio-1.m3u8\"";
        assert!(media[0].ends_with(german), "{}", media[0]);
        assert!(media[1].contains("NAME=\"Comments\",LANGUAGE=\"en\",DEFAULT=NO"));
        assert_eq!(master.matches("VIDEO-RANGE=SDR,AUDIO=\"audio\"").count(), 3);
        assert_eq!(master.matches("FRAME-RATE=29.970").count(), 3);
        let list = text(&made, "film--2x36.video.m3u8");
        assert!(list.contains("#EXT-X-TARGETDURATION:1\n"), "{list}");
        assert_eq!(list.matches("#EXT-X-BYTERANGE").count(), 3);
    }
}

#[tokio::test]
async fn sound_that_begins_late_stays_late() {
    for studio in Studio::each() {
        // Copied AAC that begins half a second after the picture, with a tone from its beginning.
        let sound = studio.make("sound.m4a", "-f lavfi -i sine=440 -t 1.5 -c:a aac");
        let film = studio.path("film.mkv");
        let mixed = studio
            .ffmpeg()
            .args([
                "-f",
                "lavfi",
                "-i",
                "testsrc2=size=64x36:rate=25:duration=2",
            ])
            .args(["-itsoffset", "0.5", "-i"])
            .arg(&sound)
            .args(["-map", "0", "-map", "1", "-c:v", "ffv1", "-c:a", "copy"])
            .arg(&film)
            .status();
        assert!(mixed.expect("ffmpeg runs").success());
        let made = ladder(&studio, &film, &recipe("libx264"), &["64x36"]).await;
        for name in ["film.m3u8", "film.mpd"] {
            let heard = onset(&studio, &made.path(name));
            assert!((heard - 0.5).abs() < 0.03, "{name}: {heard}");
        }
    }
}
