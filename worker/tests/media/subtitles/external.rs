//! Subtitle files beside the input that become tracks.

use common::job::failure::Fault;
use common::job::further::{ExternalSubtitles, FurtherRole};
use common::recipe::{Container, Recipe};
use worker::attempt::verify::gate::Checked;
use worker::ffmpeg::Source;

use crate::studio;
use crate::studio::{Studio, bluray};
use crate::subtitles::{film, srt, write};

fn beside(file: &str, language: Option<&str>, forced: bool, sdh: bool) -> (FurtherRole, Source) {
    let said = ExternalSubtitles {
        language: language.map(|language| language.parse().expect("a language")),
        forced,
        sdh,
    };
    (FurtherRole::Subtitles(said), Source::File(file.into()))
}

async fn encode(
    studio: &Studio,
    further: Vec<(FurtherRole, Source)>,
    recipe: &Recipe,
) -> Result<Checked, common::job::failure::Failure> {
    let film = film(studio);
    studio.encode_with(film.as_ref(), further, recipe).await
}

/// The text of one of the output's subtitle tracks, as SubRip.
fn text(studio: &Studio, track: usize) -> String {
    let text = studio
        .ffmpeg()
        .arg("-i")
        .arg(studio.output())
        .args(["-map", &format!("0:s:{track}"), "-f", "srt", "-"])
        .output()
        .expect("ffmpeg runs");
    String::from_utf8(text.stdout).expect("UTF-8")
}

#[tokio::test]
async fn files_of_any_encoding_become_tracks_with_language_and_flags() {
    const GERMAN: &str = "Grüße aus Köln, schöne Straße.";
    const RUSSIAN: &str = "Привет, как дела? Всё хорошо.";
    for studio in Studio::each() {
        let german = srt(&[(400, 800, GERMAN), (1200, 1600, "Ende")]);
        let latin: Vec<u8> = german
            .chars()
            .map(|letter| u32::from(letter) as u8)
            .collect();
        let latin = write(&studio, "film.de.forced.srt", latin);
        let wide = srt(&[(400, 800, RUSSIAN)]);
        let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide = write(
            &studio,
            "film.ru.srt",
            [&[0xFF, 0xFE], wide.as_slice()].concat(),
        );
        let browser = "WEBVTT\n\n00:00:00.400 --> 00:00:00.800\nHallo\n";
        let browser = write(&studio, "film.vtt", browser);
        for (container, form) in [(Container::Mkv, "subrip"), (Container::Mp4, "mov_text")] {
            let recipe = studio::copy().edit(|draft| draft.container = container);
            let further = vec![
                beside(&latin, Some("de"), true, false),
                beside(&wide, Some("rus"), false, true),
                beside(&browser, None, false, false),
            ];
            encode(&studio, further, &recipe.expect("sound"))
                .await
                .expect("made");
            let made = studio.made().await;
            let tracks = &made.streams[2..];
            let languages: Vec<&str> = tracks
                .iter()
                .map(|track| track.tags.get("language").map_or("und", String::as_str))
                .collect();
            let short = if container == Container::Mkv {
                "ger"
            } else {
                "deu"
            };
            assert_eq!(languages, [short, "rus", "und"]);
            assert_eq!(tracks[0].codec, form);
            assert!(tracks[0].dispositions.contains("forced"));
            assert!(tracks[1].dispositions.contains("hearing_impaired"));
            let first = text(&studio, 0);
            assert!(first.contains(GERMAN), "{first}");
            assert!(
                first.contains("00:00:00,4") && first.contains("--> 00:00:01,6"),
                "{first}"
            );
            assert!(text(&studio, 1).contains(RUSSIAN));
            assert!(text(&studio, 2).contains("Hallo"));
        }
    }
}

#[tokio::test]
async fn files_are_chosen_like_tracks_and_burnt_in() {
    for studio in Studio::each() {
        let words = write(
            &studio,
            "film.en.srt",
            srt(&[(400, 800, "████ Hello ████")]),
        );
        let disc = write(&studio, "film.de.sup", bluray(1200, 1600));
        for (which, left, kept) in [("eng", 400, "ger"), ("deu", 1200, "eng")] {
            let recipe = studio::with(studio::recipe("libx264"), |video| {
                video.burn_in = Some(which.parse().expect("a track"));
            });
            let further = vec![
                beside(&words, Some("en"), false, false),
                beside(&disc, Some("de"), false, false),
            ];
            encode(&studio, further, &recipe).await.expect("made");
            let made = studio.made().await;
            assert_eq!(made.streams.len(), 3);
            assert_eq!(made.streams[2].tags["language"], kept);
            let times = crate::subtitles::burn_in::lit(&studio);
            let start = f64::from(left) / 1000.0;
            assert!((times[0] - start).abs() < 0.05, "{times:?} for {start}");
            assert!((times.len() as f64 - 10.0).abs() < 2.0, "{times:?}");
        }
        let only_german = studio::copy()
            .edit(|draft| draft.subtitle_tracks.languages = vec!["deu".parse().expect("one")])
            .expect("sound");
        let further = vec![
            beside(&words, Some("en"), false, false),
            beside(&disc, Some("de"), false, false),
        ];
        encode(&studio, further, &only_german).await.expect("made");
        let made = studio.made().await;
        assert_eq!(made.streams.len(), 3);
        assert_eq!(made.streams[2].codec, "hdmv_pgs_subtitle");
        let cues = studio.ask(&["-select_streams", "s:0", "-show_entries", "packet=pts_time"]);
        let first: f64 = cues[0].parse().expect("a time");
        assert!((first - 1.2).abs() < 0.05, "{cues:?}");
    }
}

#[tokio::test]
async fn files_are_cut_with_the_film_or_drawn_into_a_part_of_it() {
    for studio in Studio::each() {
        let words = srt(&[
            (400, 800, "before"),
            (900, 1200, "████ into ████"),
            (1400, 1500, "within"),
        ]);
        let words = write(&studio, "film.en.srt", words);
        let further = || vec![beside(&words, Some("en"), false, false)];
        let cut = |recipe: Recipe| {
            let edited = recipe.edit(|draft| draft.trim = Some("1-1.8".parse().expect("a part")));
            edited.expect("a sound recipe")
        };
        let encoded = studio::with(studio::recipe("libx264"), |video| {
            video.preset = Some("ultrafast".parse().expect("a token"));
        });
        encode(&studio, further(), &cut(encoded.clone()))
            .await
            .expect("made");
        let made = text(&studio, 0);
        let expected = srt(&[(0, 200, "████ into ████"), (400, 500, "within")]);
        assert_eq!(made.trim_end(), expected.trim_end());
        let drawn = studio::with(encoded, |video| {
            video.burn_in = Some("eng".parse().expect("a track"));
        });
        encode(&studio, further(), &cut(drawn)).await.expect("made");
        let times = crate::subtitles::burn_in::lit(&studio);
        let frames = times.iter().filter(|time| **time < 0.3).count();
        assert!(times[0] < 0.05 && frames == 5, "{times:?}");
        // The clock of a broadcast cannot be cut together with a file.
        let broadcast = studio.make("film.ts", &format!("-i {} -c copy", film(&studio)));
        let copied = cut(studio::copy());
        let refused = studio.encode_with(&broadcast, further(), &copied).await;
        let refused = refused.expect_err("refused");
        assert_eq!(refused.fault, Fault::Input);
        assert!(refused.message.contains("leave out"), "{refused}");
    }
}

#[tokio::test]
async fn a_file_without_subtitles_is_the_inputs_fault() {
    for studio in Studio::each() {
        let odd = write(&studio, "film.srt", "no subtitles at all");
        let further = vec![beside(&odd, None, false, false)];
        let refused = encode(&studio, further, &studio::copy()).await;
        let refused = refused.expect_err("refused");
        assert_eq!(refused.fault, Fault::Input);
        assert!(refused.message.contains("film.srt"), "{refused}");
    }
}
