//! The frames of a job's input and output that people compare: the same picture of the film, whatever its times.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use common::farm::preview::{FrameTimes, JobFile, Preview, PreviewKind};
use common::job::Job;
use common::job::id::JobId;
use common::wire;
use harness::browser::Browser;
use harness::farm::Farm;
use harness::poll;
use harness::programs::monitor::TestMonitor;

/// How far the grey of a frame may be from that of its source, after two encodes.
const ALIKE: i32 = 9;

/// A film of three seconds whose frames have distinct greys: neighbours differ by 60.
fn film(folder: &Path, name: &str, more: &str) {
    let grey = "color=black:size=64x64:rate=25,geq=lum='16+mod(N*60\\,210)':cb=128:cr=128";
    let arguments =
        format!("-f lavfi -i sine -t 3 -c:v libx264 -crf 8 -bf 2 -g 12 -c:a aac {more}");
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", grey])
        .args(arguments.split_whitespace())
        .arg(folder.join(name))
        .status();
    assert!(made.unwrap().success(), "{name}");
}

/// The mean grey of a picture.
fn grey(picture: &Bytes) -> i32 {
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "mjpeg", "-i", "-", "-vf", "scale=1:1"])
        .args(["-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut into = child.stdin.take().unwrap();
    into.write_all(picture).unwrap();
    drop(into);
    let made = child.wait_with_output().unwrap();
    i32::from(made.stdout[0])
}

async fn ask(farm: &Farm, job: JobId, side: JobFile, what: PreviewKind) -> Bytes {
    let preview = Preview { job, side, what };
    let worker = "w".parse().unwrap();
    let answer = farm.view.preview(&worker, &preview).await;
    answer.unwrap_or_else(|why| panic!("{preview:?}: {why}"))
}

async fn encoded(farm: &Farm, name: &str, trim: Option<&str>) -> Job {
    let mut job = farm.job(&farm.folder().join(name), "libx264");
    job.recipe = job
        .recipe
        .edit(|draft| draft.trim = trim.map(|trim| trim.parse().unwrap()))
        .unwrap();
    let job = Job::of(job.batch, job.work(), None);
    farm.enqueue(&job).await;
    farm.completed(&job.id).await;
    job
}

#[tokio::test]
async fn input_and_output_show_the_same_frame() {
    let farm = Farm::start().await;
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let plain = "-preset ultrafast";
    for (name, more, trim) in [
        ("plain.mp4", plain, None),
        ("cut.mkv", plain, Some("1.03-2.6")),
    ] {
        film(farm.folder(), name, more);
        let job = encoded(&farm, name, trim).await;
        let times = ask(&farm, job.id, JobFile::Output, PreviewKind::FrameTimes(1.0)).await;
        let FrameTimes { times } = wire::decode(&times).unwrap();
        assert!(times.len() > 20, "{name}: {times:?}");
        assert!(
            times.windows(2).all(|pair| pair[0] < pair[1]),
            "{name}: {times:?}"
        );
        let mut greys = Vec::new();
        for time in [times[0], times[7], times[8], times[19]] {
            let output = grey(&ask(&farm, job.id, JobFile::Output, PreviewKind::Frame(time)).await);
            let input = grey(&ask(&farm, job.id, JobFile::Input, PreviewKind::Frame(time)).await);
            assert!(
                (input - output).abs() <= ALIKE,
                "{name} at {time}: {input}, {output}"
            );
            greys.push(output);
        }
        // The next frame is another one.
        assert!((greys[1] - greys[2]).abs() > 3 * ALIKE, "{name}: {greys:?}");
    }
}

/// The page shows both under one divider, which keys move, and zooms both alike.
#[tokio::test]
async fn the_page_compares_frame_by_frame() {
    let farm = Farm::start().await;
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    film(farm.folder(), "film.mp4", "-preset ultrafast");
    let job = encoded(&farm, "film.mp4", None).await;
    let monitor = TestMonitor::start(&farm).await;
    let address = format!("{}/#/jobs/{}", monitor.url().trim_end_matches('/'), job.id);
    let mut browser = Browser::open(&address, farm.folder()).await;
    browser.shows("Compare frame by frame").await;
    browser
        .evaluate("document.querySelector('.frame-slider').open = true")
        .await;
    let loaded = "[...document.querySelectorAll('.frame-stage img')].every((image) => image.complete && image.naturalWidth > 0) \
                  && !document.querySelector('.frame-stage').hasAttribute('data-loading')";
    browser.until("both pictures", loaded).await;

    // One after the other, the keys move the divider, zoom, and go to the next frame.
    let of = |what: &str| format!("String(document.querySelector('.frame-stage').{what})");
    browser
        .evaluate("document.querySelector('.frame-stage').focus()")
        .await;
    let key = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }))";
    browser.evaluate(&format!("String({key})")).await;
    let split = browser.evaluate(&of("getAttribute('aria-valuenow')")).await;
    assert_eq!(split, "52");
    let zoom = "const zoom = document.querySelector('[name=zoom]'); zoom.value = '4'; zoom.dispatchEvent(new Event('input'))";
    browser.evaluate(&format!("(() => {{ {zoom} }})()")).await;
    let transforms = "new Set([...document.querySelectorAll('.frame-stage img')].map((image) => getComputedStyle(image).transform)).size";
    assert_eq!(
        browser.evaluate(&format!("String({transforms})")).await,
        "1"
    );
    let level = browser
        .evaluate(&of("style.getPropertyValue('--level')"))
        .await;
    assert_eq!(level, "4");
    let source = "String(document.querySelector('.frame-stage img').src)";
    let before = browser.evaluate(source).await;
    browser.click("[data-step=forth]").await;
    let mut after = String::new();
    poll::until("the next frame", async || {
        after = browser.evaluate(source).await;
        (after != before).then_some(())
    })
    .await;
    let at = |address: &str| -> f64 {
        let at = address.split("at=").nth(1).unwrap();
        at.parse().unwrap()
    };
    let step = at(&after) - at(&before);
    assert!((0.001..0.0801).contains(&step), "{before} {after}");
    browser.picture("slider").await;
}
