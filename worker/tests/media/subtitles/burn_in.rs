//! Subtitles that are drawn into the picture, looked at by its pixels.

use std::path::{Path, PathBuf};

use common::job::changes::{Fate, Kind};
use common::job::failure::Fault;
use common::recipe::{Container, Recipe, VideoEncode};

use crate::studio;
use crate::studio::{Studio, bluray};
use crate::subtitles::{FILM, film, join, srt, write};

/// The times of the frames whose lower half is brighter than the film, and of those whose upper half is.
struct Bright {
    lower: Vec<f64>,
    upper: Vec<f64>,
    /// The brightest sample of all.
    most: f64,
}

/// Looks for pixels that are brighter than `than`, frame by frame.
fn bright(studio: &Studio, than: f64) -> Bright {
    let half = |place: &str| -> Vec<(f64, f64)> {
        let shown = studio
            .ffmpeg()
            .arg("-i")
            .arg(studio.output())
            .args(["-map", "0:v:0", "-vf"])
            .arg(format!(
                "crop=iw:ih/2:0:{place},signalstats,metadata=print:key=lavfi.signalstats.YMAX:file=-"
            ))
            .args(["-f", "null", "-"])
            .output()
            .expect("ffmpeg runs");
        let text = String::from_utf8(shown.stdout).expect("text");
        let mut found = Vec::new();
        let mut time = 0.0;
        for line in text.lines() {
            if let Some((_, rest)) = line.split_once("pts_time:") {
                time = rest.trim().parse().expect("a time");
            } else if let Some((_, value)) = line.split_once("YMAX=") {
                found.push((time, value.trim().parse().expect("a number")));
            }
        }
        assert!(!found.is_empty());
        found
    };
    let (lower, upper) = (half("ih/2"), half("0"));
    let most = lower.iter().chain(&upper).map(|(_, most)| *most);
    let most = most.fold(0.0, f64::max);
    let times = |half: Vec<(f64, f64)>| {
        let bright = half.into_iter().filter(|(_, most)| *most > than);
        bright.map(|(time, _)| time).collect()
    };
    Bright {
        lower: times(lower),
        upper: times(upper),
        most,
    }
}

/// The times of the frames with something bright in their lower half.
pub(super) fn lit(studio: &Studio) -> Vec<f64> {
    bright(studio, 170.0).lower
}

/// The text is in the lower half only, from `start` to `end`.
pub(super) fn shows(studio: &Studio, than: f64, start: f64, end: f64) -> f64 {
    let Bright { lower, upper, most } = bright(studio, than);
    assert_eq!(upper, [0.0; 0], "nothing is drawn above");
    let (first, last) = (lower.first().expect("text"), lower.last().expect("text"));
    // A frame is shown for 0.04 s; the last one begins before the end of the text.
    assert!((first - start).abs() < 0.05, "{first} for {start}");
    assert!((last + 0.04 - end).abs() < 0.05, "{last} for {end}");
    let frames = (last - first) / 0.04 + 1.0;
    assert!((frames - lower.len() as f64).abs() < 0.5, "no gap");
    most
}

pub(super) fn recipe(which: &str, change: impl FnOnce(&mut VideoEncode)) -> Recipe {
    studio::with(studio::recipe("libx264"), |video| {
        video.preset = Some("ultrafast".parse().expect("a token"));
        video.rate = common::recipe::Rate::Crf(4.0);
        video.burn_in = Some(which.parse().expect("a track"));
        change(video);
    })
}

/// A film with German text from 0.4 s to 0.8 s and English text from 1.2 s to 1.6 s.
pub(super) fn with_text(studio: &Studio) -> PathBuf {
    let film = film(studio);
    let german = write(studio, "de.srt", srt(&[(400, 800, "████ Hallo ████")]));
    let english = write(studio, "en.srt", srt(&[(1200, 1600, "████ Hello ████")]));
    join(
        studio,
        "text.mkv",
        &[
            &film,
            "--language",
            "0:ger",
            &german,
            "--language",
            "0:eng",
            &english,
        ],
    )
}

#[tokio::test]
async fn text_is_drawn_at_its_time_and_is_no_track_any_more() {
    for studio in Studio::each() {
        let source = with_text(&studio);
        for (which, start, end, left) in [("deu", 0.4, 0.8, "eng"), ("2", 1.2, 1.6, "ger")] {
            let recipe = recipe(which, |_| {});
            let checked = studio.encode(&source, &recipe).await.expect("made");
            shows(&studio, 170.0, start, end);
            let made = studio.made().await;
            assert_eq!(made.streams.len(), 3);
            assert_eq!(made.streams[2].tags["language"], left);
            let burnt = checked
                .changes
                .iter()
                .find(|change| change.fate == Fate::Lost);
            let burnt = burnt.expect("it is listed");
            assert!(burnt.is_wanted && burnt.to_string().contains("drawn into the picture"));
        }
    }
}

#[tokio::test]
async fn every_form_of_text_is_drawn_and_styles_are_kept() {
    for studio in Studio::each() {
        let film = film(&studio);
        let words = write(&studio, "a.srt", srt(&[(400, 800, "████")]));
        let browser = write(
            &studio,
            "a.vtt",
            "WEBVTT\n\n00:00:00.400 --> 00:00:00.800\n████\n",
        );
        let styled = "[Script Info]\nScriptType: v4.00+\nPlayResX: 160\nPlayResY: 90\n\n[V4+ Styles]\nFormat: Name, Fontname, \
            Fontsize, PrimaryColour, OutlineColour, Alignment, MarginV\nStyle: Top,DejaVu Sans,20,&H00FFFFFF,&H00000000,8,4\n\n\
            [Events]\nFormat: Layer, Start, End, Style, Text\nDialogue: 0,0:00:00.40,0:00:00.80,Top,████\n";
        let styled = write(&studio, "a.ass", styled);
        let of = |name: &str, words: &str, form: &str| {
            let arguments = format!("-i {film} -i {words} -map 0 -map 1 -c copy -c:s {form}");
            studio.make(name, &arguments)
        };
        for source in [
            of("mov.mp4", &words, "mov_text"),
            join(&studio, "browser.mkv", &[&film, &browser]),
        ] {
            let recipe = recipe("1", |_| {});
            studio.encode(&source, &recipe).await.expect("made");
            shows(&studio, 170.0, 0.4, 0.8);
        }
        // The style puts the text at the top.
        let source = of("styled.mkv", &styled, "copy");
        let recipe = recipe("1", |_| {});
        studio.encode(&source, &recipe).await.expect("made");
        let Bright { lower, upper, .. } = bright(&studio, 170.0);
        assert_eq!((upper.len(), lower.len()), (10, 0), "{upper:?}");
    }
}

/// The width of the white area of the output's frame at one second.
fn white_columns(studio: &Studio) -> usize {
    let shown = studio
        .ffmpeg()
        .args(["-ss", "0.6", "-i"])
        .arg(studio.output())
        .args([
            "-frames:v",
            "1",
            "-vf",
            "format=gray",
            "-f",
            "rawvideo",
            "-",
        ])
        .output()
        .expect("ffmpeg runs")
        .stdout;
    let is_white = |x: usize| (0..90).any(|y| shown[y * 160 + x] > 200);
    (0..160).filter(|x| is_white(*x)).count()
}

#[tokio::test]
async fn attached_fonts_are_used() {
    const FONTS: &str = "/usr/share/fonts/truetype/dejavu";
    for studio in Studio::each() {
        let film = film(&studio);
        // A font that the system does not have under this name: its name table says so.
        let mono = std::fs::read(Path::new(FONTS).join("DejaVuSansMono.ttf")).expect("installed");
        let other = renamed(mono);
        let font = write(&studio, "other.ttf", other);
        let text = |font: &str| {
            format!(
                "[Script Info]\nScriptType: v4.00+\nPlayResX: 160\nPlayResY: 90\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, \
                 PrimaryColour, Outline, Alignment\nStyle: One,{font},30,&H00FFFFFF,0,2\n\n[Events]\nFormat: Layer, Start, End, \
                 Style, Text\nDialogue: 0,0:00:00.40,0:00:00.80,One,iiii\n"
            )
        };
        let mut widths = Vec::new();
        for name in ["QejaVu Sans Mono", "DejaVu Sans"] {
            let words = write(&studio, "a.ass", text(name));
            let source = join(
                &studio,
                "fonts.mkv",
                &[
                    &film,
                    &words,
                    "--attachment-mime-type",
                    "font/ttf",
                    "--attach-file",
                    &font,
                ],
            );
            let recipe = recipe("1", |_| {});
            studio.encode(&source, &recipe).await.expect("made");
            widths.push(white_columns(&studio));
        }
        // Four letters i of equal width take more room than four narrow ones.
        assert!(widths[0] > widths[1] + 10, "{widths:?}");
    }
}

/// The font under another name: the first letter of its family's name is changed.
fn renamed(mut font: Vec<u8>) -> Vec<u8> {
    let plain: Vec<u8> = b"DejaVu Sans Mono".to_vec();
    let wide: Vec<u8> = plain.iter().flat_map(|byte| [0, *byte]).collect();
    for (name, letter) in [(plain, 0), (wide, 1)] {
        let places: Vec<usize> = (0..font.len() - name.len())
            .filter(|at| font[*at..].starts_with(&name))
            .collect();
        for at in places {
            font[at + letter] = b'Q';
        }
    }
    font
}

#[tokio::test]
async fn pictures_are_drawn_at_their_time_and_place() {
    for studio in Studio::each() {
        let film = film(&studio);
        let disc = write(&studio, "disc.sup", bluray(400, 800));
        let named = ["--language", "0:eng", "--track-name", "0:Film", &film];
        let source = join(
            &studio,
            "disc.mkv",
            &[&named[..], &["--language", "0:eng", &disc]].concat(),
        );
        let of = |name: &str, form: &str| {
            let disc = source.display();
            let arguments = format!("-fix_sub_duration -i {disc} -map 0 -c copy -c:s {form}");
            studio.make(name, &arguments)
        };
        let (broadcast, dvd) = (of("dvb.mkv", "dvbsub"), of("dvd.mkv", "dvdsub"));
        // Formats whose clock may jump. Their subtitles begin later than the film.
        let channel = of("dvb.ts", "dvbsub");
        let disc = of("dvd.vob", "dvdsub -c:v mpeg2video -q:v 2 -c:a mp2 -f vob");
        for (source, track) in [
            (&source, "eng"),
            (&broadcast, "eng"),
            (&dvd, "eng"),
            (&channel, "1"),
            (&disc, "1"),
        ] {
            let recipe = recipe(track, |_| {});
            let made = studio.encode(source, &recipe).await;
            made.unwrap_or_else(|failure| panic!("{}: {failure}", source.display()));
            // The sound of a broadcast begins a little before its picture.
            let begins: f64 = studio.times()[0].parse().expect("a time");
            assert!(begins < 0.1, "{begins}");
            shows(&studio, 170.0, begins + 0.4, begins + 0.8);
            let made = studio.made().await;
            assert_eq!(made.streams.len(), 2);
            if track == "eng" {
                assert_eq!(made.streams[0].tags["title"], "Film");
                assert_eq!(made.streams[0].tags["language"], "eng");
            }
        }
        // Cropped and scaled: the picture of the subtitles is wholly inside, and smaller.
        let cropped = recipe("eng", |video| {
            video.crop = "20:20:0:0".parse().expect("borders");
            video.scale = Some("80x24".parse().expect("a size"));
        });
        studio.encode(&source, &cropped).await.expect("made");
        assert_eq!(studio.describe("width,height"), "80,24");
        shows(&studio, 170.0, 0.4, 0.8);
    }
}

#[tokio::test]
async fn white_in_hdr_is_as_bright_as_paper() {
    for studio in Studio::each() {
        let hdr = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=error:colorprim=bt2020:\
            transfer=smpte2084:colormatrix=bt2020nc -c:a aac -metadata:s:a language=eng";
        let film = studio.make("hdr.mkv", &format!("{FILM} {hdr}"));
        let film = film.to_str().expect("text");
        let words = write(&studio, "a.srt", srt(&[(400, 800, "████████")]));
        let disc = write(&studio, "disc.sup", bluray(400, 800));
        let source = join(&studio, "both.mkv", &[film, &words, &disc]);
        for track in ["1", "2"] {
            let recipe = studio::with(studio::recipe("libx265"), |video| {
                video.preset = Some("ultrafast".parse().expect("a token"));
                video.rate = common::recipe::Rate::Crf(4.0);
                video.burn_in = Some(track.parse().expect("a track"));
            });
            studio.encode(&source, &recipe).await.expect("made");
            // 58 % of the signal is 572 of 1023; the film is gray, 504. White of SDR would be 940. Letters are so small
            // here that no pixel is wholly white.
            let most = shows(&studio, 515.0, 0.4, 0.8);
            assert!((525.0..590.0).contains(&most), "{most}");
            assert_eq!(
                studio.describe("pix_fmt,color_transfer"),
                "yuv420p10le,smpte2084"
            );
        }
    }
}

#[tokio::test]
async fn a_missing_track_is_the_inputs_fault_unless_it_may_be_missing() {
    for studio in Studio::each() {
        let source = with_text(&studio);
        for (which, why) in [("fra", "is in fra"), ("3", "the input has 2")] {
            let refused = studio.encode(&source, &recipe(which, |_| {})).await;
            let refused = refused.expect_err("there is none");
            assert_eq!(refused.fault, Fault::Input);
            assert!(refused.message.contains(why), "{refused}");
            let foreseen = studio.foresee(&source, &recipe(which, |_| {})).await;
            assert_eq!(
                foreseen.expect_err("there is none").message,
                refused.message
            );
        }
        for which in ["forced", "foreign"] {
            let checked = studio
                .encode(&source, &recipe(which, |_| {}))
                .await
                .expect("made");
            let told = checked.changes.iter().find(|change| change.is_news());
            let told = told.expect("it is told");
            assert!(told.kind == Kind::Track && !told.is_loss(), "{told}");
            assert!(told.to_string().contains("burnt in"), "{told}");
            assert_eq!(studio.made().await.streams.len(), 4);
        }
    }
}

#[tokio::test]
async fn the_foreign_track_is_found_burnt_in_or_marked() {
    for studio in Studio::each() {
        let film = film(&studio);
        let many: Vec<(u32, u32, &str)> = (0..22).map(|n| (n * 80, n * 80 + 60, "a")).collect();
        let full = write(&studio, "full.srt", srt(&many));
        let few = write(&studio, "few.srt", srt(&[(400, 800, "████")]));
        let nearly = write(&studio, "nearly.srt", srt(&many[..3]));
        let english = |file: &str| ["--language", "0:en", file].map(str::to_owned);
        let german = |file: &str| ["--language", "0:ger", file].map(str::to_owned);
        let of = |name: &str, tracks: &[[String; 3]]| {
            let arguments: Vec<&str> = std::iter::once(film.as_str())
                .chain(tracks.iter().flatten().map(String::as_str))
                .collect();
            join(&studio, name, &arguments)
        };
        // A track in another language is no candidate, however little it is shown.
        let source = of(
            "found.mkv",
            &[english(&full), german(&nearly), english(&few)],
        );
        // Without mkvmerge's counts, the packets are counted.
        let uncounted = studio.make(
            "found.mp4",
            &format!("-i {} -map 0 -c copy -c:s mov_text", source.display()),
        );
        let burnt = recipe("foreign", |_| {});
        for source in [&source, &uncounted] {
            studio.encode(source, &burnt).await.expect("made");
            shows(&studio, 170.0, 0.4, 0.8);
            assert_eq!(studio.made().await.streams.len(), 4);
        }
        let marked = studio::copy().edit(|draft| {
            draft.container = Container::Mkv;
            draft.subtitle_tracks.mark_foreign = true;
        });
        let marked = marked.expect("sound");
        studio.encode(&source, &marked).await.expect("made");
        let made = studio.made().await;
        let marks: Vec<bool> = made.streams[2..]
            .iter()
            .map(|track| {
                let is_forced = track.dispositions.contains("forced");
                assert_eq!(is_forced, track.dispositions.contains("default"));
                is_forced
            })
            .collect();
        assert_eq!(marks, [false, false, true]);
        // 3 of 22 cues are more than a tenth.
        let source = of("missing.mkv", &[english(&full), english(&nearly)]);
        studio.encode(&source, &burnt).await.expect("made");
        assert_eq!(studio.made().await.streams.len(), 4);
    }
}
