//! Any combination of what a recipe may do to pictures gives a command line that ffmpeg accepts, and an output that the
//! gate accepts.

use std::path::PathBuf;

use common::names::location::Location;
use common::recipe::{Container, Recipe, VideoEncode, Watermark};

use crate::picture::recipe;
use crate::studio;
use crate::studio::Studio;

/// Chooses the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % sides
    }

    /// One of these, or nothing in half of all cases.
    fn maybe<'a>(&mut self, options: &[&'a str]) -> Option<&'a str> {
        let is_chosen = self.roll(2) == 1;
        is_chosen.then(|| options[self.roll(options.len())])
    }
}

fn read<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text.map(|text| text.parse().unwrap_or_else(|_| panic!("{text}")))
}

fn choose(dice: &mut Dice, video: &mut VideoEncode, files: &[Location; 2]) {
    video.crop = read(dice.maybe(&["4:2:0:6", "auto", "loose", "0:0:10:10"])).unwrap_or_default();
    video.deinterlace = read(dice.maybe(&["auto", "always"])).unwrap_or_default();
    video.denoise = read(dice.maybe(&["light", "nlmeans:ultralight"]));
    video.deband = dice.roll(3) == 0;
    video.sharpen = read(dice.maybe(&["medium", "ultralight"]));
    video.rotate = read(dice.maybe(&["90", "180", "270:hflip", "hflip"]));
    video.scale = read(dice.maybe(&["20p", "32x-2", "-2x40", "48x30"]));
    video.scale_up = dice.roll(2) == 0;
    video.pad = read(dice.maybe(&["16:9", "1:1", "96x64", "40x40"]));
    video.frame_rate =
        read(dice.maybe(&["half", "30", "peak:20", "peak:24", "12.5"])).unwrap_or_default();
    video.filters = read(dice.maybe(&["crop=40:30", "eq=brightness=0.1", "transpose"]));
    video.bit_depth = read(dice.maybe(&["8", "10"]));
    video.lut = (dice.roll(3) == 0).then(|| files[0].clone());
    if dice.roll(3) == 0 {
        let mut watermark = Watermark::new(files[1].clone());
        watermark.opacity_percent = 60;
        let reshapes = video
            .filters
            .as_ref()
            .and_then(|filters| filters.reshaping());
        watermark.width_percent = reshapes.is_none().then_some(20);
        video.watermark = Some(watermark);
    }
}

/// The inputs: even and odd sizes, wide pixels, ten bits, fields, uneven times, turned.
fn inputs(studio: &Studio) -> Vec<PathBuf> {
    let x264 = "-c:v libx264 -preset ultrafast";
    let of = |name: &str, size: &str, more: &str| {
        studio.make(
            name,
            &format!(
                "-f lavfi -i testsrc2=size={size}:rate=25 -f lavfi -i sine=d=1 -t 1 -c:a aac {more}"
            ),
        )
    };
    vec![
        of(
            "even.mp4",
            "64x48",
            &format!("-pix_fmt yuv420p -bf 2 {x264}"),
        ),
        of("odd.mkv", "65x49", "-pix_fmt yuv444p -c:v ffv1"),
        of(
            "wide.mkv",
            "60x48",
            &format!("-vf setsar=64/45 -pix_fmt yuv420p {x264}"),
        ),
        of("deep.mkv", "64x48", "-pix_fmt yuv420p10le -c:v ffv1"),
        of(
            "fields.ts",
            "64x48",
            "-vf interlace -flags +ilme+ildct -pix_fmt yuv420p -c:v mpeg2video",
        ),
        of(
            "uneven.mkv",
            "64x48",
            &format!(
                "-vf setpts='if(lt(N\\,12)\\,N/25\\,0.48+(N-12)/10)/TB' -fps_mode passthrough -enc_time_base 1/1000 \
                 -pix_fmt yuv420p {x264}"
            ),
        ),
        studio.rotated(),
    ]
}

#[tokio::test]
async fn any_combination_is_accepted_by_ffmpeg_and_by_the_gate() {
    let mut dice = Dice(7);
    for studio in Studio::each() {
        let inputs = inputs(&studio);
        let (table, logo) = (studio.path("half.cube"), studio.path("logo.png"));
        let colours = [
            "0 0 0", ".5 0 0", "0 .5 0", ".5 .5 0", "0 0 .5", ".5 0 .5", "0 .5 .5", ".5 .5 .5",
        ];
        std::fs::write(&table, format!("LUT_3D_SIZE 2\n{}\n", colours.join("\n")))
            .expect("written");
        studio.make(
            "logo.png",
            "-f lavfi -i color=red:s=16x8 -frames:v 1 -update 1",
        );
        let files = [&table, &logo].map(|path| Location::file(path).expect("absolute"));
        for case in 0..16 {
            let input = &inputs[case % inputs.len()];
            let containers = [Container::Mkv, Container::Mp4];
            let container = containers[dice.roll(containers.len())];
            let encoder =
                ["libx264", "ffv1"][usize::from(container == Container::Mkv) * dice.roll(2)];
            let recipe = studio::with(recipe(encoder, container), |video| {
                choose(&mut dice, video, &files);
            });
            let recipe: Recipe = match dice.maybe(&["0.2-0.8", "0.5-", "-0.6"]) {
                Some(trim) => recipe
                    .edit(|draft| draft.trim = Some(trim.parse().expect("a part")))
                    .expect("a sound recipe"),
                None => recipe,
            };
            let name = input.file_name().expect("a name").to_string_lossy();
            match studio.encode(input, &recipe).await {
                Ok(checked) => assert!(checked.frames > 0, "{case}: {name}: {recipe}"),
                // It says what does not work, and what does.
                Err(failure) => {
                    let is_foreseen = [
                        "nlmeans works on 8 bits",
                        "leaves nothing of video",
                        "choose an earlier beginning",
                    ]
                    .iter()
                    .any(|known| failure.message.contains(known));
                    assert!(
                        is_foreseen,
                        "{case}: {name}: {recipe}: {failure}\n{:#?}",
                        failure.log
                    );
                }
            }
        }
    }
}
