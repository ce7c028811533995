//! Workers that end by themselves, as autoscalers start them.

use std::process::Command;

use common::job::Job;
use common::job::split::Split;
use harness::farm::Farm;
use harness::{paths, poll};

use crate::steer::pending;

#[tokio::test]
async fn a_worker_ends_once_it_has_been_idle_and_leaves_nothing_behind() {
    let farm = Farm::start().await;
    let jobs = [
        pending(&farm, "h264.mp4", "libx264").await,
        pending(&farm, "vp9.webm", "libx264").await,
    ];
    let setup = farm.worker("w").encoders("libx264");
    let mut worker = setup.option("--exit-when-idle", "2s").spawn();
    for job in &jobs {
        farm.completed(&job.id).await;
    }
    assert_eq!(worker.process.wait().await.code(), Some(0));
    assert!(
        worker.process.log().contains("it has run no job for 2s"),
        "{}",
        worker.process.log()
    );
    assert_eq!(farm.queued().await, 0);
    poll::until("it to have signed off", async || {
        farm.heartbeat("w").await.is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_worker_of_one_job_takes_one_and_leaves_the_others() {
    let farm = Farm::start().await;
    let jobs = [
        pending(&farm, "h264.mp4", "libx264").await,
        pending(&farm, "vp9.webm", "libx264").await,
        pending(&farm, "hevc.mkv", "libx264").await,
    ];
    for done in 1..=2 {
        // It has room for more at once.
        let setup = farm.worker("w").encoders("libx264");
        let setup = setup.option("--max-jobs", "3");
        let mut worker = setup.option("--max-total-jobs", "1").spawn();
        assert_eq!(worker.process.wait().await.code(), Some(0));
        let mut ended = 0;
        for job in &jobs {
            let run = farm.run(&job.id).await;
            ended += usize::from(run.is_some_and(|run| run.state.is_terminal()));
        }
        assert_eq!(ended, done);
    }
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    for job in &jobs {
        let (run, _) = farm.completed(&job.id).await;
        assert_eq!(run.spent(), 1, "nothing was begun in vain: {run:#?}");
    }
}

#[tokio::test]
async fn parts_of_a_split_film_count_as_jobs() {
    let farm = Farm::start().await;
    let film = farm.folder().join("film.mkv");
    let line = "-v error -f lavfi -i testsrc2=s=320x180:r=24:d=6 -c:v libx264 -g 24";
    let made = Command::new(paths::tool("ffmpeg"))
        .args(line.split(' '))
        .arg(&film)
        .status();
    assert!(made.expect("ffmpeg runs").success());
    let job = farm.job(&film, "libx264");
    let mut job = Job::new(job.batch, job.input, job.output, job.recipe, None);
    job.split = Split::Every(2);
    farm.enqueue(&job).await;
    // One makes the plan, and each of the others one part.
    let mut workers = 0;
    loop {
        workers += 1;
        let setup = farm.worker(&format!("w{workers}")).encoders("libx264");
        let mut worker = setup.option("--max-total-jobs", "1").spawn();
        assert_eq!(worker.process.wait().await.code(), Some(0));
        let run = farm.run(&job.id).await.expect("it was begun");
        if run.state.is_terminal() {
            break;
        }
        assert!(workers < 12, "{run:#?}");
    }
    let (_, report) = farm.completed(&job.id).await;
    assert!(workers >= 5, "a plan, three chunks, and a join");
    assert!(report.workers().len() >= 3, "{report:#?}");
}
