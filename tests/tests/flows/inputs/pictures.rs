//! What a job finds in the pictures of its input: shown before the encode, and done by it.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::browser::Browser;
use harness::farm::Farm;
use harness::outside::media::Media;
use harness::programs::monitor::TestMonitor;

/// A short interlaced film with black borders.
fn film(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let film = folder.join("film.mkv");
    let bars = "testsrc2=size=256x144:rate=50:duration=1.2,format=yuv420p";
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg(format!("{bars},interlace=scan=tff,pad=288:216:16:32:black"))
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-crf", "5"])
        .args(["-flags", "+ildct+ilme", "-x264-params", "tff=1"])
        .arg(&film)
        .status()
        .unwrap();
    assert!(made.success());
    film
}

#[tokio::test]
async fn borders_and_combs_are_found_before_the_encode_and_gone_after_it() {
    let farm = Farm::start().await;
    let folder = farm.folder().join("in");
    film(&folder);
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let order = |further: &str| {
        let line = format!("--encoder libx264 --deinterlace auto {further}");
        let mut words = vec!["enqueue".to_owned(), folder.display().to_string()];
        words.extend(line.split_whitespace().map(str::to_owned));
        words
    };
    // A forecast has little time. What it had no time for on a busy machine, it says; the job finds all.
    let told = farm.producer(order("-o out --crop auto --dry-run")).await;
    let told = told.succeeded().stdout;
    for (found, later) in [
        ("black borders 32:40:16:16", "the job will find them"),
        ("combed throughout", "the job will look for combs"),
    ] {
        let is_honest = [found, later, "not probed"]
            .iter()
            .any(|words| told.contains(words));
        assert!(is_honest, "neither {found} nor {later} in: {told}");
    }
    farm.producer(order("-o out --crop auto --wait"))
        .await
        .succeeded();
    let made = Media::of(&farm.out().join("film.mkv"));
    assert_eq!(made.film().size(), (256, 144));
    let runs = farm.view.runs().await.unwrap();
    let id = runs[0].job.id;
    let job = farm
        .producer(["job", &id.to_string()])
        .await
        .succeeded()
        .stdout;
    assert!(job.contains("black borders 32:40:16:16"), "{job}");
    assert!(job.contains("combed throughout"), "{job}");

    let monitor = TestMonitor::start(&farm).await;
    let url = format!("{}/#/jobs/{id}", monitor.url());
    let mut browser = Browser::open(&url, farm.folder()).await;
    browser.shows("black borders 32:40:16:16").await;

    // Borders that leave nothing of the picture are foreseen.
    let told = farm
        .producer(order("-o out/more --crop 100:116:0:0 --dry-run"))
        .await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stdout.contains("leaves nothing"), "{told:?}");
}
