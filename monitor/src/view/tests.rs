//! The rules of the view, one by one.

use common::broker::{Change, LaneStatus};
use common::farm::queue::{Lane, Priority};
use common::farm::worker::{Away, Heartbeat, WorkerStatus};
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::failure::Failure;
use common::job::id::{BatchId, JobId};
use common::job::input::Input as JobInput;
use common::job::progress::{EncodeProgress, Progress};
use common::job::record::Pending;
use common::job::run::report::Report;
use common::job::run::{Run, Stage};
use common::names::location::Location;
use common::recipe::{Choice, Recipe, VideoEncode};
use common::testing;
use jiff::{SignedDuration, Timestamp};

use super::{Input, View};
use crate::snapshot::attention::{Attention, Held};
use crate::snapshot::jobs::Ending;
use crate::snapshot::queues::Unserved;
use crate::snapshot::workers::Presence;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).expect("in range")
}

fn job(name: &str) -> Job {
    Job {
        enqueued: at(0),
        ..Job::new(
            BatchId::new(),
            JobInput {
                location: Location::s3("media", &format!("in/{name}")).expect("a key"),
                size: 1000,
                version: "1".to_owned(),
            },
            Location::s3("media", &format!("out/{name}")).expect("a key"),
            Recipe::encode(VideoEncode::new(Choice::Encoder(
                "hevc_nvenc".parse().expect("an encoder"),
            )))
            .expect("a sound recipe"),
            None,
        )
    }
}

fn lane(queue: &str, priority: u8) -> Lane {
    Lane {
        queue: queue.parse().expect("a queue"),
        priority: Priority::try_from(priority).expect("1 to 10"),
    }
}

fn name(name: &str) -> WorkerName {
    name.parse().expect("a name")
}

fn heartbeat(worker: &str, encoders: &[&str]) -> Heartbeat {
    Heartbeat {
        started: at(0),
        at: at(0),
        slots: 2,
        ..testing::heartbeat(worker, encoders)
    }
}

fn heard(view: &mut View, heartbeat: Heartbeat, seconds: i64) {
    let change = Change {
        key: heartbeat.name.clone(),
        value: Some(heartbeat),
        sequence: 1,
        time: Some(at(seconds)),
    };
    view.apply(Input::Worker(Box::new(change)), at(seconds));
}

fn gone(view: &mut View, worker: &str, seconds: i64) {
    let change = Change {
        key: name(worker),
        value: None,
        sequence: 2,
        time: Some(at(seconds)),
    };
    view.apply(Input::Worker(Box::new(change)), at(seconds));
}

fn changed(view: &mut View, run: &Run, sequence: u64) {
    let change = Change {
        key: run.job.id,
        value: Some(run.clone()),
        sequence,
        time: None,
    };
    view.apply(Input::Run(Box::new(change)), at(0));
}

fn running(job: &Job, worker: &str) -> Run {
    Run::first(job.clone(), &lane("hevc_nvenc", 5), 1, name(worker), at(0))
}

fn report(worker: &str) -> Report {
    Report {
        encoder: None,
        output_size: 250,
        frames: 100,
        duration: 4.0,
        total_seconds: 3.0,
        ..testing::report(worker, "libx265", 1000, 2.0)
    }
}

fn waiting(queue: &str, priority: u8, pending: u64) -> LaneStatus {
    LaneStatus {
        lane: lane(queue, priority),
        pending,
        running: 0,
        oldest: Some(at(-i64::from(priority))),
        next: 1,
    }
}

#[test]
fn a_queue_that_nobody_serves_says_why_and_what_could_be_asked_for_instead() {
    let mut view = View::new(at(0));
    let lanes = vec![waiting("hevc_nvenc", 5, 3), waiting("hevc_nvenc", 9, 2)];
    view.apply(Input::Lanes(lanes, Vec::new()), at(0));

    let why = |view: &View| view.snapshot(at(1)).queues[0].unserved;
    let row = view.snapshot(at(1)).queues[0].clone();
    assert_eq!((row.pending, row.oldest), (5, Some(super::Moment(at(-9)))));
    let by_priority: Vec<(u8, u64)> = row
        .by_priority
        .iter()
        .map(|(priority, pending)| (u8::from(*priority), *pending))
        .collect();
    assert_eq!(by_priority, [(9, 2), (5, 3)]);
    assert_eq!(why(&view), Some(Unserved::NoWorkers));

    heard(&mut view, heartbeat("mini-pc", &["libx265", "libx264"]), 0);
    assert_eq!(why(&view), Some(Unserved::NotProved));
    match &view.snapshot(at(1)).attention[..] {
        [
            Attention::Unserved {
                why: Unserved::NotProved,
                waiting,
            },
        ] => {
            let [held] = waiting.as_slice() else {
                panic!("{waiting:?}")
            };
            assert_eq!(held.pending, 5);
            let names: Vec<&str> = held
                .alternatives
                .iter()
                .map(|encoder| encoder.as_str())
                .collect();
            assert_eq!(names, ["libx265"]);
        }
        other => panic!("{other:?}"),
    }

    for (status, cause) in [
        (WorkerStatus::Draining, Unserved::Drained),
        (WorkerStatus::Drained, Unserved::Drained),
        (WorkerStatus::OffHours, Unserved::OffHours),
        (WorkerStatus::Quarantined, Unserved::Quarantined),
    ] {
        let beat = Heartbeat {
            status,
            ..heartbeat("atelier", &["hevc_nvenc"])
        };
        heard(&mut view, beat, 0);
        assert_eq!(why(&view), Some(cause));
    }

    heard(&mut view, heartbeat("atelier", &["hevc_nvenc"]), 0);
    assert_eq!(why(&view), None);
    assert_eq!(view.snapshot(at(1)).queues[0].served_by, 1);
    assert!(view.snapshot(at(1)).attention.is_empty());
}

#[test]
fn a_cause_is_told_once_with_all_that_it_holds_up() {
    let mut view = View::new(at(0));
    let lanes = [
        "libx264", "libx265", "any_hevc", "on_night", "on_gone", "copy",
    ];
    let lanes = lanes.map(|queue| waiting(queue, 5, 2)).to_vec();
    view.apply(Input::Lanes(lanes, Vec::new()), at(0));
    let beat = |name: &str, encoders: &[&str], status, note: &str| Heartbeat {
        status,
        note: Some(note.to_owned()),
        until: Some(at(60)),
        ..heartbeat(name, encoders)
    };
    let ill = WorkerStatus::Quarantined;
    for worker in [
        beat("attic", &["libx264", "libx265"], ill, "no device"),
        beat("laptop", &["libx265"], ill, "disk full"),
        beat("night", &["libx265"], WorkerStatus::OffHours, "at night"),
        beat("idle", &["libvvenc"], WorkerStatus::Drained, "by a person"),
    ] {
        heard(&mut view, worker, 0);
    }
    let names = |waiting: &[Held]| -> Vec<String> {
        waiting.iter().map(|held| held.queue.to_string()).collect()
    };
    match &view.snapshot(at(1)).attention[..] {
        [
            Attention::Unavailable {
                cause: Presence::Quarantined,
                workers: ill,
                waiting: for_ill,
            },
            Attention::Unavailable {
                cause: Presence::OffHours,
                workers: off,
                waiting: for_off,
            },
            Attention::Unserved {
                why: Unserved::NotThere,
                waiting: for_gone,
            },
        ] => {
            let told: Vec<_> = ill
                .iter()
                .map(|row| (row.worker.as_str(), row.note.as_deref()))
                .collect();
            assert_eq!(
                told,
                [("attic", Some("no device")), ("laptop", Some("disk full"))]
            );
            assert_eq!(names(for_ill), ["libx264", "libx265", "any_hevc", "copy"]);
            assert_eq!((off.len(), off[0].worker.as_str()), (1, "night"));
            assert_eq!(off[0].until, Some(super::Moment(at(60))));
            assert_eq!(names(for_off), ["on_night"]);
            assert_eq!(names(for_gone), ["on_gone"]);
        }
        other => panic!("{other:#?}"),
    }
}

fn is_lost(item: &Attention) -> bool {
    let cause = Presence::Lost;
    matches!(item, Attention::Unavailable { cause: found, .. } if *found == cause)
}

#[test]
fn a_silent_worker_is_lost_and_forgotten_later_and_one_that_signs_off_just_leaves() {
    let mut view = View::new(at(0));
    heard(&mut view, heartbeat("atelier", &[]), 0);
    heard(&mut view, heartbeat("mini-pc", &[]), 0);
    gone(&mut view, "mini-pc", 3);
    assert_eq!(view.snapshot(at(15)).workers.len(), 1);
    assert_eq!(view.snapshot(at(15)).workers[0].status, Presence::Ready);

    let snapshot = view.snapshot(at(16));
    assert_eq!(snapshot.workers[0].status, Presence::Lost);
    assert_eq!(snapshot.totals.workers, 0);
    assert!(is_lost(&snapshot.attention[0]));

    // The broker may notice first, by its own clock.
    heard(&mut view, heartbeat("atelier", &[]), 100);
    gone(&mut view, "atelier", 115);
    assert_eq!(view.snapshot(at(115)).workers[0].status, Presence::Lost);
    view.forget(at(100 + 601));
    assert!(view.snapshot(at(701)).workers.is_empty());
}

#[test]
fn while_the_broker_is_away_nobody_falls_silent() {
    let mut view = View::new(at(0));
    heard(&mut view, heartbeat("atelier", &[]), 0);
    view.apply(Input::Away("cut".to_owned()), at(5));
    view.apply(Input::Away("still cut".to_owned()), at(50));
    let snapshot = view.snapshot(at(100));
    assert!(!snapshot.broker.connected);
    assert_eq!(snapshot.broker.since.0, at(5));
    assert_eq!(snapshot.workers[0].status, Presence::Ready);

    // Once it is back, a worker has its three heartbeats to be heard again.
    view.apply(Input::Connected, at(100));
    assert_eq!(view.snapshot(at(115)).workers[0].status, Presence::Ready);
    assert_eq!(view.snapshot(at(116)).workers[0].status, Presence::Lost);
}

#[test]
fn a_job_is_in_one_list_at_a_time() {
    let mut view = View::new(at(0));
    let lists = |view: &View| {
        let shown = view.snapshot(at(1));
        (
            shown.running.len(),
            shown.retrying.len(),
            shown.recent.len(),
        )
    };
    let run = running(&job("a.mkv"), "atelier");
    changed(&mut view, &run, 1);
    assert_eq!(lists(&view), (1, 0, 0));
    assert!(view.snapshot(at(1)).running[0].worker_lost);

    let later = run.fail(
        Failure::passing("network"),
        SignedDuration::from_secs(5),
        at(1),
    );
    changed(&mut view, &later, 2);
    assert_eq!(lists(&view), (0, 1, 0));

    let again = later.take_over(&lane("hevc_nvenc", 5), 2, name("atelier"), at(6));
    changed(&mut view, &again, 3);
    assert_eq!(lists(&view), (1, 0, 0));

    let failed = again.fail(Failure::input("no video"), SignedDuration::ZERO, at(7));
    changed(&mut view, &failed, 4);
    assert_eq!(lists(&view), (0, 0, 1));
    match &view.snapshot(at(8)).attention[..] {
        [
            Attention::Failed {
                count: 1, reason, ..
            },
        ] => assert_eq!(reason, "no video"),
        other => panic!("{other:?}"),
    }
    let a_day_later = at(8 + 24 * 3600);
    assert!(view.snapshot(a_day_later).attention.is_empty());

    let deleted = Change {
        key: run.job.id,
        value: None,
        sequence: 5,
        time: None,
    };
    view.apply(Input::Run(Box::new(deleted)), at(9));
    assert_eq!(lists(&view), (0, 0, 0));
}

#[test]
fn progress_counts_for_the_present_attempt_only() {
    let mut view = View::new(at(0));
    let run = running(&job("a.mkv"), "atelier");
    let mut progress = Progress {
        job: run.job.id,
        worker: name("atelier"),
        attempt: 1,
        stage: Stage::Encoding,
        fraction: Some(0.123_456),
        encode: Some(EncodeProgress {
            fps: 30.0,
            ..EncodeProgress::default()
        }),
        eta: None,
        waits_for: None,
        at: at(0),
    };
    // It may come before its run was seen.
    view.apply(Input::Progress(Box::new(progress.clone())), at(0));
    changed(&mut view, &run, 1);
    let row = view.snapshot(at(1)).running[0].clone();
    assert_eq!((row.stage, row.fraction), (Stage::Encoding, Some(0.1235)));

    progress.attempt = 7;
    view.apply(Input::Progress(Box::new(progress)), at(1));
    let row = view.snapshot(at(1)).running[0].clone();
    assert_eq!((row.stage, row.fraction), (Stage::Reading, None));
}

#[test]
fn history_is_bounded_and_says_from_when_on_it_counts() {
    let mut view = View::new(at(0));
    for number in 0..1200_u64 {
        let run = running(&job(&format!("{number}.mkv")), "atelier");
        let ended = at(i64::try_from(number).expect("small"));
        changed(
            &mut view,
            &run.complete(report("atelier"), ended),
            number + 1,
        );
        if number == 999 {
            assert_eq!(view.snapshot(at(0)).totals.since, None);
        }
    }
    let snapshot = view.snapshot(at(1200));
    assert_eq!(snapshot.recent.len(), 100);
    assert_eq!(snapshot.recent[0].job.name, "1199.mkv");
    let totals = snapshot.totals;
    assert_eq!(totals.completed, 1000);
    assert_eq!(
        (totals.input_bytes, totals.output_bytes),
        (1_000_000, 250_000)
    );
    assert_eq!(totals.since, Some(super::Moment(at(200))));
    assert!(matches!(
        snapshot.recent[0].ending,
        Ending::Completed { fps: 50.0, .. }
    ));
}

#[test]
fn a_job_that_began_before_the_changes_is_found_by_what_its_worker_says() {
    let mut view = View::new(at(0));
    let run = running(&job("a.mkv"), "atelier");
    let mut beat = heartbeat("atelier", &[]);
    beat.running = vec![run.job.id];
    heard(&mut view, beat, 0);
    assert_eq!(view.unknown_jobs(at(0)), [run.job.id]);
    view.apply(Input::Found(Box::new(run.clone())), at(0));
    assert!(view.unknown_jobs(at(0)).is_empty());

    // An answer that was overtaken does not bring it back.
    changed(&mut view, &run.complete(report("atelier"), at(1)), 9);
    view.apply(Input::Found(Box::new(run)), at(2));
    assert!(view.snapshot(at(2)).running.is_empty());
}

#[test]
fn what_is_next_comes_by_priority_then_by_age() {
    let mut view = View::new(at(0));
    let pending = |name: &str, priority, sequence| Pending {
        job: job(name),
        queue: "hevc_nvenc".parse().expect("a queue"),
        priority: Priority::try_from(priority).expect("1 to 10"),
        sequence,
    };
    let heads = vec![
        pending("c.mkv", 5, 2),
        pending("b.mkv", 5, 1),
        pending("a.mkv", 9, 3),
    ];
    view.apply(Input::Lanes(Vec::new(), heads), at(0));
    let names: Vec<String> = view
        .snapshot(at(0))
        .next
        .into_iter()
        .map(|row| row.job.name)
        .collect();
    assert_eq!(names, ["a.mkv", "b.mkv", "c.mkv"]);
}

#[test]
fn what_no_worker_takes_stands_behind_what_comes_next() {
    let mut view = View::new(at(0));
    let pending = |name: &str, queue: &str, priority, sequence| Pending {
        job: job(name),
        queue: queue.parse().expect("a queue"),
        priority: Priority::try_from(priority).expect("1 to 10"),
        sequence,
    };
    let heads = vec![
        pending("never.mkv", "hevc_nvenc", 9, 1),
        pending("soon.mkv", "libx265", 5, 2),
    ];
    let lanes = vec![waiting("hevc_nvenc", 9, 1), waiting("libx265", 5, 1)];
    view.apply(Input::Lanes(lanes, heads), at(0));
    heard(&mut view, heartbeat("mini-pc", &["libx265"]), 0);
    let next = view.snapshot(at(1)).next;
    let told: Vec<_> = next
        .iter()
        .map(|row| (row.job.name.as_str(), row.unserved))
        .collect();
    let never = ("never.mkv", Some(Unserved::NotProved));
    assert_eq!(told, [("soon.mkv", None), never]);
}

#[test]
fn a_place_that_workers_cannot_reach_is_told_once() {
    let away = |since, error: &str| Away {
        place: "s3://media/".parse().expect("a location"),
        since: at(since),
        error: error.to_owned(),
        only_writing: false,
    };
    let mut view = View::new(at(0));
    for (worker, since, ahead) in [("atelier", 3, 0.4), ("mini-pc", 2, -3601.7)] {
        let beat = Heartbeat {
            away: vec![away(since, worker)],
            clock_ahead: ahead,
            ..heartbeat(worker, &[])
        };
        heard(&mut view, beat, 5);
    }
    heard(&mut view, heartbeat("third", &[]), 5);
    let snapshot = view.snapshot(at(6));
    match &snapshot.attention[..] {
        [
            Attention::PlaceAway {
                place,
                workers: 2,
                worker,
                since,
                error,
            },
            Attention::ClockOff {
                worker: wrong,
                ahead,
            },
        ] => {
            assert_eq!(place, "s3://media/");
            assert_eq!(since.0, at(2));
            assert_eq!((worker.as_str(), error.as_str()), ("mini-pc", "mini-pc"));
            assert_eq!((wrong.as_str(), *ahead), ("mini-pc", -3602.0));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(snapshot.workers[0].away[0].error, "atelier");
    assert_eq!(snapshot.workers[0].clock_ahead, 0.0);

    // Who is silent says nothing any more.
    let later = view.snapshot(at(100)).attention;
    assert!(later.iter().all(is_lost), "{later:?}");
}

#[test]
fn a_queue_is_not_done_before_the_jobs_that_run_in_it() {
    let mut view = View::new(at(0));
    heard(&mut view, heartbeat("atelier", &["hevc_nvenc"]), 50);
    for (nth, film) in (1..).zip(["a.mkv", "b.mkv"]) {
        changed(&mut view, &running(&job(film), "atelier"), nth);
    }
    let progress = |run: JobId, fraction, eta| Progress {
        job: run,
        worker: name("atelier"),
        attempt: 1,
        stage: Stage::Encoding,
        fraction: Some(fraction),
        encode: None,
        eta: Some(eta),
        waits_for: None,
        at: at(50),
    };
    let runs = view.snapshot(at(50)).running;
    assert_eq!(view.snapshot(at(50)).queues[0].eta, None, "nothing tells");
    for (row, eta) in runs.iter().zip([44.0, 88.0]) {
        let progress = progress(row.job.id, 0.5, eta);
        view.apply(Input::Progress(Box::new(progress)), at(50));
    }
    let snapshot = view.snapshot(at(50));
    let etas: Vec<_> = snapshot.running.iter().map(|row| row.eta).collect();
    assert_eq!(etas, [Some(54.0), Some(108.0)]);
    assert_eq!(snapshot.queues[0].eta, Some(108.0), "its longest");

    // What waits comes on top, judged by the same jobs; where nobody knows how
    // large it is, nothing is said.
    let lanes = || vec![waiting("hevc_nvenc", 5, 4)];
    view.apply(Input::Lanes(lanes(), Vec::new()), at(50));
    assert_eq!(view.snapshot(at(50)).queues[0].eta, None);
    let mut four = common::matching::outlook::Waiting::default();
    (0..4).for_each(|_| four.add(1000));
    let sums = [("hevc_nvenc".parse().expect("a queue"), four)];
    view.apply(Input::Waiting(lanes(), Vec::new(), sums.into()), at(50));
    // 54 + 108 s of those that run, four of 131 s, two at once.
    assert_eq!(view.snapshot(at(50)).queues[0].eta, Some(343.0));
}
