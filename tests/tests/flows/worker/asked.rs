//! Questions to workers.

use common::broker::PreviewError;
use common::farm::preview::{JobFile, Preview, PreviewKind};
use harness::farm::Farm;
use harness::paths;

#[tokio::test]
async fn a_worker_answers_from_its_first_heartbeat_on() {
    let farm = Farm::start().await;
    let job = farm.job(&paths::media("h264.mp4"), "libx265");
    farm.enqueue(&job).await;
    let preview = Preview {
        job: job.id,
        side: JobFile::Output,
        what: PreviewKind::Info,
    };
    for name in ["a", "b", "c", "d"] {
        let _worker = farm.join(farm.worker(name).encoders("libx264")).await;
        let worker = name.parse().expect("a name");
        let seen = farm.view.preview(&worker, &preview).await;
        // The output is not there yet, and the worker says so.
        assert!(matches!(seen, Err(PreviewError::Refused(_))), "{seen:?}");
    }
}
