//! A server in the store's place that sends workers elsewhere.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::farm::Farm;
use harness::faults::proxy::Fate;
use harness::faults::victim::Victim;
use harness::paths;
use harness::poll;
use harness::servers::store::TestStore;

#[tokio::test]
async fn nobody_follows_a_store_that_redirects_to_another_service() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    store.put(&paths::media("h264.mp4"), "in/film.mp4").await;
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    other.set_nonblocking(true).expect("a socket");
    let port = other.local_addr().expect("an address").port();
    let victim = Victim::join(&farm, &store, "w").await;
    let (redirects, redirected) = (
        Arc::new(AtomicBool::new(true)),
        Arc::new(AtomicBool::new(false)),
    );
    let (judged, seen) = (Arc::clone(&redirects), Arc::clone(&redirected));
    victim.store.judge(move |request| {
        let reads_film = request.subject.starts_with("GET") && request.subject.contains("film.mp4");
        if reads_film && judged.load(Ordering::SeqCst) {
            seen.store(true, Ordering::SeqCst);
            return Fate::Redirected(port);
        }
        Fate::Passed
    });
    let job = store.job("in/film.mp4", "out/film.mkv", "libx264").await;
    farm.enqueue(&job).await;
    poll::until("the worker to be redirected", async || {
        redirected.load(Ordering::SeqCst).then_some(())
    })
    .await;
    farm.run_that(&job.id, "to wait for another attempt", |run| {
        !run.failures.is_empty()
    })
    .await;
    let nobody = other.accept().expect_err("somebody has called");
    assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
    // Once the store answers itself, the job is done.
    redirects.store(false, Ordering::SeqCst);
    farm.completed(&job.id).await;
}
