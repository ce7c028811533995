//! Files that a recipe names: a colour table and a watermark go to the store with the inputs, and a worker that reaches
//! nothing else uses them. A part of an object is read by its URL.

use std::path::Path;
use std::process::Command;

use harness::farm::{Farm, copy_into};
use harness::outside::media::Media;
use harness::paths;
use harness::process::{self, Ran};
use harness::servers::store::TestStore;

/// Makes a file with ffmpeg.
fn make(path: &Path, source: &str) {
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", source])
        .args(["-frames:v", "1", "-update", "1"])
        .arg(path)
        .status();
    assert!(made.expect("ffmpeg runs").success());
}

/// The mean red, green and blue of a corner of the first frame: 10 by 10 pixels at the bottom right, inside the margin.
fn corner(file: &Path) -> [u8; 3] {
    let shown = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args(["-frames:v", "1", "-vf"])
        .arg("crop=10:10:iw-ih/50-20:ih-ih/50-20,scale=1:1:flags=area,format=rgb24")
        .args(["-f", "rawvideo", "-"])
        .output()
        .expect("ffmpeg runs");
    <[u8; 3]>::try_from(shown.stdout.as_slice()).expect("one pixel")
}

#[tokio::test]
async fn files_of_a_recipe_reach_a_worker_that_reaches_the_store_only() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let setup = farm.worker("w").encoders("libx264").roots(&[]);
    let _worker = farm.join(setup.environment(store.environment())).await;
    let path = |name: &str| farm.folder().join(name);
    copy_into(&path("in"), &[paths::media("h264.mp4")]);
    make(&path("logo.png"), "color=red:s=40x40");
    // A table that keeps all colours.
    let values = |n: u32| ["0", "1"][n as usize];
    let colours: Vec<String> = (0..8)
        .map(|n| {
            format!(
                "{} {} {}",
                values(n & 1),
                values(n >> 1 & 1),
                values(n >> 2)
            )
        })
        .collect();
    let table = format!("LUT_3D_SIZE 2\n{}\n", colours.join("\n"));
    std::fs::write(path("look.cube"), table).expect("written");
    let enqueue = async |further: &[&str]| -> Ran {
        let mut command = farm.producer_command();
        command
            .envs(store.environment())
            .args([
                "enqueue",
                "in",
                "-o",
                "out",
                "--store",
                "s3://media",
                "--wait",
                "--json",
            ])
            .args(["--encoder", "libx264", "--encoder-preset", "ultrafast"])
            .args([
                "--lut",
                "look.cube",
                "--watermark",
                "logo.png",
                "--trim",
                "0.5-1",
            ])
            .args(further);
        process::run(command).await
    };
    let outcome = enqueue(&[]).await.succeeded().json();
    assert_eq!(outcome["done"], 1, "{outcome:#}");
    let made = farm.out().join("h264.mkv");
    assert!((Media::of(&made).duration() - 0.5).abs() < 0.1);
    let [red, green, blue] = corner(&made);
    assert!(red > 200 && green < 60 && blue < 60, "{red} {green} {blue}");

    // The same files make the same job, and another picture under the same name makes another one.
    let outcome = enqueue(&[]).await.succeeded().json();
    assert_eq!(outcome["added"], 0, "{outcome:#}");
    make(&path("logo.png"), "color=blue:s=40x40");
    let outcome = enqueue(&["--overwrite"]).await.succeeded().json();
    assert_eq!(outcome["added"], 1, "{outcome:#}");
    let [red, green, blue] = corner(&made);
    assert!(red < 60 && green < 60 && blue > 200, "{red} {green} {blue}");

    // What cannot be used is told before anything is sent.
    std::fs::write(path("look.cube"), "no table").expect("written");
    let refused = enqueue(&["--overwrite"]).await;
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("line 1 is no colour"),
        "{}",
        refused.stderr
    );
    std::fs::remove_file(path("look.cube")).expect("ours");
    let refused = enqueue(&["--overwrite"]).await;
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("the colour table cannot be read"),
        "{}",
        refused.stderr
    );
}
