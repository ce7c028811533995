//! `producer undo` without a farm, long after: outputs have gone, changed, or been replaced in turn, and other commands ran.
//! What a trash holds comes back, or undo names why not.

use std::path::Path;

use harness::process::{Daemon, Signal};
use harness::{paths, poll};

use super::here::Machine;
use super::{batch_in, batches_in, names, seen};

/// Another recipe than [`Machine::encode`].
const OTHER: [&str; 2] = ["--crf", "45"];

#[tokio::test]
async fn an_original_comes_back_though_its_output_has_gone_and_another_encode_ran() {
    let machine = Machine::new();
    let films = machine.films();
    let before = seen(&films);
    machine.run(&machine.encode()).await.succeeded();
    let batch = batch_in(&films);
    std::fs::remove_file(films.join("tracks.mkv")).unwrap();
    std::fs::copy(paths::media("h264.mp4"), films.join("later.mp4")).unwrap();
    machine.run(&machine.encode()).await.succeeded();
    assert_eq!(names(&films), ["later.mkv", "sub/h264.mkv"]);

    let undone = machine.run(&["undo", &batch]).await.succeeded();
    assert!(undone.stdout.contains("undone 2"), "{undone:?}");
    let now = seen(&films);
    for (name, original) in &before {
        assert_eq!(now.get(name), Some(original), "{}", name.display());
    }
    assert!(!batches_in(&films).contains(&batch));
}

#[tokio::test]
async fn a_refused_undo_is_done_once_the_output_is_as_it_was_and_a_dry_run_changes_nothing() {
    let machine = Machine::new();
    let films = machine.films();
    let before = seen(&films);
    machine.run(&machine.encode()).await.succeeded();
    let batch = batch_in(&films);
    let output = films.join("tracks.mkv");
    let made = std::fs::read(&output).unwrap();
    std::fs::write(&output, "edited").unwrap();
    let all = seen(machine.0.path());
    let refused = machine.run(&["undo", &batch, "--dry-run"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stdout.contains("refused for 1"), "{refused:?}");
    assert_eq!(
        all.keys().collect::<Vec<_>>(),
        seen(machine.0.path()).keys().collect::<Vec<_>>()
    );
    assert!(all == seen(machine.0.path()), "a dry run changes nothing");

    // The other film comes back, and this one later.
    for _ in 0..2 {
        let refused = machine.run(&["undo", &batch]).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(
            refused.stderr.contains("not what the job made"),
            "{refused:?}"
        );
        assert_eq!(names(&films), ["sub/h264.mp4", "tracks.mkv"]);
    }
    std::fs::write(&output, made).unwrap();
    machine.run(&["undo", &batch]).await.succeeded();
    assert_eq!(seen(&films), before);
}

#[tokio::test]
async fn what_was_replaced_twice_comes_back_step_by_step() {
    let machine = Machine::new();
    let films = machine.films();
    let before = seen(&films);
    machine.run(&machine.encode()).await.succeeded();
    let first = batch_in(&films);
    let once = names(&films);
    let mut encode = machine.encode();
    encode.extend(OTHER);
    machine.run(&encode).await.succeeded();
    let batches = batches_in(&films);
    let second = batches.iter().find(|batch| **batch != first).unwrap();
    assert_eq!(batches.len(), 2, "{batches:?}");

    let early = machine.run(&["undo", &first]).await;
    assert_eq!(early.code, Some(1), "{early:?}");
    assert!(early.stdout.contains("refused for 2"), "{early:?}");
    let undone = machine.run(&["undo", second]).await.succeeded();
    assert!(undone.stdout.contains("undone 2"), "{undone:?}");
    assert_eq!(names(&films), once);
    machine.run(&["undo", &first]).await.succeeded();
    assert_eq!(seen(&films), before);
    let again = machine.run(&["undo", &first]).await;
    assert_eq!(again.code, Some(2), "{again:?}");
}

#[tokio::test]
async fn an_encode_that_runs_elsewhere_does_not_stop_an_undo_and_all_ids_are_heeded() {
    let machine = Machine::new();
    let films = machine.films();
    let before = seen(&films);
    machine.run(&machine.encode()).await.succeeded();
    let batch = batch_in(&films);
    let encode = |folder: &'static str| {
        harness::farm::copy_into(&machine.0.path().join(folder), &[paths::media("h264.mp4")]);
        let mut encode = machine.encode();
        encode[1] = folder;
        encode
    };
    machine.run(&encode("more")).await.succeeded();
    let more = machine.0.path().join("more");
    let other = batch_in(&more);

    let running = stopped(&machine, &encode("running")).await;
    let left = machine.run(&["undo", &batch, "ffffffff", &other]).await;
    assert_eq!(left.code, Some(1), "{left:?}");
    assert!(left.stdout.contains("undone 3"), "{left:?}");
    for word in ["ffffffff", "/running is running"] {
        assert!(left.stderr.contains(word), "{word}: {left:?}");
    }
    assert_eq!(seen(&films), before);
    assert_eq!(names(&more), ["h264.mp4"]);
    running.signal(Signal::CONT);

    // The very folder is in use.
    machine.run(&machine.encode()).await.succeeded();
    let batch = batch_in(&films);
    let replaced = seen(&films);
    let mut again = machine.encode();
    again.extend(OTHER);
    let running = stopped(&machine, &again).await;
    let left = machine.run(&["undo", &batch]).await;
    assert_ne!(left.code, Some(0), "{left:?}");
    assert!(
        left.stderr.contains("is encoding into that folder"),
        "{left:?}"
    );
    assert!(!left.stderr.contains("-o"), "{left:?}");
    for (name, original) in &replaced {
        if name.starts_with(".ffmpeg-easy-trash") {
            assert!(seen(&films).get(name) == Some(original), "{left:?}");
        }
    }
    running.signal(Signal::CONT);
}

/// A command that has begun to encode and is frozen.
async fn stopped(machine: &Machine, arguments: &[&str]) -> Daemon {
    let log = machine.0.path().join("running.log");
    let running = Daemon::start("producer", machine.command(arguments), &log);
    poll::until("the command to hold its state", async || {
        let all = seen(machine.0.path()).into_keys();
        let mut stores = all.filter(|path| is_in(path, "ports"));
        stores.next()
    })
    .await;
    running.signal(Signal::STOP);
    running
}

fn is_in(path: &Path, folder: &str) -> bool {
    path.parent().is_some_and(|parent| parent.ends_with(folder))
}

#[tokio::test]
async fn an_undo_after_the_trash_was_emptied_says_so() {
    let machine = Machine::new();
    let films = machine.films();
    machine.run(&machine.encode()).await.succeeded();
    let batch = batch_in(&films);
    machine
        .run(&["trash", "films", "--empty", &batch])
        .await
        .succeeded();
    std::fs::remove_file(films.join("tracks.mkv")).unwrap();
    machine.run(&machine.encode()).await.succeeded();
    let refused = machine.run(&["undo", &batch]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stdout.contains("refused for 2"), "{refused:?}");
    assert!(
        refused.stderr.contains("does not hold the original"),
        "{refused:?}"
    );
}
