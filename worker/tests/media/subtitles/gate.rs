//! The publish gate knows which subtitle tracks were asked for, and when each text is shown.

use std::path::{Path, PathBuf};

use common::job::failure::{Doubt, Fault};
use common::recipe::{Container, Recipe};

use crate::studio;
use crate::studio::Studio;
use crate::subtitles::{film, join, srt, write};

const CUES: [(u32, u32, &str); 3] = [
    (400, 800, "this is the first text"),
    (900, 1100, "this is another text"),
    (1300, 1700, "this is the last text"),
];

/// A change of an output: what is wrong with it, and the arguments of ffmpeg that make it so.
const WRONGS: &[(&str, &str)] = &[
    (
        "language of the output's subtitle track 2 is fre where en",
        "-map 0 -c copy -metadata:s:s:0 language=fre",
    ),
    (
        "mark of the output's subtitle track 2 is not default where default was asked for",
        "-map 0 -c copy -disposition:s:0 0",
    ),
    (
        "mark of the output's subtitle track 3 is not forced where forced was asked for",
        "-map 0 -c copy -disposition:s:1 0",
    ),
    (
        "mark of the output's subtitle track 3 is default where not default was asked for",
        "-map 0 -c copy -disposition:s:1 forced+default",
    ),
    (
        "mark of the output's subtitle track 4 is not hearing_impaired",
        "-map 0 -c copy -disposition:s:2 0",
    ),
    (
        "begins 0.50 s later than in the input",
        "-itsoffset 0.5 -i OUTPUT -map 0:v -map 0:a -map 1:s -c copy",
    ),
    (
        "ends 0.40 s earlier than in the input",
        "-t 1.2 -i OUTPUT -map 0:v -map 0:a -map 1:s -c copy",
    ),
    (
        "begins 0.50 s later than in the input",
        "-i LATER -map 0:v -map 0:a -map 1 -map 0:s:1 -map 0:s:2 -c copy -metadata:s:s:0 language=eng \
         -disposition:s:0 default",
    ),
];

/// A film with three subtitle tracks: English (default), German forced, English for the deaf.
fn source(studio: &Studio) -> PathBuf {
    let film = film(studio);
    let words = write(studio, "a.srt", srt(&CUES));
    let marks = [
        &["--language", "0:eng", "--default-track-flag", "0:1"][..],
        &[
            "--language",
            "0:ger",
            "--default-track-flag",
            "0:0",
            "--forced-display-flag",
            "0:1",
        ],
        &[
            "--language",
            "0:eng",
            "--default-track-flag",
            "0:0",
            "--hearing-impaired-flag",
            "0:1",
        ],
    ];
    let mut arguments = vec![film.as_str()];
    for marks in marks {
        arguments.extend(marks);
        arguments.push(&words);
    }
    join(studio, "source.mkv", &arguments)
}

fn remade(studio: &Studio, output: &Path, format: &str, arguments: &str) {
    let wrong = output.with_file_name("wrong");
    let mut ffmpeg = studio.ffmpeg();
    ffmpeg.arg("-i").arg(output);
    for word in arguments.split(' ') {
        match word {
            "OUTPUT" => ffmpeg.arg(output),
            "LATER" => ffmpeg.arg(studio.path("later.srt")),
            word => ffmpeg.arg(word),
        };
    }
    let made = ffmpeg.args(["-f", format]).arg(&wrong).output();
    let made = made.expect("ffmpeg runs");
    let complaints = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{arguments}: {complaints}");
    std::fs::rename(&wrong, output).expect("replaced");
}

async fn refused(studio: &Studio, source: &Path, recipe: &Recipe, why: &str, arguments: &str) {
    let format = recipe.container.muxer();
    let harm = |output: &Path| remade(studio, output, format, arguments);
    let failure = studio.encode_and(source, recipe, harm).await;
    let failure = failure.expect_err(why);
    assert!(failure.message.contains(why), "{why}: {failure}");
    assert_eq!(failure.fault, Fault::Worker);
    assert_eq!(failure.doubt, Some(Doubt::Repetition));
}

#[tokio::test]
async fn an_output_with_wrong_subtitles_does_not_pass() {
    for studio in &Studio::each() {
        let source = source(studio);
        // Without the first text.
        write(studio, "later.srt", srt(&CUES[1..]));
        let recipe = studio::copy();
        let right = studio.encode(&source, &recipe).await;
        right.unwrap_or_else(|failure| panic!("{failure}"));
        for (why, arguments) in WRONGS {
            refused(studio, &source, &recipe, why, arguments).await;
        }
    }
}

#[tokio::test]
async fn texts_of_other_forms_and_of_parts_are_compared_at_their_times() {
    const LATE: &str = "-itsoffset 0.5 -i OUTPUT -map 0:v -map 0:a -map 1:s -c copy";
    for studio in &Studio::each() {
        let source = source(studio);
        let late = format!("-i {} -map 0 -c copy -output_ts_offset 7", source.display());
        let late = studio.make("late.mkv", &late);
        for (container, trim, source) in [
            (Container::Mp4, None, &source),
            (Container::Mkv, Some("0.8-1.8"), &late),
        ] {
            let recipe = studio::with(studio::recipe("libx264"), |video| {
                video.preset = Some("ultrafast".parse().expect("a token"));
            });
            let recipe = recipe.edit(|draft| {
                draft.container = container;
                draft.trim = trim.map(|trim| trim.parse().expect("a part"));
            });
            let recipe = recipe.expect("a sound recipe");
            let right = studio.encode(source, &recipe).await;
            right.unwrap_or_else(|failure| panic!("{container}: {failure}"));
            refused(studio, source, &recipe, "s later than in the input", LATE).await;
        }
    }
}

#[tokio::test]
async fn texts_at_odd_places_pass() {
    for studio in &Studio::each() {
        let film = film(studio);
        // Cues that overlap, that begin together, that show nothing, and one after the end of the film.
        let odd = srt(&[
            (0, 300, "<i></i>"),
            (100, 1500, "a long text"),
            (300, 400, "within the other"),
            (900, 1000, "one"),
            (900, 1800, "the other"),
            (2500, 3000, "<b> </b>"),
        ]);
        let odd = write(studio, "odd.srt", odd);
        let styled = "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n\
            Style: Default,DejaVu Sans,20\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n\
            Dialogue: 0,0:00:00.10,0:00:00.30,Default,{\\p1}m 0 0 l 100 0 100 100{\\p0}\n\
            Dialogue: 0,0:00:00.40,0:00:00.80,Default,Hallo\n";
        let styled = write(studio, "odd.ass", styled);
        let source = join(studio, "odd.mkv", &[&film, &odd, &styled]);
        for container in [Container::Mkv, Container::Mp4] {
            let recipe = studio::copy().edit(|draft| draft.container = container);
            let made = studio.encode(&source, &recipe.expect("sound")).await;
            made.unwrap_or_else(|failure| panic!("{container}: {failure}"));
        }
    }
}
