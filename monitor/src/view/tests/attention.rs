//! What needs attention.

use super::*;

#[test]
fn a_queue_that_nobody_serves_says_why_and_what_could_be_asked_for_instead() {
    let mut view = View::new(at(0));
    let lanes = vec![waiting("hevc_nvenc", 5, 3), waiting("hevc_nvenc", 9, 2)];
    view.apply(Input::Lanes(lanes, Vec::new()), at(0));

    let why = |view: &View| view.snapshot(at(1)).queues[0].unserved;
    let row = view.snapshot(at(1)).queues[0].clone();
    assert_eq!(
        (row.pending, row.oldest),
        (5, Some(crate::snapshot::moment::Moment(at(-9))))
    );
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
fn a_cause_is_shown_once_with_all_that_it_holds_up() {
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
    let names = |waiting: &[WaitingJobs]| -> Vec<String> {
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
            let shown: Vec<_> = ill
                .iter()
                .map(|row| (row.worker.as_str(), row.note.as_deref()))
                .collect();
            assert_eq!(
                shown,
                [("attic", Some("no device")), ("laptop", Some("disk full"))]
            );
            assert_eq!(names(for_ill), ["libx264", "libx265", "any_hevc", "copy"]);
            assert_eq!((off.len(), off[0].worker.as_str()), (1, "night"));
            assert_eq!(off[0].until, Some(crate::snapshot::moment::Moment(at(60))));
            assert_eq!(names(for_off), ["on_night"]);
            assert_eq!(names(for_gone), ["on_gone"]);
        }
        other => panic!("{other:#?}"),
    }
}

#[test]
fn a_place_that_workers_cannot_reach_is_shown_once() {
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

    // A silent worker reports nothing any more.
    let later = view.snapshot(at(100)).attention;
    assert!(later.iter().all(is_lost), "{later:?}");
}
