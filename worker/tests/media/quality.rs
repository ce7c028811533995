//! Target quality: the answer of a search is measured again by a second ffmpeg; and the floor.

use std::path::Path;
use std::process::Command;

use common::job::failure::Fault;
use common::recipe::{Container, Metric, Rate, Recipe};

use crate::studio;
use crate::studio::Studio;

/// The recipe of tests, with a target.
fn target(score: &str, max_percent: u32) -> Recipe {
    studio::with(studio::recipe("libx264"), |video| {
        video.preset = Some("ultrafast".parse().expect("a word"));
        video.rate = Rate::Target(common::recipe::QualityTarget {
            score: score.parse().expect("a score"),
            max_percent,
        });
    })
}

/// The recipe of tests at a quality, with a floor.
fn floor(crf: f64, floor: &str) -> Recipe {
    studio::with(target("ssim=0.9", 100), |video| {
        video.rate = Rate::Crf(crf);
        video.floor = Some(floor.parse().expect("a score"));
    })
}

impl Studio {
    /// A clip with noise, which is hard to encode. Its source is large.
    fn noisy(&self) -> std::path::PathBuf {
        let noise = "-vf noise=alls=12:allf=t+u,format=yuv420p -frames:v 25";
        self.clip(
            "noisy.mkv",
            &format!("{noise} -c:v libx264 -preset ultrafast -qp 4"),
        )
    }

    /// The SSIM or VMAF of a file, by a command line of this test.
    fn measured(&self, metric: Metric, made: &Path, source: &Path, filters: &str) -> f64 {
        let (graph, mark) = match metric {
            Metric::Vmaf => ("scale=1920:-1:flags=bicubic", "VMAF score: "),
            Metric::Xpsnr => ("null", "minimum: "),
            Metric::Ssim => ("null", "All:"),
        };
        let filter = if metric == Metric::Vmaf {
            "libvmaf"
        } else {
            metric.name()
        };
        let graph = format!(
            "[0:v]{graph},setpts=N/25/TB[a];[1:v]{filters},{graph},setpts=N/25/TB[b];[a][b]{filter}"
        );
        let told = Command::new(self.tool())
            .args(["-nostdin", "-hide_banner", "-i"])
            .arg(made)
            .arg("-i")
            .arg(source)
            .args(["-lavfi", &graph, "-an", "-f", "null", "-"])
            .output()
            .expect("ffmpeg runs");
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        let (_, rest) = told.rsplit_once(mark).expect(&told);
        let number = rest.split([' ', ')', '\n']).next().expect("a number");
        number.parse().expect(number)
    }
}

#[tokio::test]
async fn the_found_quality_reaches_the_target_and_the_next_one_does_not() {
    for studio in Studio::each() {
        let source = studio.noisy();
        let (metric, asked, step) = if studio.is_recent() {
            (Metric::Vmaf, "vmaf=90", 1.0)
        } else {
            (Metric::Ssim, "ssim=0.97", 0.5)
        };
        let recipe = target(asked, 100);
        let (found, shares) = studio.search(&source, &recipe).await.expect("found");
        assert_eq!((found.metric, found.workers.len()), (metric, 1));
        assert!(
            found.tries <= 8 && found.encodes == found.tries,
            "{found:?}"
        );
        assert!(found.percent > 0.0 && found.percent < 100.0, "{found:?}");
        assert!(
            shares.is_sorted() && shares.last() < Some(&1.0),
            "{shares:?}"
        );
        let least = asked
            .parse::<common::recipe::Score>()
            .expect("a score")
            .value;
        assert!(found.score >= least, "{found:?}");
        // The whole clip is its sample, so the output has the score that was found.
        studio.encode(&source, &recipe).await.expect("encoded");
        let score = studio.measured(metric, &studio.output(), &source, "null");
        let off = (score - found.score).abs() / least;
        assert!(off < 0.002, "{found:?} and {score}");
        let worse = studio::with(recipe, |video| video.rate = Rate::Crf(found.crf + step));
        studio.encode(&source, &worse).await.expect("encoded");
        let score = studio.measured(metric, &studio.output(), &source, "null");
        assert!(score < least, "{found:?}, and half a step on {score}");
    }
}

#[tokio::test]
async fn the_source_passes_the_same_filters_as_the_encode() {
    for studio in Studio::each() {
        let source = studio.noisy();
        let recipe = studio::with(target("ssim=0.95", 100), |video| {
            video.crop = "8:8:16:16".parse().expect("borders");
            video.scale = Some("96x54".parse().expect("a size"));
            video.filters = Some("hue=s=0".parse().expect("filters"));
        });
        let (found, _) = studio.search(&source, &recipe).await.expect("found");
        assert!(found.score >= 0.95, "{found:?}");
        studio.encode(&source, &recipe).await.expect("encoded");
        let filters = "crop=128:74:16:8,hue=s=0,scale=96:54";
        let score = studio.measured(Metric::Ssim, &studio.output(), &source, filters);
        assert!((score - found.score).abs() < 0.004, "{found:?} and {score}");
        // Players turn this one, and so does the encode.
        let turned = studio.rotated();
        let (found, _) = studio
            .search(&turned, &target("ssim=0.95", 1000))
            .await
            .expect("found");
        assert!(found.score >= 0.95, "{found:?}");
    }
}

#[tokio::test]
async fn a_target_that_costs_too_much_is_refused_with_the_best_result() {
    let studio = Studio::new();
    // A source that is as small as it gets.
    let source = studio.clip(
        "small.mp4",
        "-frames:v 25 -c:v libx264 -crf 48 -pix_fmt yuv420p",
    );
    let failure = studio
        .search(&source, &target("ssim=0.995", 80))
        .await
        .expect_err("too large");
    assert_eq!(failure.fault, Fault::Input);
    assert!(
        failure.message.starts_with(
            "no quality reaches ssim 0.995 within 80 % of the source's video: best was ssim 0."
        ),
        "{failure}"
    );
}

#[tokio::test]
async fn an_output_below_the_floor_fails_with_its_score() {
    for studio in Studio::each() {
        let source = studio.noisy();
        let metric = if studio.is_recent() {
            "xpsnr=45"
        } else {
            "ssim=0.99"
        };
        let failure = studio.encode(&source, &floor(48.0, metric)).await;
        let failure = failure.expect_err("too bad");
        assert_eq!(failure.fault, Fault::Input);
        assert!(failure.message.contains("below the floor of"), "{failure}");
        studio
            .encode(&source, &floor(1.0, metric))
            .await
            .expect("good enough");
    }
}

/// Samples of a longer film are read from its middle, from two containers that count time differently, and with sound
/// that begins at another time than the picture.
#[tokio::test]
async fn samples_of_an_output_meet_the_same_pictures_of_the_source() {
    for studio in Studio::each() {
        let source = studio.make(
            "long.mkv",
            "-f lavfi -i testsrc2=size=64x48:rate=24000/1001 -itsoffset 0.3 -f lavfi -i sine -t 40 -c:v libx264 \
             -preset ultrafast -qp 4 -pix_fmt yuv420p -g 50 -c:a aac",
        );
        for container in [Container::Mkv, Container::Mp4] {
            let recipe = floor(20.0, "ssim=0.5")
                .edit(|draft| draft.container = container)
                .expect("sound");
            let measured = studio.floor(&source, &recipe).await.expect("passed");
            let whole = studio.measured(Metric::Ssim, &studio.output(), &source, "null");
            // Pictures of another time would look much less alike.
            assert!(
                (measured.score - whole).abs() < 0.005,
                "{measured:?}, {whole}"
            );
        }
    }
}
