//! Chunks of several builds of ffmpeg, which make other headers: only chunks of one header are joined.

use common::job::split::{Fits, PieceReport};

use super::*;

/// What a chunk has in common with others whose ffmpeg is of this build and makes this header.
fn piece(header: &str, build: &str) -> PieceReport {
    PieceReport {
        header: header.to_owned(),
        build: build.to_owned(),
    }
}

/// Makes a chunk by an ffmpeg of a build that makes this header.
async fn complete_by(broker: &Broker, mut claim: Claim, header: &str, build: &str) -> Fits {
    let fence = testing::fence("w", "an upload");
    claim.fence(fence).await.expect("ours");
    let report = Report {
        split: Some(SplitReport::Piece(piece(header, build))),
        ..report("w")
    };
    let done = claim.record_completed(report).await.expect("ours");
    broker.part_completed(done).await.expect("an answer")
}

/// Claims the next chunk; the rest is made on the way.
async fn chunk(broker: &Broker, known: &Lanes) -> Claim {
    loop {
        let claim = claim_in_time(broker, known, "w").await;
        if claim.job().id.part() != Part::Rest {
            return claim;
        }
        complete(broker, claim, "w").await;
    }
}

#[tokio::test]
async fn the_header_of_the_first_chunk_that_is_done_decides() {
    let (_server, broker, known, plan) = split(3).await;
    let compare = async |header: &str, build: &str| {
        let made = piece(header, build);
        let fits = broker.compare_header(&plan.job.id, &made).await;
        fits.expect("an answer")
    };
    // Its worker vanishes before the chunk is done.
    assert_eq!(compare("a", "7.1").await, Fits::Yes);
    assert_eq!(compare("b", "6.0").await, Fits::Yes);
    let one = chunk(&broker, &known).await;
    assert_eq!(complete_by(&broker, one, "b", "6.0").await, Fits::Yes);
    assert_eq!(compare("a", "7.1").await, Fits::OtherHeader);
    let state = broker.split_state(&plan.job.id).await.expect("an answer");
    assert_eq!(state.header.as_deref(), Some("b"));
    assert!(state.refused.iter().eq(["7.1"]));
    complete_all(&broker, &known, "w").await;
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn of_two_builds_that_complete_the_first_chunks_one_decides_and_the_other_chunk_is_made_again()
 {
    let (_server, broker, known, plan) = split(2).await;
    let one = chunk(&broker, &known).await;
    let two = chunk(&broker, &known).await;
    let late = two.job().id;
    assert_eq!(complete_by(&broker, one, "a", "7.1").await, Fits::Yes);
    let fits = complete_by(&broker, two, "b", "6.0").await;
    assert_eq!(fits, Fits::OtherHeader);
    let state = broker.split_state(&late).await.expect("an answer");
    assert!(!state.has(late.part()));
    let again = chunk(&broker, &known).await;
    assert_eq!((again.job().id, again.run().spent()), (late, 1));
    assert_eq!(complete_by(&broker, again, "a", "7.0").await, Fits::Yes);
    join(&broker, &known, &plan).await;
}

#[tokio::test]
async fn a_chunk_of_another_header_that_was_recorded_and_no_more_is_enqueued_by_the_next_worker() {
    let (_server, broker, known, plan) = split(2).await;
    let one = chunk(&broker, &known).await;
    let mut two = chunk(&broker, &known).await;
    let late = two.job().id;
    assert_eq!(complete_by(&broker, one, "a", "7.1").await, Fits::Yes);
    two.fence(testing::fence("w", "an upload"))
        .await
        .expect("ours");
    let report = Report {
        split: Some(SplitReport::Piece(piece("b", "6.0"))),
        ..report("w")
    };
    drop(two.record_completed(report).await.expect("ours"));
    finish(&broker, comes_again(&broker, &known).await).await;
    let again = chunk(&broker, &known).await;
    assert_eq!(again.job().id, late);
    assert_eq!(complete_by(&broker, again, "a", "7.1").await, Fits::Yes);
    join(&broker, &known, &plan).await;
}
