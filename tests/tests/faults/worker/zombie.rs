//! A worker that is cut off, and comes back after another worker has taken its job over.

use std::path::Path;

use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::process::Signal;
use harness::{outside, paths, poll};
use jiff::Timestamp;

#[tokio::test]
async fn a_zombie_neither_finishes_nor_overwrites_what_another_took_over() {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let zombie = farm
        .join(farm.worker("zombie").encoders("libx264").ffmpeg(&ffmpeg))
        .await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &zombie).await;
    let heir = farm.join(farm.worker("heir").encoders("libx264")).await;

    zombie.process.signal(Signal::STOP);
    let (run, report) = farm.completed(&job.id).await;
    assert_eq!(report.worker.as_str(), heir.name);
    let output = farm.out().join("h264.mkv");
    let published = outside::which(&output);

    // Its ffmpeg completes while the worker is stopped, so only the publication is left.
    ffmpeg.recover();
    poll::until("the zombie's ffmpeg to end", async || {
        let scratch = farm.scratch_of("zombie");
        let encodes = outside::encodes_in(&scratch);
        // A process that has ended has no command line any more, even before it is reaped.
        encodes.is_empty().then_some(())
    })
    .await;
    let woken = Timestamp::now();
    zombie.process.signal(Signal::CONT);

    poll::until("the zombie to let go of the job", async || {
        let heartbeat = farm.heartbeat("zombie").await?;
        (heartbeat.at > woken && heartbeat.running.is_empty()).then_some(())
    })
    .await;
    assert_eq!(
        outside::which(&output),
        published,
        "the output was overwritten"
    );
    assert_eq!(
        farm.run(&job.id).await,
        Some(run),
        "the run was written again"
    );
    assert_eq!(outside::names(&farm.out()), [Path::new("h264.mkv")]);
    assert_eq!(outside::scratch_files(&farm.scratch()), Vec::<&Path>::new());
    assert_eq!(farm.queued().await, 0);

    // The worker still works: it completes the next job.
    let next = farm.job(&paths::media("vp9.webm"), "libx264");
    farm.enqueue(&next).await;
    farm.completed(&next.id).await;
}
