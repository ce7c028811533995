//! Every line of a worker's log that is about a job names the job and the attempt.

use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::paths;
use serde_json::Value;

#[tokio::test]
async fn every_line_about_a_job_names_it_and_its_attempt() {
    let farm = Farm::start().await;
    let setup = farm.worker("w").encoders("libx264");
    let setup = setup
        .option("--log-format", "json")
        .option("--log-level", "debug");
    let worker = farm.join(setup).await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.completed(&job.id).await;
    let log = worker.process.log();
    let lines = log.lines().map(|line| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    let id = job.id.to_string();
    let mut told = Vec::new();
    for line in lines.filter(|line| line.to_string().contains(&id)) {
        assert_eq!(line["span"]["job"], *id, "{line}");
        assert_eq!(line["span"]["attempt"], 1, "{line}");
        told.push(line["message"].as_str().unwrap_or_default().to_owned());
    }
    for message in ["claimed", "published"] {
        assert!(
            told.iter().any(|line| line == message),
            "{message}: {told:?}"
        );
    }
}

#[tokio::test]
async fn a_log_of_warnings_names_the_job_as_well() {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Crash { after_frames: 3 });
    let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let setup = setup
        .option("--log-level", "warn")
        .option("--retry-after", "1s");
    let worker = farm.join(setup).await;
    let mut job = farm.job(&paths::media("h264.mp4"), "libx264");
    job.attempts = 2;
    farm.enqueue(&job).await;
    farm.ended(&job.id).await;
    let log = worker.process.log();
    for attempt in [1, 2] {
        let named = format!("job{{job={} attempt={attempt}}}: failed", job.id);
        assert!(log.contains(&named), "{named}\n{log}");
    }
}
