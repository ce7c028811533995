//! How long an idle worker takes to begin a job.

use std::time::Duration;

use common::job::event::What;
use harness::farm::Farm;
use harness::faults::stand_in::{STARTED, StandIn};
use harness::outside::media::Media;
use harness::poll;
use jiff::Timestamp;

use crate::figure::{Figure, median};

const JOBS: usize = 21;

pub(crate) async fn measure() -> Vec<Figure> {
    let farm = Farm::start().await;
    let ffmpeg = StandIn::new(&farm.folder().join("ffmpeg")).with_stamp();
    let _worker = farm
        .join(farm.worker("idle").encoders("libx264").ffmpeg(&ffmpeg))
        .await;
    let clip = harness::paths::media("names/two words.mp4");
    let (mut until_claimed, mut until_ffmpeg) = (Vec::new(), Vec::new());
    for number in 0..JOBS {
        let input = farm.folder().join(format!("{number}.mp4"));
        std::fs::copy(&clip, &input).expect("there is room");
        let job = farm.job(&input, "libx264");
        let enqueued = Timestamp::now();
        farm.enqueue(&job).await;
        farm.completed(&job.id).await;
        let output = Media::of(&farm.out().join(format!("{number}.mkv")));
        let nanoseconds: i128 = output
            .tag(STARTED)
            .and_then(|tag| tag.parse().ok())
            .expect("the stamp");
        until_ffmpeg.push((nanoseconds - enqueued.as_nanosecond()) as f64 / 1e6);
        let claimed = poll::until("the record of the claim", async || {
            let history = farm.view.events(&job.id).await.ok()?;
            history
                .iter()
                .find(|event| matches!(event.what, What::Claimed(_)))
                .map(|event| event.at)
        })
        .await;
        until_claimed.push((claimed.as_nanosecond() - enqueued.as_nanosecond()) as f64 / 1e6);
        // Idle means that the worker's heartbeat says so, too.
        poll::until("the worker to be idle", async || {
            farm.heartbeat("idle")
                .await?
                .running
                .is_empty()
                .then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    // The first job makes the lane.
    let (claimed, ffmpeg) = (median(&until_claimed[1..]), median(&until_ffmpeg[1..]));
    vec![
        Figure {
            what: "enqueue to ffmpeg's start, idle worker, median",
            measured: format!("{ffmpeg:.1} ms"),
            goal: "≤ 10 ms".to_owned(),
            reached: Some(ffmpeg <= 10.0),
        },
        Figure {
            what: "of which enqueue to claim",
            measured: format!("{claimed:.1} ms"),
            goal: String::new(),
            reached: None,
        },
    ]
}
