//! Requests to a worker, more than it can answer.

use std::time::Duration;

use common::names::subject;
use futures::{FutureExt, StreamExt};

use crate::{name, start};

/// The requests that wait at most.
const WAITING: usize = 16;

#[tokio::test]
async fn a_flood_of_requests_is_refused_and_a_later_request_is_answered() {
    const LARGE: usize = 20;
    const SMALL: usize = 300;
    let (server, broker, _) = start().await;
    let worker = name("w");
    let mut requests = broker.trash_requests(&worker).await.expect("connected");
    let client = async_nats::connect(server.0.url()).await.expect("there");
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await.expect("connected");
    let subject = subject::trash(&worker);
    for number in 0..LARGE + SMALL {
        let size = if number < LARGE { 500_000 } else { 100_000 };
        let question = vec![b'x'; size].into();
        let sent = client.publish_with_reply(subject.clone(), inbox.clone(), question);
        sent.await.expect("connected");
    }
    // Nobody takes a request meanwhile, and yet all are off the network.
    for number in 0..LARGE + SMALL - WAITING {
        let answer = tokio::time::timeout(Duration::from_secs(30), answers.next()).await;
        let answer = answer.expect("refused at once").expect("connected");
        let headers = answer.headers.expect("a refusal");
        let why = headers
            .get("Nats-Service-Error")
            .expect("a reason")
            .as_str();
        let expected = if number < LARGE { "KiB" } else { "busy" };
        assert!(why.contains(expected), "{number}: {why}");
    }
    let mut waiting = 0;
    while let Some(Some(_)) = requests.next().now_or_never() {
        waiting += 1;
    }
    assert_eq!(waiting, WAITING);

    let asking = client.request(subject, "afterwards".into());
    let answering = async {
        let asked = requests.next().await.expect("a request");
        let answer = Ok(asked.payload.clone());
        broker.answer_trash(&asked, answer).await.expect("sent");
    };
    let (answer, ()) = tokio::join!(asking, answering);
    assert_eq!(answer.expect("answered").payload, "afterwards");
}
