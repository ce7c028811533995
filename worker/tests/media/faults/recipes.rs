//! Recipes that an input cannot meet.

use common::job::changes::{Change, Fate};
use common::recipe::{Container, Filters};

use crate::faults::{H264, is_the_inputs, refused};
use crate::studio;
use crate::studio::Studio;

/// The conversions and losses that the recipe did not ask for.
pub(crate) fn not_kept(changes: &[Change]) -> Vec<&Change> {
    let changes = changes.iter();
    changes
        .filter(|change| change.fate != Fate::Kept && !change.is_wanted)
        .collect()
}

#[tokio::test]
async fn a_recipe_that_an_input_cannot_meet_is_no_workers_fault() {
    for studio in Studio::each() {
        let film = studio.clip("film.mkv", &format!("-frames:v 5 {H264}"));
        let deep = studio.clip("deep.mkv", "-frames:v 5 -pix_fmt yuv420p10le -c:v ffv1");
        let tiny = studio.path("tiny.mkv");
        studio.picture(&tiny, "2x2");
        let small = studio.path("small.mkv");
        studio.picture(&small, "18x18");
        let wide = studio.path("wide.mkv");
        studio.picture(&wide, "16500x64");
        let with = |encoder: &str, change: &dyn Fn(&mut common::recipe::VideoEncode)| {
            studio::with(studio::recipe(encoder), change)
        };
        let filter = |filters: &'static str| {
            with("libx264", &move |video| {
                video.filters = Some(filters.parse().expect("filters"));
            })
        };
        let argument = |encoder, argument: &'static str| {
            with(encoder, &move |video| {
                video.arguments = vec![argument.parse().expect("an argument")];
            })
        };
        let into = |container| {
            studio::copy()
                .edit(|draft| draft.container = container)
                .expect("a sound recipe")
        };
        for (source, recipe, words) in [
            (&deep, into(Container::Webm), "choose --container mkv"),
            (&film, filter("crop=640:360"), "crop: Invalid too big"),
            (&film, filter("pad=16:16"), "Padded dimensions"),
            (&film, filter("bm3d=block=70"), "out of range"),
            (&film, filter("scale=99999:99999"), "at most 16384"),
            (&film, filter("colorspace"), ""),
            (&deep, argument("libx264", "profile=baseline"), "baseline"),
            (&deep, argument("libx265", "profile=main"), "profile"),
            (&film, argument("libx264", "level=99"), "level"),
            (&film, argument("libx264", "tune=nonsense"), "tune"),
            (&tiny, studio::recipe("libx265"), ""),
            (&tiny, studio::recipe("libsvtav1"), ""),
            (&wide, studio::recipe("libx264"), "invalid width x height"),
            (&wide, studio::recipe("libsvtav1"), "must be less than"),
        ] {
            let outcome = studio.encode(source, &recipe).await;
            let Err(failure) = outcome else {
                // A newer encoder takes smaller pictures.
                assert!(words.is_empty(), "{}: {recipe:#?}", source.display());
                continue;
            };
            let what = format!("{} {recipe:?}", source.display());
            // A failure without clear words in the log is decided by the worker's proof encode.
            if !words.is_empty() {
                is_the_inputs(&what, &failure);
            }
            assert!(failure.message.contains(words), "{what}: {failure}");
        }
        for encoder in ["libx264", "libx265", "libsvtav1", "libvpx-vp9"] {
            match studio.encode(&small, &studio::recipe(encoder)).await {
                Ok(checked) => assert_eq!(checked.frames, 5, "{encoder}"),
                Err(failure) => is_the_inputs(encoder, &failure),
            }
        }
    }
}

#[tokio::test]
async fn the_usual_deinterlacers_pass() {
    for studio in Studio::each() {
        let source = studio.clip(
            "interlaced.mkv",
            "-frames:v 10 -vf scale=160:96 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -flags +ildct+ilme -x264opts tff=1",
        );
        for (filters, frames) in [
            ("bwdif", 20),
            ("w3fdif", 20),
            ("estdif", 20),
            ("yadif", 10),
            ("bwdif=0", 10),
            ("yadif=1", 20),
        ] {
            let recipe = studio::with(studio::recipe("libx264"), |video| {
                video.filters = Some(filters.parse().expect("filters"));
            });
            let checked = studio.encode(&source, &recipe).await.expect(filters);
            assert_eq!(checked.frames, frames, "{filters}");
        }
    }
}

#[test]
fn filters_of_the_list_keep_all_frames() {
    for studio in Studio::each() {
        let source = studio.clip(
            "film.mkv",
            "-frames:v 20 -vf scale=160:96 -pix_fmt yuv420p -c:v ffv1",
        );
        let known = studio.filters();
        let filters: Vec<String> = Filters::allowed()
            .filter(|name| known.contains(*name))
            .map(|name| match name {
                // These filters need options.
                "crop" => "crop=80:40".to_owned(),
                "curves" => "curves=preset=vintage".to_owned(),
                "format" => "format=yuv444p".to_owned(),
                "colorspace" => "colorspace=all=bt709:iall=bt709".to_owned(),
                name => name.to_owned(),
            })
            .collect();
        assert!(filters.len() > 70, "{filters:?}");
        for filter in filters {
            let frames = studio.filter(&source, &filter);
            let keeps = filter.parse::<Filters>().expect("allowed").keep_frames();
            assert!(
                frames == 20 || !keeps,
                "{filter} makes {frames} frames of 20"
            );
        }
    }
}

#[tokio::test]
async fn a_container_that_cannot_hold_a_codec_is_no_workers_fault() {
    for studio in Studio::each() {
        let film = studio.clip("film.mkv", &format!("-frames:v 5 {H264}"));
        let recipe = studio::copy()
            .edit(|draft| draft.container = Container::Webm)
            .expect("a sound recipe");
        refused(&studio, &film, &recipe, "").await;
    }
}
