//! The codecs of sound that containers hold and encoders make.

use std::path::Path;

use common::job::changes::{Fate, Kind};
use common::recipe::Container;

use crate::sound::keeping;
use crate::studio::Studio;

/// The digest of all samples of a file's only track of sound.
fn digest(studio: &Studio, file: &Path) -> String {
    let sound = studio
        .ffmpeg()
        .arg("-i")
        .arg(file)
        .args(["-map", "0:a", "-c:a", "pcm_s24le", "-f", "md5", "-"])
        .output()
        .expect("ffmpeg runs");
    String::from_utf8(sound.stdout).expect("text")
}

const CLIP: &str = "-f lavfi -i testsrc2=size=160x90:rate=25:d=0.6";

#[tokio::test]
async fn containers_hold_the_codecs_of_the_list() {
    for studio in Studio::each() {
        // A codec, the encoder that makes it, and the container into which it is copied.
        let codecs = [
            ("aac", "aac", "mkv mp4 mov"),
            ("mp2", "mp2", "mkv mp4 mov"),
            ("mp3", "libmp3lame", "mkv mp4 mov"),
            ("flac", "flac", "mkv mp4"),
            ("alac", "alac", "mkv mp4 mov"),
            ("opus", "libopus", "mkv mp4"),
            ("vorbis", "libvorbis", "mkv mp4"),
            ("ac3", "ac3", "mkv mp4 mov"),
            ("eac3", "eac3", "mkv mp4 mov"),
            ("dts", "dca", "mkv mp4 mov"),
            ("truehd", "truehd", "mkv mp4"),
            ("wavpack", "wavpack", "mkv"),
            ("tta", "tta", "mkv"),
            ("mlp", "mlp", "mkv"),
            ("wmav2", "wmav2", "mkv"),
            ("adpcm_ms", "adpcm_ms", "mkv"),
            ("pcm_s16be", "pcm_s16be", "mkv mov"),
            ("pcm_s24le", "pcm_s24le", "mkv mov"),
            ("pcm_f32le", "pcm_f32le", "mkv mov"),
            ("pcm_alaw", "pcm_alaw", "mkv mov"),
            ("pcm_f32be", "pcm_f32be", "mov"),
            ("pcm_s8", "pcm_s8", "mov"),
            ("pcm_u16le", "pcm_u16le", ""),
            ("pcm_s16le_planar", "pcm_s16le_planar", ""),
        ];
        for container in [Container::Mkv, Container::Mp4, Container::Mov] {
            let mut held = Vec::new();
            let mut line = format!("{CLIP} -f lavfi -i sine=d=0.6:r=48000 -map 0:v");
            for (codec, encoder, holders) in codecs {
                let is_held = holders
                    .split(' ')
                    .any(|holder| holder == container.extension());
                assert_eq!(
                    container.holds_audio(codec),
                    is_held,
                    "{codec} in {container}"
                );
                if is_held {
                    line.push_str(&format!(" -map 1:a -c:a:{} {encoder}", held.len()));
                    held.push(codec);
                }
            }
            line.push_str(" -c:v libx264 -preset ultrafast -pix_fmt yuv420p -ac 2 -strict -2");
            let from = if container == Container::Mov {
                "mov"
            } else {
                "mkv"
            };
            let source = studio.make(&format!("for-{container}.{from}"), &line);
            let made = studio.encode(&source, &keeping("copy", container)).await;
            made.unwrap_or_else(|failure| panic!("{container}: {failure}"));
            let made = studio.codecs();
            for (made, codec) in made.iter().skip(1).zip(&held) {
                let is_mpeg = container == Container::Mp4 && *codec == "mp2" && made == "mp3";
                assert!(made == codec || is_mpeg, "{codec} in {container} is {made}");
            }
            assert_eq!(made.len(), held.len() + 1, "{container}");
        }
    }
}

#[tokio::test]
async fn sound_that_a_container_cannot_hold_is_encoded_without_further_loss() {
    for studio in Studio::each() {
        let make = |file: &str, arguments: &str| {
            studio.make(
                file,
                &format!("{CLIP} -f lavfi -i anoisesrc=d=0.6:r=48000:seed=7 -c:v mpeg2video -ac 2 {arguments}"),
            )
        };
        // Each codec with two of the containers, each container with codecs of all kinds.
        let (mkv, mp4) = ((Container::Mkv, "flac"), (Container::Mp4, "flac"));
        let mov = (Container::Mov, "aac");
        let latm = [(Container::Mkv, "aac"), (Container::Mp4, "aac")];
        for (source, containers) in [
            (make("s302m.ts", "-c:a s302m -strict -2"), [mkv, mov]),
            (
                make("bluray.m2ts", "-c:a pcm_bluray -mpegts_m2ts_mode 1"),
                [mp4, mov],
            ),
            (make("dvd.vob", "-c:a pcm_dvd"), [mkv, mp4]),
            (make("latm.ts", "-c:a aac -mpegts_flags latm"), latm),
            (make("planar.nut", "-c:a pcm_s16le_planar"), [mkv, mov]),
        ] {
            let name = source.display();
            for (container, codec) in containers {
                let made = studio.encode(&source, &keeping("copy", container)).await;
                let made =
                    made.unwrap_or_else(|failure| panic!("{name} in {container}: {failure}"));
                let told = made
                    .changes
                    .iter()
                    .any(|change| change.kind == Kind::Track && change.fate == Fate::Converted);
                assert!(told, "{name}: {:?}", made.changes);
                assert_eq!(studio.codecs()[1], codec, "{name} in {container}");
                if codec == "flac" {
                    assert_eq!(
                        digest(&studio, &studio.output()),
                        digest(&studio, &source),
                        "{name}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_copy_with_a_fallback_encodes_only_what_the_container_does_not_hold() {
    for studio in Studio::each() {
        let source = studio.make(
            "two.mkv",
            &format!(
                "{CLIP} -f lavfi -i sine=d=0.6:r=48000 -map 0 -map 1 -map 1 -c:v libx264 -preset ultrafast \
                 -pix_fmt yuv420p -c:a:0 ac3 -c:a:1 wavpack"
            ),
        );
        let recipe = keeping("copy,else=aac:96k", Container::Mp4);
        studio.encode(&source, &recipe).await.expect("a fallback");
        assert_eq!(studio.codecs(), ["h264", "ac3", "aac"]);
        let failure = studio
            .encode(&source, &keeping("copy", Container::Mp4))
            .await;
        let failure = failure.expect_err("mkv holds it");
        assert!(failure.message.contains("copy,else=aac"), "{failure}");
    }
}

#[tokio::test]
async fn rates_and_depths_that_an_encoder_lacks_are_no_failure() {
    for studio in Studio::each() {
        let source = studio.make(
            "deep.mkv",
            &format!(
                "{CLIP} -f lavfi -i anoisesrc=d=0.6:r=96000 -c:v libx264 -preset ultrafast -pix_fmt yuv420p \
                 -ac 1 -c:a pcm_s24le"
            ),
        );
        for (audio, rate) in [
            ("ac3:640k", "48000"),
            ("libmp3lame", "48000"),
            ("libopus:510k", "48000"),
            ("libvorbis", "96000"),
            ("flac", "96000"),
            ("aac", "96000"),
        ] {
            let made = studio
                .encode(&source, &keeping(audio, Container::Mkv))
                .await;
            made.unwrap_or_else(|failure| panic!("{audio}: {failure}"));
            let made = studio.probe(&studio.output()).await.expect("media");
            assert_eq!(made.streams[1].sample_rate.to_string(), rate, "{audio}");
            if audio == "flac" {
                assert_eq!(digest(&studio, &studio.output()), digest(&studio, &source));
            }
        }
    }
}
