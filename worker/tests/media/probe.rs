//! What a probe finds.

use crate::studio::Studio;
use worker::ffmpeg::probe::media::StreamKind;

#[tokio::test]
async fn the_probe_finds_every_stream() {
    let studio = Studio::new();
    let media = studio.probe(&studio.rotated()).await.expect("media");
    let film = media.films().next().expect("a film");
    assert_eq!(
        (film.codec.as_str(), film.depth(), film.shown()),
        ("h264", 8, (90, 160))
    );
    let media = studio.probe(&studio.tracks()).await.expect("media");
    let sounds = media
        .streams
        .iter()
        .filter(|stream| stream.kind == StreamKind::Audio);
    assert_eq!(
        sounds.map(|sound| sound.channels).collect::<Vec<_>>(),
        [2, 6]
    );
}

#[tokio::test]
async fn both_builds_of_ffmpeg_tell_the_same_of_hdr10() {
    for studio in Studio::each() {
        let source = studio.clip(
            "hdr10.mkv",
            "-frames:v 5 -vf setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc -pix_fmt yuv420p10le \
             -c:v libx265 -preset ultrafast -x265-params log-level=error:hdr10=1:repeat-headers=1:max-cll=1000,400:\
             master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)",
        );
        let media = studio.probe(&source).await.expect("media");
        let film = media.films().next().expect("a film");
        assert!(film.colour.is_pq(), "{film:?}");
        let mastering = film.hdr10.mastering.expect("it is in the first frame");
        assert_eq!(mastering.luminance, Some((1, 10_000_000)));
        assert_eq!(film.hdr10.light.map(|light| light.max), Some(1000));
    }
}
