//! Each build of each program, with the other build of the others.

use common::names::subject;
use harness::outside::audit::{Auditor, OutputPlace};
use harness::poll;
use harness::programs::monitor::TestMonitor;
use serde_json::Value;

use super::builds::{Build, MixedFarm};

#[tokio::test]
#[ignore = "it needs the programs of an earlier commit: make upgrade"]
async fn each_build_runs_lists_and_shows_the_jobs_of_the_other() {
    let mixed = MixedFarm::start().await;
    let farm = &mixed.farm;
    let mut expected = 0;
    for (worker, other) in [(Build::Old, Build::New), (Build::New, Build::Old)] {
        let name = format!("{worker:?}").to_lowercase();
        let running = mixed.join(&name, worker).await;
        let names = (0..4).map(|nth| format!("by-{other:?}-{nth}"));
        mixed.enqueue(other, names).await;
        expected += 4;
        let program = other.program("monitor");
        let monitor = TestMonitor::start_program(&program, farm, farm.url(), &[]).await;
        poll::until(
            "all jobs to be done, by the page of the other build",
            async || {
                let state: Value =
                    serde_json::from_str(&monitor.get("/api/v1/state").await?).ok()?;
                let jobs = monitor.get("/api/v1/jobs?state=completed").await?;
                let jobs: Value = serde_json::from_str(&jobs).ok()?;
                let is_shown = state["workers"].to_string().contains(&name);
                (is_shown && jobs["total"] == expected).then_some(())
            },
        )
        .await;
        drop(running);
    }
    let [old, new] = [mixed.jobs(Build::Old).await, mixed.jobs(Build::New).await];
    let ids = |jobs: &[harness::outside::audit::Acknowledged]| -> Vec<String> {
        jobs.iter().map(|job| job.id.clone()).collect()
    };
    assert_eq!(ids(&old), ids(&new));
    let auditor = Auditor::connect(farm.url()).await;
    let place = OutputPlace::Folder(farm.out());
    let tally = auditor.settled(&new, &place, &farm.scratch()).await;
    assert_eq!(tally.completed, expected);
}

/// A job that only a program of the future understands.
const NEWER: &str = r#"{"v":99,"body":{"kind":"dream"}}"#;

#[tokio::test]
#[ignore = "it needs the programs of an earlier commit: make upgrade"]
async fn a_job_of_the_future_is_left_to_the_future_and_stops_nothing() {
    for build in Build::BOTH {
        let mixed = MixedFarm::start().await;
        let farm = &mixed.farm;
        let _worker = mixed.join("w", build).await;
        // The lane is there, and the job of the future is the first in it.
        mixed
            .enqueue(build, std::iter::once("first".to_owned()))
            .await;
        let auditor = Auditor::connect(farm.url()).await;
        poll::until("the first job", async || {
            (auditor.completed().await == Ok(1)).then_some(())
        })
        .await;
        let dream = "jobs.libx264.5.00000000-0000-5000-8000-000000000001.all";
        let stored = farm.view.jetstream().publish(dream, NEWER.into()).await;
        stored.unwrap().await.unwrap();
        mixed
            .enqueue(build, std::iter::once("second".to_owned()))
            .await;
        poll::until("the job behind it", async || {
            (auditor.completed().await == Ok(2)).then_some(())
        })
        .await;
        assert_eq!(farm.queued().await, 1, "{build:?}: it is still there");
        assert_eq!(farm.dead_letters().await, 0, "{build:?}");
        let listed = mixed.producer(build, &["jobs"]).await.succeeded();
        assert!(
            listed.stderr.contains("version 99") && listed.stderr.contains("update it"),
            "{build:?}: {listed:?}"
        );
        let left = farm
            .view
            .jetstream()
            .get_stream(subject::JOBS)
            .await
            .unwrap();
        assert_eq!(left.cached_info().state.messages, 1);
    }
}
