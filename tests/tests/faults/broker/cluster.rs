//! A cluster of three brokers that loses one of them.

use std::time::{Duration, Instant};

use harness::farm::{Addresses, Farm};
use harness::faults::stand_in::{Fault, StandIn};
use harness::outside::audit::{Acknowledged, Auditor, OutputPlace};
use harness::{paths, poll};

/// The time within which the farm must go on after the loss of a leader. The promised time is shorter: a busy test
/// machine may add a third.
const GOES_ON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_farm_goes_on_when_a_leader_of_its_cluster_is_killed() {
    let mut farm = Farm::start_cluster().await;
    let auditor = Auditor::connect(farm.url()).await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Late(Duration::from_millis(700)));
    let mut workers = Vec::new();
    for name in ["a", "b"] {
        let setup = farm.worker(name).encoders("libx264").ffmpeg(&ffmpeg);
        workers.push(farm.join(setup.option("--replicas", "3")).await);
    }
    let film = paths::media("odd-size.webm");
    let films = farm.folder().join("films");
    std::fs::create_dir(&films).unwrap();
    let mut all = Vec::new();
    for stream in ["JOBS", "KV_runs"] {
        poll::until("every server to have everything", async || {
            for stream in ["JOBS", "KV_runs", "EVENTS", "DEAD"] {
                if !auditor.is_in_sync(stream).await {
                    return None;
                }
            }
            Some(())
        })
        .await;
        let leader = poll::until("a leader", async || auditor.leader(stream).await).await;
        for number in 0..10 {
            let name = format!("{stream}-{number}");
            let input = films.join(format!("{name}.webm"));
            std::fs::copy(&film, &input).unwrap();
            let job = farm.job(&input, "libx264");
            farm.enqueue(&job).await;
            all.push(Acknowledged::new(job.id, format!("{name}.mkv"), &film));
        }
        poll::until("the work to begin", async || {
            (outputs(&farm) + 10 > all.len()).then_some(())
        })
        .await;
        farm.broker.kill(&leader);
        let killed = Instant::now();
        let before = outputs(&farm);
        assert!(before < all.len(), "nothing is left to do");
        poll::until_within(GOES_ON, "the farm to go on", async || {
            // More outputs than were under way already.
            (outputs(&farm) > before + workers.len()).then_some(())
        })
        .await;
        eprintln!(
            "the leader of {stream}: went on after {:?}",
            killed.elapsed()
        );
        farm.broker.restart(&leader);
    }
    let place = OutputPlace::Folder(farm.out());
    let tally = auditor.settled(&all, &place, &farm.scratch()).await;
    assert_eq!(tally.completed, all.len());
}

/// The number of outputs.
fn outputs<B: Addresses>(farm: &Farm<B>) -> usize {
    std::fs::read_dir(farm.out()).map_or(0, |entries| {
        entries
            .flatten()
            .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
            .count()
    })
}
