//! What conditions know about files, and encodes that are stopped because their output would be too large.

use std::path::Path;
use std::time::{Duration, Instant};

use common::names::location::Location;
use common::recipe::Rate;
use common::rules::condition::Condition;
use common::rules::facts::Facts;
use common::store::Stores;
use common::store::roots::Roots;
use jiff::Timestamp;
use worker::attempt::rules::OutputLimit;
use worker::attempt::steps::Notice;

use crate::studio;
use crate::studio::Studio;

async fn facts(studio: &Studio, path: &Path) -> Facts {
    let folder = path.parent().expect("a folder");
    let roots = Roots::new([folder]).expect("a folder");
    let stores = Stores::new().within(roots, Vec::new());
    let location = Location::file(path).expect("absolute");
    let file = stores.stored_file(&location).await.expect("there");
    let media = studio.probe(path).await.expect("media");
    media.facts(file)
}

fn assert_holds(facts: &Facts, conditions: &[(&str, bool)]) {
    for (text, expected) in conditions {
        let condition: Condition = text.parse().expect(text);
        let holds = condition.holds(facts, Timestamp::now());
        assert_eq!(holds, *expected, "{text}: {facts:?}");
    }
}

#[tokio::test]
async fn conditions_see_what_ffprobe_sees() {
    let studio = Studio::new();
    let film = studio.make(
        "Film (2001).mkv",
        "-f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine -f lavfi -i sine \
         -t 1 -map 0 -map 1 -map 2 -pix_fmt yuv420p10le -c:v libx265 -preset ultrafast -x265-params log-level=error \
         -vf setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc \
         -c:a:0 aac -c:a:1 ac3 -ac:a:0 2 -ac:a:1 1 -metadata:s:a:0 language=jpn -metadata:s:a:1 language=eng",
    );
    std::fs::hard_link(&film, film.with_file_name("second.mkv")).expect("one disk");
    let before = std::time::SystemTime::now() - Duration::from_secs(40 * 86_400);
    let open = std::fs::File::options().write(true).open(&film);
    open.expect("ours").set_modified(before).expect("ours");
    let of_film = facts(&studio, &film).await;
    assert_holds(
        &of_film,
        &[
            ("video.codec in [hevc, av1] and height <= 1080", true),
            ("codec = h264", false),
            ("width = 320 and height = 180 and fps = 25", true),
            ("depth = 10 and hdr and video.hdr = pq", true),
            ("video.hdr = hdr10", false),
            ("interlaced", false),
            ("container = mkv", true),
            ("duration >= 0.9 s and duration < 2 s", true),
            (
                "audio.tracks = 2 and audio.codec = ac3 and audio.codec = aac",
                true,
            ),
            ("audio.language = ja and audio.language = en", true),
            ("audio.channels = 1 and audio.channels = 2", true),
            ("subtitle.tracks > 0", false),
            ("name like 'film (*' and path like '/**'", true),
            ("age > 39 days and age < 41 days", true),
            ("hard_links = 2", true),
            ("size > 1 GB", false),
        ],
    );
    let bytes = std::fs::metadata(&film).expect("there").len();
    assert_eq!(of_film.size, bytes);
    // The sound states its bitrate nowhere in this container, so the film gets the whole, or the rest.
    let (whole, video) = (
        of_film.bitrate,
        of_film.video.as_ref().and_then(|video| video.bitrate),
    );
    assert!(video <= whole && video > Some(0), "{of_film:?}");

    let tape = studio.make(
        "tape.mp4",
        "-f lavfi -i testsrc2=size=160x96:rate=25 -t 1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -flags +ilme+ildct -x264opts tff=1",
    );
    let of_tape = facts(&studio, &tape).await;
    assert_holds(
        &of_tape,
        &[
            ("interlaced and not hdr and depth = 8", true),
            ("container = mov and codec = avc", true),
            ("video.bitrate > 1 kb/s and video.bitrate <= 100 Mb/s", true),
            ("hard_links = 1", true),
        ],
    );

    let song = studio.make("song.flac", "-f lavfi -i sine -t 1 -c:a flac");
    let of_song = facts(&studio, &song).await;
    assert_holds(
        &of_song,
        &[
            ("height <= 1080", false),
            ("not height <= 1080", true),
            ("audio.codec = flac and container = flac", true),
            ("audio.language = und", true),
        ],
    );
}

/// Ninety seconds that take little space at first.
fn clip(studio: &Studio) -> std::path::PathBuf {
    studio.make(
        "in.mp4",
        "-f lavfi -i testsrc2=size=160x90:rate=25,noise=alls=12:allf=t:all_seed=1 -t 90 \
         -c:v libx264 -preset ultrafast -crf 40 -pix_fmt yuv420p",
    )
}

/// The frames after which an encode was stopped, with its estimate; `None` if it was not.
async fn stopped(studio: &Studio, source: &Path, quality: f64, saving: &str) -> (u64, Option<u64>) {
    let recipe = studio::with(studio::recipe("libx264"), |video| {
        // It is slow enough to be stopped before its end.
        video.preset = Some("veryslow".parse().expect("a preset"));
        video.rate = Rate::Crf(quality);
    });
    let bytes = std::fs::metadata(source).expect("there").len();
    let limit = OutputLimit::new(saving.parse().expect("a saving"), bytes);
    let mut frames = 0;
    let notify = |notice: Notice<'_>| {
        if let Notice::Progress(now, _) = notice {
            frames = now.frame;
        }
    };
    let would_be = studio.encode_within(source, &recipe, limit, notify).await;
    (frames, would_be)
}

#[tokio::test]
async fn an_encode_whose_output_will_be_too_large_is_stopped() {
    let studio = Studio::new();
    let source = clip(&studio);
    let bytes = std::fs::metadata(&source).expect("there").len();
    let started = Instant::now();
    let (frames, would_be) = stopped(&studio, &source, 1.0, "0%").await;
    let would_be = would_be.expect("it is far larger");
    assert!(would_be > bytes, "{would_be} of {bytes}");
    assert!(frames < 2250, "{frames} of 2250 frames were encoded");
    assert!(started.elapsed() < Duration::from_secs(120));

    // An output that is small enough is made whole.
    let (frames, would_be) = stopped(&studio, &source, 51.0, "0%").await;
    assert_eq!((frames, would_be), (2250, None));
}
