//! The page of one job.

use common::job::event::{Event, What};
use jiff::Timestamp;

use crate::pages::{keep_alive, open};
use crate::{Monitor, farm};

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_running_job_is_followed_and_its_command_shown() {
    let monitor = Monitor::start().await;
    let job = farm::job("Sunrise.mkv", "libx265", 1);
    let run = farm::claimed(job.clone(), "atelier");
    farm::write_run(&monitor.broker, &run).await;
    let started = Event {
        job: job.id,
        attempt: 1,
        at: Timestamp::now(),
        what: What::Command("ffmpeg -i '<b>in.mkv' -c:v libx265 out.mkv".to_owned()),
        priority: None,
    };
    monitor.broker.record_event(&started).await;
    let _alive = keep_alive(
        &monitor,
        vec![farm::heartbeat("atelier", 2, vec![job.id], &[])],
    )
    .await;
    let (mut browser, _folder) = open(&monitor, &format!("jobs/{}", job.id)).await;
    browser.shows("ffmpeg command line").await;
    browser.click(".job details:not([hidden]) summary").await;
    browser
        .shows("ffmpeg -i '<b>in.mkv' -c:v libx265 out.mkv")
        .await;
    browser.shows("Reading").await;
    // The page misses lines that come before it subscribes, so the line is sent again and again.
    let broker = monitor.broker.clone();
    let chunk = job.id.with_part(common::job::part::Part::Chunk(3));
    let talking = tokio::spawn(async move {
        loop {
            let line = "Past duration <i>0.99</i> too large".to_owned();
            broker.publish_log(&job.id, line).await.expect("sent");
            let line = "Past the end".to_owned();
            broker.publish_log(&chunk, line).await.expect("sent");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    browser.shows("Past duration <i>0.99</i> too large").await;
    browser.shows("[chunk-3] Past the end").await;
    talking.abort();
    drop(browser);
    monitor.stop().await;
}
