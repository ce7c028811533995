//! Combs: found, and made whole frames only where there are any; and film that was telecined.

use std::path::PathBuf;

use common::job::changes::{Change, Fate, Kind};
use common::recipe::{Container, Deinterlace, Recipe};

use crate::picture::{LOSSLESS, recipe};
use crate::studio;
use crate::studio::Studio;

/// A film of moving bars in which this filter makes fields of 50 pictures a second.
fn film(studio: &Studio, name: &str, filter: &str) -> PathBuf {
    let bars = "-f lavfi -i testsrc2=size=192x144:rate=50 -t 1.2";
    studio.make(
        name,
        &format!("{bars} -vf {filter},format=yuv420p {LOSSLESS}"),
    )
}

fn deinterlacing(encoder: &str, how: Deinterlace) -> Recipe {
    studio::with(recipe(encoder, Container::Mkv), |video| {
        video.deinterlace = how
    })
}

fn told(changes: &[Change], kind: Kind) -> Option<&Change> {
    let mut told = changes.iter().filter(|change| change.kind == kind);
    let change = told.next();
    assert_eq!(told.next(), None, "told twice");
    change
}

/// How often this text occurs among the properties of the output's first pictures.
fn count(studio: &Studio, text: &str) -> usize {
    studio.look().matches(text).count()
}

#[tokio::test]
async fn films_without_combs_are_untouched_whatever_their_marks_say() {
    for studio in Studio::each() {
        for (name, filter, is_told) in [
            ("plain.mkv", "framestep=2", false),
            ("marked.mkv", "framestep=2,setfield=tff", true),
        ] {
            let source = film(&studio, name, filter);
            let auto = deinterlacing("ffv1", Deinterlace::Auto);
            let checked = studio.encode(&source, &auto).await.expect(name);
            assert_eq!(
                studio.frames(&studio.output(), "null"),
                studio.frames(&source, "null"),
                "{name}"
            );
            assert_eq!(count(&studio, "interlaced_frame=0"), 3, "{name}");
            let change = told(&checked.changes, Kind::Interlacing);
            assert_eq!(change.is_some(), is_told, "{name}: {change:?}");
            assert!(change.is_none_or(|change| change.is_wanted), "{change:?}");
        }
    }
}

#[tokio::test]
async fn each_pair_of_fields_becomes_one_frame_in_the_right_order() {
    for studio in Studio::each() {
        for (name, filter, how, reference) in [
            ("top", "interlace=scan=tff", Deinterlace::Auto, "tff"),
            ("bottom", "interlace=scan=bff", Deinterlace::Auto, "bff"),
            // The marks say nothing, or something wrong.
            (
                "unmarked top",
                "interlace=scan=tff,setfield=prog",
                Deinterlace::Auto,
                "tff",
            ),
            (
                "unmarked bottom",
                "interlace=scan=bff,setfield=prog",
                Deinterlace::Auto,
                "bff",
            ),
            (
                "wrong",
                "interlace=scan=bff,setfield=tff",
                Deinterlace::Always,
                "bff",
            ),
            ("whole", "framestep=2", Deinterlace::Always, "tff"),
        ] {
            let source = film(&studio, "fields.mkv", filter);
            let recipe = deinterlacing("ffv1", how);
            let foreseen = studio.foresee(&source, &recipe).await.expect(name);
            let checked = studio.encode(&source, &recipe).await.expect(name);
            let change = told(&checked.changes, Kind::Interlacing).expect(name);
            assert_eq!(
                (change.fate, change.is_wanted),
                (Fate::Converted, true),
                "{name}"
            );
            assert_eq!(told(&foreseen, Kind::Interlacing), Some(change), "{name}");
            assert_eq!(checked.frames, 30, "{name}");
            let bwdif = format!("bwdif=mode=send_frame:parity={reference}:deint=all");
            assert_eq!(
                studio.frames(&studio.output(), "null"),
                studio.frames(&source, &bwdif),
                "{name}"
            );
            assert_eq!(count(&studio, "interlaced_frame=0"), 3, "{name}");
        }
        // The encoder is not told to code fields.
        let source = film(&studio, "fields.mkv", "interlace=scan=tff");
        let recipe = studio::with(recipe("libx264", Container::Mp4), |video| {
            video.deinterlace = Deinterlace::Auto;
        });
        studio.encode(&source, &recipe).await.expect("passes");
        assert_eq!(studio.describe("field_order"), "progressive");
        assert_eq!(count(&studio, "interlaced_frame=0"), 3);
    }
}

#[tokio::test]
async fn in_a_mixed_film_only_combed_frames_are_touched() {
    for studio in Studio::each() {
        let bars = "testsrc2=size=192x144";
        let graph = format!(
            "{bars}:rate=25:duration=2[whole];{bars}:rate=50:duration=1,interlace=scan=tff,setfield=prog[fields];\
             [whole][fields]concat=n=2,setfield=prog,format=yuv420p"
        );
        let source = studio.make("mixed.mkv", &format!("-filter_complex {graph} {LOSSLESS}"));
        let recipe = deinterlacing("ffv1", Deinterlace::Auto);
        let checked = studio.encode(&source, &recipe).await.expect("passes");
        let change = told(&checked.changes, Kind::Interlacing).expect("told");
        assert!(
            change.to_string().contains("combed pictures only"),
            "{change}"
        );
        let (before, after) = (
            studio.frames(&source, "null"),
            studio.frames(&studio.output(), "null"),
        );
        assert_eq!(before.len(), after.len());
        assert_eq!(before[..50], after[..50]);
        let touched = before[50..].iter().zip(&after[50..]);
        let touched = touched.filter(|(before, after)| before != after).count();
        assert!(touched >= 5, "{touched} frames were touched");
    }
}

#[tokio::test]
async fn a_telecined_film_gets_its_own_frames_back() {
    for studio in Studio::each() {
        let bars = "-f lavfi -i testsrc2=size=192x144:rate=24000/1001 -vf format=yuv420p";
        let original = studio.make("film.mkv", &format!("{bars} -frames:v 48 {LOSSLESS}"));
        let telecine = "telecine=pattern=23:first_field=top -frames:v 60";
        let source = studio.make("telecine.mkv", &format!("{bars},{telecine} {LOSSLESS}"));
        for container in [Container::Mkv, Container::Mp4] {
            let encoder = if container == Container::Mkv {
                "ffv1"
            } else {
                "libx264"
            };
            let recipe = studio::with(recipe(encoder, container), |video| {
                video.detelecine = true;
            });
            let checked = studio.encode(&source, &recipe).await.expect("passes");
            assert_eq!(checked.frames, 48);
            assert_eq!(studio.describe("avg_frame_rate"), "24000/1001");
            for kind in [Kind::Timing, Kind::Interlacing] {
                let change = told(&checked.changes, kind).expect("told");
                assert_eq!(
                    (change.fate, change.is_wanted),
                    (Fate::Converted, true),
                    "{change}"
                );
            }
            if container == Container::Mkv {
                assert_eq!(
                    studio.frames(&studio.output(), "null"),
                    studio.frames(&original, "null")
                );
            }
        }
        // A film without telecine loses no frame.
        let recipe = studio::with(recipe("ffv1", Container::Mkv), |video| {
            video.detelecine = true;
        });
        let checked = studio.encode(&original, &recipe).await.expect("passes");
        let kept = told(&checked.changes, Kind::Timing).expect("told");
        assert!(kept.to_string().contains("no telecine"), "{kept}");
        assert_eq!(
            studio.frames(&studio.output(), "null"),
            studio.frames(&original, "null")
        );
    }
}
