//! Ladders: the master files follow once all members are completed, whoever completes the last one, and whatever breaks
//! in between.
//!
//! Over 400 lines: one story each of what may come between the last member and the master files, on one set of helpers.

use common::broker::{Broker, CompletedJob, Lanes, MasterProgress};
use common::job::Job;
use common::job::failure::Failure;
use common::job::ladder::{
    ByteRange, Ladder, LadderStream, LadderStreamKind, SegmentIndex, VideoRange,
};
use common::job::master::{MasterContents, MasterState};
use common::job::run::Run;
use common::job::run::report::Report;
use common::names::digest::Digest;
use common::names::location::Location;
use harness::poll;

use crate::{claim_in_time, connect, job, lane, lanes, name, report, start};

fn place(name: &str) -> Location {
    Location::s3("media", "in/out")
        .expect("a location")
        .join(name)
}

/// The members of a ladder of these renditions of `film`.
fn ladder(renditions: &[&str]) -> Vec<Job> {
    let output = |rendition: &&str| place(&format!("film-{rendition}.mp4"));
    let ladder = Ladder {
        master: place("film.m3u8"),
        members: renditions.iter().map(output).collect(),
    };
    let member = |output: &Location| {
        let mut work = job("film").work();
        work.output = output.clone();
        work.ladder = Some(ladder.clone());
        Job::of(job("film").batch, work, None)
    };
    ladder.members.iter().map(member).collect()
}

/// What a worker reports that has made this member.
fn made(job: &Job, bits: u64) -> Report {
    let video = LadderStreamKind::Video {
        width: 1280,
        height: 720,
        frame_rate: None,
        range: VideoRange::Sdr,
    };
    let playlist = job.output.name().replace(".mp4", ".m3u8");
    Report {
        ladder: vec![LadderStream {
            file: job.output.clone(),
            playlist: job.output.sibling(&playlist),
            kind: video,
            codecs: "avc1.640028".to_owned(),
            peak: bits,
            average: bits,
            duration: 10.0,
            segments: Some(SegmentIndex {
                initialization: ByteRange {
                    offset: 0,
                    length: 700,
                },
                index: ByteRange {
                    offset: 700,
                    length: 100,
                },
                longest: 6.0,
            }),
        }],
        ..report("w")
    }
}

async fn enqueue(broker: &Broker, known: &mut Lanes, jobs: &[Job]) {
    let jobs: Vec<_> = jobs.iter().map(|job| (job.clone(), lane(5))).collect();
    let added = broker.enqueue(&jobs, |_| {}).await.expect("an answer");
    assert_eq!(added.len(), jobs.len());
    lanes(broker, known).await;
}

async fn progress(broker: &Broker, job: &Job) -> MasterProgress {
    let ladders = job.ladder.iter().cloned().collect();
    broker.ladders(ladders).await.expect("an answer")[0].progress()
}

/// The run of a completed member.
async fn run_of(broker: &Broker, job: &Job) -> Run {
    let known = broker.job(&job.id).await.expect("an answer");
    known.expect("known").run().expect("completed").clone()
}

/// The master files are not to be written now.
async fn is_not_due(broker: &Broker, ladder: &Ladder, why: &str) {
    let due = broker.due_master(ladder, false).await;
    assert!(due.expect("an answer").is_none(), "{why}");
}

/// The next completed member whose message comes again.
async fn comes_again(broker: &Broker, known: &Lanes) -> CompletedJob {
    poll::until("the message to come again", async || {
        let look = broker.poll(known, &name("other"), 1).await.ok()?;
        assert!(look.claims.is_empty(), "it is completed");
        look.completed.into_iter().next()
    })
    .await
}

/// Completes the next member, and leaves its message as a worker does that dies at once.
async fn complete_and_die(broker: &Broker, known: &Lanes, bits: u64) -> Job {
    let claim = claim_in_time(broker, known, "w").await;
    let job = claim.job().clone();
    let done = claim
        .record_completed(made(&job, bits))
        .await
        .expect("ours");
    drop(done);
    job
}

#[tokio::test]
async fn the_master_files_follow_the_last_member_and_a_worker_that_died_before_them() {
    let (_server, broker, mut known) = start().await;
    let members = ladder(&["1080p", "720p", "480p"]);
    let ladder = members[0].ladder.clone().expect("a ladder");
    enqueue(&broker, &mut known, &members).await;
    for completed in 0..2 {
        let waits = MasterProgress::Waiting { completed, of: 3 };
        assert_eq!(progress(&broker, &members[0]).await, waits);
        let claim = claim_in_time(&broker, &known, "w").await;
        let job = claim.job().clone();
        let done = claim
            .record_completed(made(&job, 1000))
            .await
            .expect("ours");
        is_not_due(&broker, &ladder, "a member is missing").await;
        done.ack().await.expect("acknowledged");
    }
    let last = complete_and_die(&broker, &known, 1000).await;
    assert_eq!(progress(&broker, &last).await, MasterProgress::Due);

    let again = comes_again(&broker, &known).await;
    assert_eq!(again.run().job.id, last.id);
    let due = broker
        .due_master(&ladder, false)
        .await
        .expect("an answer")
        .expect("due");
    let files: Vec<&Location> = due.streams().iter().map(|stream| &stream.file).collect();
    let outputs: Vec<&Location> = members.iter().map(|member| &member.output).collect();
    assert_eq!(files, outputs, "in the order of the members");
    let contents = contents(due.streams());
    let announced = due
        .announce(&contents)
        .await
        .expect("an answer")
        .expect("the first");
    let names: Vec<String> = announced
        .record()
        .files()
        .iter()
        .map(|(to, _)| to.name())
        .collect();
    assert_eq!(
        names,
        ["film.mpd", "film.m3u8"],
        "the master playlist is last"
    );
    assert!(
        announced
            .record()
            .knows(&Digest::of(contents.playlist.as_bytes()))
    );
    assert_eq!(progress(&broker, &last).await, MasterProgress::Due);
    assert!(
        announced
            .conclude(MasterState::There)
            .await
            .expect("an answer")
    );
    again.ack().await.expect("acknowledged");
    assert_eq!(progress(&broker, &last).await, MasterProgress::There);
    is_not_due(&broker, &ladder, "they are there").await;
    let (_, left) = broker.queue_extent().await.expect("an answer");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn of_two_workers_that_complete_the_last_members_at_once_one_writes_the_record() {
    let (server, broker, mut known) = start().await;
    let (other, _) = connect(&server.0).await;
    for round in 0..10 {
        let name = format!("{round}-a");
        let members = ladder(&[&name, &format!("{round}-b")]);
        // A ladder of its own in each round.
        let master = place(&format!("film{round}.m3u8"));
        let own = |job: &Job| {
            let mut work = job.work();
            work.ladder.as_mut().expect("a ladder").master = master.clone();
            Job::of(job.batch, work, None)
        };
        let members: Vec<Job> = members.iter().map(own).collect();
        let ladder = members[0].ladder.clone().expect("a ladder");
        enqueue(&broker, &mut known, &members).await;
        let one = claim_in_time(&broker, &known, "w1").await;
        let two = claim_in_time(&other, &known, "w2").await;
        let end = async |broker: &Broker, claim: common::broker::Claim| {
            let report = made(claim.job(), 1000);
            let done = claim.record_completed(report).await.expect("ours");
            let mut written = 0;
            while let Some(due) = broker.due_master(&ladder, false).await.expect("an answer") {
                let contents = contents(due.streams());
                if let Some(announced) = due.announce(&contents).await.expect("an answer")
                    && announced
                        .conclude(MasterState::There)
                        .await
                        .expect("an answer")
                {
                    written += 1;
                }
            }
            done.ack().await.expect("acknowledged");
            written
        };
        let (first, second) = tokio::join!(end(&broker, one), end(&other, two));
        assert_eq!(first + second, 1, "round {round}");
        assert_eq!(progress(&broker, &members[0]).await, MasterProgress::There);
    }
}

#[tokio::test]
async fn a_member_that_failed_or_was_cancelled_keeps_the_master_files_back_until_it_is_retried() {
    let (_server, broker, mut known) = start().await;
    let members = ladder(&["720p", "480p"]);
    let ladder = members[0].ladder.clone().expect("a ladder");
    enqueue(&broker, &mut known, &members).await;
    let claim = claim_in_time(&broker, &known, "w").await;
    let report = made(claim.job(), 1000);
    let done = claim.record_completed(report).await.expect("ours");
    done.ack().await.expect("acknowledged");
    let lacking = |why| MasterProgress::Lacking {
        member: members[1].output.clone(),
        why,
    };
    let claim = claim_in_time(&broker, &known, "w").await;
    claim
        .fail(Failure::input("no picture"))
        .await
        .expect("ours");
    assert_eq!(progress(&broker, &members[0]).await, lacking("failed"));
    broker.retry(&members[1].id).await.expect("an answer");
    broker.cancel(&members[1].id).await.expect("an answer");
    assert_eq!(
        progress(&broker, &members[0]).await,
        lacking("was cancelled")
    );
    is_not_due(&broker, &ladder, "a member is missing").await;

    broker.retry(&members[1].id).await.expect("an answer");
    let waits = MasterProgress::Waiting {
        completed: 1,
        of: 2,
    };
    assert_eq!(progress(&broker, &members[0]).await, waits);
    complete_and_die(&broker, &known, 1000).await;
    assert!(
        broker
            .due_master(&ladder, false)
            .await
            .expect("an answer")
            .is_some()
    );
}

/// Writes the record as a worker does.
async fn written(broker: &Broker, ladder: &Ladder, replace: bool, state: MasterState) {
    let due = broker
        .due_master(ladder, replace)
        .await
        .expect("an answer")
        .expect("due");
    let contents = contents(due.streams());
    let announced = due
        .announce(&contents)
        .await
        .expect("an answer")
        .expect("the first");
    assert!(announced.conclude(state).await.expect("an answer"));
}

/// Master files that tell of these streams.
fn contents(streams: &[LadderStream]) -> MasterContents {
    MasterContents {
        playlist: format!("{streams:?}"),
        manifest: format!("<MPD>{streams:?}</MPD>"),
    }
}

#[tokio::test]
async fn a_member_that_is_made_anew_brings_new_master_files_in_place_of_the_farms_own() {
    let (_server, broker, mut known) = start().await;
    let members = ladder(&["720p", "480p"]);
    let ladder = members[0].ladder.clone().expect("a ladder");
    enqueue(&broker, &mut known, &members).await;
    complete_and_die(&broker, &known, 1000).await;
    complete_and_die(&broker, &known, 500).await;
    let due = broker
        .due_master(&ladder, false)
        .await
        .expect("an answer")
        .expect("due");
    let before = Digest::of(contents(due.streams()).playlist.as_bytes());
    written(&broker, &ladder, false, MasterState::There).await;

    let anew = Job::of(members[0].batch, members[0].work(), Some(uuid::Uuid::nil()));
    enqueue(&broker, &mut known, std::slice::from_ref(&anew)).await;
    let waits = MasterProgress::Waiting {
        completed: 1,
        of: 2,
    };
    assert_eq!(progress(&broker, &anew).await, waits);
    let done = poll::until("the new job to be claimed", async || {
        let look = broker.poll(&known, &name("w"), 1).await.ok()?;
        for done in look.completed {
            done.ack().await.expect("acknowledged");
        }
        look.claims.into_iter().next()
    })
    .await
    .0;
    assert_eq!(done.job().id, anew.id);
    let report = made(&anew, 2000);
    done.record_completed(report)
        .await
        .expect("ours")
        .ack()
        .await
        .expect("acknowledged");
    let due = broker
        .due_master(&ladder, false)
        .await
        .expect("an answer")
        .expect("due");
    assert_eq!(due.streams()[0].peak, 2000, "of the new member");
    // A program that read before another wrote learns of it.
    let late = broker
        .due_master(&ladder, false)
        .await
        .expect("an answer")
        .expect("due");
    let contents = contents(due.streams());
    let announced = due
        .announce(&contents)
        .await
        .expect("an answer")
        .expect("the first");
    let knows = |digest: &Digest| announced.record().knows(digest);
    assert!(knows(&before), "the farm's own file is in its place");
    assert!(!knows(&Digest::of(b"somebody's")));
    assert!(
        announced
            .conclude(MasterState::There)
            .await
            .expect("an answer")
    );
    assert!(late.announce(&contents).await.expect("an answer").is_none());
    assert_eq!(progress(&broker, &anew).await, MasterProgress::There);
}

#[tokio::test]
async fn the_master_files_of_another_ladder_are_left_unless_a_person_replaces_them() {
    let (_server, broker, mut known) = start().await;
    let (first, second) = (ladder(&["720p"]), ladder(&["480p"]));
    let [one, two] = [&first, &second].map(|jobs| jobs[0].ladder.clone().expect("a ladder"));
    assert_eq!(one.master, two.master);
    enqueue(&broker, &mut known, &first).await;
    complete_and_die(&broker, &known, 1000).await;
    let refused = MasterState::Refused("a stranger's".to_owned());
    written(&broker, &one, false, refused).await;
    let told = MasterProgress::Refused("a stranger's".to_owned());
    assert_eq!(progress(&broker, &first[0]).await, told);
    is_not_due(&broker, &one, "a file is in the way").await;
    comes_again(&broker, &known)
        .await
        .ack()
        .await
        .expect("acknowledged");

    // A person has moved the file away, and submits the ladder again.
    let run = run_of(&broker, &first[0]).await;
    broker.remake_master(&run, false).await.expect("asked");
    assert_eq!(progress(&broker, &first[0]).await, MasterProgress::Due);
    let again = comes_again(&broker, &known).await;
    assert!(!again.job().replace);
    written(&broker, &one, again.job().replace, MasterState::There).await;
    again.ack().await.expect("acknowledged");

    enqueue(&broker, &mut known, &second).await;
    complete_and_die(&broker, &known, 1000).await;
    is_not_due(&broker, &two, "the files of another ladder are there").await;
    let told = progress(&broker, &second[0]).await;
    assert!(
        matches!(&told, MasterProgress::Refused(why) if why.contains("another ladder")),
        "{told:?}"
    );
    assert_eq!(progress(&broker, &first[0]).await, MasterProgress::There);
    comes_again(&broker, &known)
        .await
        .ack()
        .await
        .expect("acknowledged");
    let run = run_of(&broker, &second[0]).await;
    broker.remake_master(&run, true).await.expect("asked");
    let again = comes_again(&broker, &known).await;
    assert!(again.job().replace, "the person says so");
    written(&broker, &two, again.job().replace, MasterState::There).await;
    assert_eq!(progress(&broker, &second[0]).await, MasterProgress::There);
}

/// A program of before ladders reads no message of a ladder, and says that it is newer.
#[tokio::test]
async fn a_job_of_a_ladder_has_a_version_that_older_programs_leave_alone() {
    let (_server, broker, mut known) = start().await;
    let members = ladder(&["720p"]);
    let plain = job("plain");
    enqueue(&broker, &mut known, &[members[0].clone(), plain.clone()]).await;
    let version = async |job: &Job| {
        let stream = broker.jetstream().get_stream("JOBS").await.expect("it");
        let subject = common::names::subject::job(&lane(5), &job.id);
        let stored = stream.get_last_raw_message_by_subject(&subject).await;
        let message: serde_json::Value =
            serde_json::from_slice(&stored.expect("pending").payload).expect("JSON");
        message["v"].as_u64().expect("a version")
    };
    assert_eq!(version(&members[0]).await, 3);
    assert_eq!(version(&plain).await, 1);
    complete_and_die(&broker, &known, 1000).await;
    let runs = broker.jetstream().get_stream("KV_runs").await.expect("it");
    let key = common::names::subject::run(&members[0].id);
    let key = common::names::subject::kv(common::names::subject::RUNS, &key);
    let run = runs
        .get_last_raw_message_by_subject(&key)
        .await
        .expect("a run");
    let run: serde_json::Value = serde_json::from_slice(&run.payload).expect("JSON");
    assert_eq!(run["v"], 3);
}
