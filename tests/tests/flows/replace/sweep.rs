//! Workers remove originals from trashes once their time is over, and nothing else.

use std::path::{Path, PathBuf};

use harness::farm::Farm;
use harness::process::Signal;
use harness::{paths, poll};

use super::{batch_in, seen};

/// Sets the time until which a trash keeps the originals of these records.
fn keep_until(records: &Path, time: &str) {
    for entry in std::fs::read_dir(records).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(record["body"]["until"].is_string(), "{record}");
        record["body"]["until"] = time.into();
        std::fs::write(entry.path(), record.to_string()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn originals_whose_time_is_over_go_and_nothing_else_does() {
    let farm = Farm::start().await;
    let worker = |name: &str| {
        farm.worker(name)
            .encoders("libx264")
            .roots(&[farm.folder()])
    };
    let mut first = farm.join(worker("first")).await;
    let replace = async |folder: &str, more: &[&str]| {
        let films = farm.folder_of(folder, &[paths::media("h264.mp4")]);
        let usual = ["--replace", "--wait", "--encoder", "libx264"];
        let line = ["enqueue", folder].into_iter().chain(usual);
        farm.producer(line.chain(more.iter().copied()))
            .await
            .succeeded();
        films
    };
    // A trash that has lost its marker is no trash of the farm's any more.
    let unmarked = replace("unmarked", &[]).await;
    let old = replace("old", &[]).await;
    let young = replace("young", &[]).await;
    first.process.signal(Signal::TERM);
    first.process.wait().await;

    let trash = |films: &Path| -> (PathBuf, PathBuf) {
        let trash = films.join(".ffmpeg-easy-trash");
        let batch = trash.join(batch_in(films));
        (trash, batch)
    };
    let past = "2020-01-01T00:00:00Z";
    keep_until(&trash(&unmarked).1.join("records"), past);
    std::fs::remove_file(trash(&unmarked).0.join("ffmpeg-easy.mark")).unwrap();
    let (_, of_old) = trash(&old);
    keep_until(&of_old.join("records"), past);
    let original = of_old.join("files/h264.mp4");
    assert!(original.exists());
    // Files of a stranger: beside the original, with a record that is not where it belongs, and in the trash itself.
    let strange = [
        of_old.join("files/stranger.mp4"),
        of_old.join("records/stranger.json"),
        trash(&old).0.join("notes.txt"),
    ];
    let record = std::fs::read_dir(of_old.join("records")).unwrap().next();
    let record = record.unwrap().unwrap().path();
    std::fs::copy(&record, &strange[1]).unwrap();
    for file in [&strange[0], &strange[2]] {
        std::fs::write(file, "not the farm's").unwrap();
    }
    let untouched = [seen(&unmarked), seen(&young)];
    let replaced = std::fs::read(old.join("h264.mkv")).unwrap();

    let _second = farm.join(worker("second")).await;
    poll::until("the old original to go", async || {
        (!original.exists() && !record.exists()).then_some(())
    })
    .await;
    for file in strange {
        assert!(file.exists(), "{} is a stranger's", file.display());
    }
    assert_eq!(std::fs::read(old.join("h264.mkv")).unwrap(), replaced);
    assert_eq!([seen(&unmarked), seen(&young)], untouched);
    // What has time left comes back; what is gone does not.
    let undone = farm.producer(["undo", &batch_in(&young)]).await;
    undone.succeeded();
    assert!(young.join("h264.mp4").exists());
    let gone = farm.producer(["undo", &batch_in(&old)]).await;
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert_eq!(std::fs::read(old.join("h264.mkv")).unwrap(), replaced);
}
