//! A broker that does not answer polls. Nothing else of the worker waits for a poll.

use common::job::run::RunState;
use harness::farm::Farm;
use harness::faults::proxy::{Fate, Protocol, Proxy};
use harness::faults::stand_in::{Fault, StandIn};
use harness::process::Signal;
use harness::{paths, poll};
use jiff::Timestamp;

#[tokio::test]
async fn a_poll_that_hangs_holds_up_neither_heartbeats_nor_ended_jobs_nor_a_stop() {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    let proxy = Proxy::start(Protocol::Nats, farm.broker.port());
    let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let setup = setup
        .option("--nats", proxy.nats_url())
        .option("--max-jobs", "2");
    let mut worker = farm.join(setup).await;
    ffmpeg.set_fault(Fault::Held);
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &worker).await;

    // The worker polls for its second slot, and gets no answer.
    let mut hanging = proxy.hold(|request| request.subject.contains("CONSUMER.MSG.NEXT"));
    let waiting = farm.job(&paths::media("vp9.webm"), "libx264");
    farm.enqueue(&waiting).await;
    hanging.caught("a poll").await;
    // Every poll is lost from now on, and everything else passes.
    proxy.judge(|request| {
        if request.subject.contains("CONSUMER.MSG.NEXT") {
            Fate::Lost
        } else {
            Fate::Passed
        }
    });
    hanging.decide(Fate::Lost);
    let since = Timestamp::now();
    ffmpeg.recover();
    let run = farm.ended(&job.id).await;
    assert!(matches!(run.state, RunState::Completed { .. }), "{run:#?}");
    poll::until("heartbeats of a worker without a job", async || {
        let said = farm.heartbeat("w").await?;
        (said.at > since && said.running.is_empty()).then_some(())
    })
    .await;
    // The worker still polls, and stops at once.
    worker.process.signal(Signal::TERM);
    let status = worker.process.wait().await;
    assert!(status.success(), "{status}");
    assert!(farm.heartbeat("w").await.is_none(), "it signed off");
    assert!(farm.run(&waiting.id).await.is_none(), "nobody took it");
}
