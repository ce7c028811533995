//! A store that refuses requests, does not answer, breaks off, or is full.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use harness::farm::Farm;
use harness::faults::proxy::{Fate, Request};
use harness::faults::victim::Victim;
use harness::outside::audit::{Acknowledged, Auditor, OutputPlace};
use harness::paths;
use harness::servers::store::TestStore;

const FILMS: [&str; 3] = ["h264.mp4", "vp9.webm", "hevc.mkv"];

/// A farm with one worker whose store behaves like this: all jobs complete all the same. `judge` gets the number of
/// requests that it has spoilt so far.
async fn all_end_well(
    store: &TestStore,
    name: &str,
    judge: impl Fn(&Request, usize) -> Fate + Send + Sync + 'static,
) {
    let farm = Farm::start().await;
    let victim = Victim::join(&farm, store, "w").await;
    let spoilt = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&spoilt);
    victim.store.judge(move |request| {
        let fate = judge(request, count.load(Ordering::Relaxed));
        if fate != Fate::Passed {
            count.fetch_add(1, Ordering::Relaxed);
        }
        fate
    });
    let mut all = Vec::new();
    for film in FILMS {
        let output = format!("{film}.mkv");
        let job = store
            .job(
                &format!("in/{film}"),
                &format!("{name}/{output}"),
                "libx264",
            )
            .await;
        farm.enqueue(&job).await;
        all.push(Acknowledged::new(job.id, output, &paths::media(film)));
    }
    let auditor = Auditor::connect(farm.url()).await;
    let place = OutputPlace::Bucket(store, format!("{name}/"));
    let tally = auditor.settled(&all, &place, &farm.scratch()).await;
    assert_eq!(tally.completed, all.len(), "{name}");
    assert!(spoilt.load(Ordering::Relaxed) > 0, "{name}: nothing broke");
}

#[tokio::test]
async fn a_store_that_fails_now_and_then_costs_time_and_nothing_else() {
    let folder = paths::test_folder();
    let store = TestStore::start(folder.path()).await;
    for film in FILMS {
        store.put(&paths::media(film), &format!("in/{film}")).await;
    }
    let turn = AtomicUsize::new(0);
    let one_in_five = all_end_well(&store, "fails", move |_, spoilt| {
        match turn.fetch_add(1, Ordering::Relaxed) % 5 {
            3 if spoilt % 2 == 0 => Fate::Refused(500),
            3 => Fate::Refused(503),
            _ => Fate::Passed,
        }
    });
    let silent = all_end_well(&store, "is-silent", |request, spoilt| {
        if request.subject.starts_with("GET ") && spoilt == 0 {
            Fate::Ignored
        } else {
            Fate::Passed
        }
    });
    let breaks_off = all_end_well(&store, "breaks-off", |request, spoilt| {
        if request.subject.starts_with("GET ") && spoilt < 2 {
            Fate::CutShort(30_000)
        } else {
            Fate::Passed
        }
    });
    let full = all_end_well(&store, "is-full", |request, spoilt| {
        if request.subject.starts_with("PUT ") && spoilt < 4 {
            Fate::Refused(507)
        } else {
            Fate::Passed
        }
    });
    // The output is there, but its worker never gets the answer.
    let mute = all_end_well(&store, "is-mute", |request, spoilt| {
        let commits = request.subject.starts_with("POST ") && request.subject.contains("uploadId=");
        if commits && spoilt < 2 {
            Fate::CutShort(0)
        } else {
            Fate::Passed
        }
    });
    join_all([
        Box::pin(one_in_five) as std::pin::Pin<Box<dyn Future<Output = ()>>>,
        Box::pin(silent),
        Box::pin(breaks_off),
        Box::pin(full),
        Box::pin(mute),
    ])
    .await;
}
