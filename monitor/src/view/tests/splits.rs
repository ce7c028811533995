//! Jobs that are done in parts.

use common::farm::orders::{Order, Target};
use common::job::part::Part;
use common::job::split::Plan;
use common::matching::parts::Parts;

use super::*;
use crate::snapshot::moment::Moment;

/// A film of 1000 frames in three chunks, and other tracks.
fn plan(job: &Job) -> Plan {
    testing::plan(job, &lane("hevc_nvenc", 5), &[600, 300, 100])
}

fn part(plan: &Plan, part: Part, worker: &str) -> Run {
    running(&plan.job_of(part), worker)
}

fn progress(run: &Run, fraction: f32, fps: f32) -> Input {
    Input::Progress(Box::new(Progress {
        job: run.job.id,
        worker: run.worker().expect("an owner").clone(),
        attempt: run.attempt,
        stage: Stage::Encoding,
        fraction: Some(fraction),
        encode: Some(EncodeProgress {
            fps,
            ..EncodeProgress::default()
        }),
        eta: None,
        waits_for: None,
        at: at(10),
    }))
}

fn planned(plan: &Plan) -> Input {
    let mut parts = Parts::default();
    parts.plan(plan);
    Input::Parts(plan.job.id, Box::new(parts))
}

#[test]
fn a_split_job_is_one_row_with_the_sum_of_its_parts() {
    let mut view = View::new(at(0));
    let whole = running(&job("a.mkv"), "atelier");
    let plan = plan(&whole.job);
    changed(&mut view, &whole, 1);
    // Parts may be claimed before their job says that it is split.
    let first = part(&plan, Part::Chunk(0), "north");
    changed(&mut view, &first, 2);
    changed(&mut view, &whole.split(4, at(1)), 3);
    assert_eq!(view.unplanned_jobs(), [whole.job.id]);
    view.apply(planned(&plan), at(1));
    assert!(view.unplanned_jobs().is_empty());
    let second = part(&plan, Part::Chunk(1), "south");
    changed(&mut view, &second, 4);
    view.apply(progress(&second, 0.0, 20.0), at(2));
    changed(&mut view, &first.complete(report("north"), at(5)), 5);

    let snapshot = view.snapshot(at(6));
    assert_eq!(snapshot.totals.running, 1);
    assert_eq!(snapshot.totals.fps, 20.0);
    assert_eq!((snapshot.recent.len(), snapshot.retrying.len()), (0, 0));
    let [row] = &snapshot.running[..] else {
        panic!("{:?}", snapshot.running);
    };
    assert_eq!((row.job.name.as_str(), &row.worker), ("a.mkv", &None));
    assert!(row.fraction >= Some(0.6), "{row:?}");
    let split = row.split.as_ref().expect("it is split");
    assert_eq!((split.parts, split.done, split.running), (4, 1, 1));
    assert_eq!(split.workers, [name("south")]);
    assert!(row.worker_lost, "nothing was heard of south");
    let rows = &view.parts()[&whole.job.id];
    assert_eq!(rows.len(), 4);

    // Its end takes the parts along, and what comes of them afterwards is no news.
    let joined = whole.split(4, at(1));
    let joined = joined.take_over(&lane("copy", 5), 9, name("atelier"), at(7));
    changed(&mut view, &joined, 6);
    assert!(view.snapshot(at(7)).running[0].split.is_some());
    changed(&mut view, &joined.complete(report("atelier"), at(8)), 7);
    changed(&mut view, &second.cancel(at(9)).expect("it runs"), 8);
    assert!(view.parts().is_empty());
    let snapshot = view.snapshot(at(9));
    assert_eq!((snapshot.running.len(), snapshot.recent.len()), (0, 1));
}

#[test]
fn a_late_monitor_finds_the_job_by_what_the_workers_of_its_parts_say() {
    let mut view = View::new(at(0));
    let whole = running(&job("a.mkv"), "atelier");
    let plan = plan(&whole.job);
    let chunk = part(&plan, Part::Chunk(2), "atelier");
    let mut beat = heartbeat("atelier", &[]);
    beat.running = vec![chunk.job.id];
    heard(&mut view, beat, 0);
    let unknown = view.unknown_jobs(at(0));
    assert_eq!(unknown, [whole.job.id, chunk.job.id]);
    view.apply(Input::Found(Box::new(chunk)), at(0));
    view.apply(Input::Found(Box::new(whole.split(4, at(0)))), at(0));
    assert!(view.unknown_jobs(at(0)).is_empty());
    assert_eq!(view.unplanned_jobs(), [whole.job.id]);
    let split = view.snapshot(at(1)).running[0].split.clone();
    assert_eq!(split.expect("it is split").running, 1);
}

#[test]
fn parts_are_bounded_and_go_with_their_jobs() {
    let mut view = View::new(at(0));
    for number in 0..30_u64 {
        let whole = running(&job(&format!("{number}.mkv")), "atelier");
        let plan = testing::plan(&whole.job, &lane("hevc_nvenc", 5), &[25; 1000]);
        changed(&mut view, &whole.split(1001, at(0)), number + 1);
        view.apply(planned(&plan), at(0));
    }
    let kept: usize = view.parts().values().map(Vec::len).sum();
    assert!((15_000..=20_000).contains(&kept), "{kept}");
    assert!(view.unplanned_jobs().is_empty() || kept + 1001 > 20_000);
    assert_eq!(view.snapshot(at(1)).running.len(), 30);

    // A part whose job is nowhere is forgotten once it runs no more.
    let mut view = View::new(at(0));
    let plan = plan(&job("b.mkv"));
    let chunk = part(&plan, Part::Chunk(0), "atelier");
    changed(&mut view, &chunk, 1);
    view.forget(at(1));
    assert_eq!(view.parts().len(), 1);
    changed(&mut view, &chunk.complete(report("atelier"), at(2)), 2);
    view.forget(at(2));
    assert!(view.parts().is_empty());
}

#[test]
fn parts_that_wait_for_a_worker_count_in_their_queue() {
    let mut view = View::new(at(0));
    let whole = running(&job("a.mkv"), "atelier");
    let plan = plan(&whole.job);
    changed(&mut view, &whole.split(4, at(1)), 1);
    view.apply(planned(&plan), at(1));
    let first = part(&plan, Part::Chunk(0), "north");
    changed(&mut view, &first, 2);
    let failed = part(&plan, Part::Chunk(1), "north");
    let failed = failed.fail(
        Failure::worker("crash"),
        SignedDuration::from_secs(60),
        at(2),
    );
    changed(&mut view, &failed, 3);
    let snapshot = view.snapshot(at(3));
    let [queue] = &snapshot.queues[..] else {
        panic!("{:?}", snapshot.queues)
    };
    let five = Priority::try_from(5).expect("in range");
    assert_eq!((queue.pending, queue.parts), (2, 2), "a chunk and the rest");
    assert_eq!(queue.by_priority, [(five, 2)]);
    assert_eq!(queue.oldest, Some(Moment(at(1))));
    assert_eq!(snapshot.totals.pending, 0, "no job waits");
    // Nobody serves them: that is told, of one job.
    let Some(Attention::Unserved { waiting, .. }) = snapshot.attention.first() else {
        panic!("{:?}", snapshot.attention)
    };
    assert_eq!(waiting[0].pending, 1);

    // The broker's own lanes count parts already.
    let status = LaneStatus {
        lane: lane("hevc_nvenc", 5),
        pending: 3,
        running: 1,
        oldest: Some(at(0)),
        next: 1,
    };
    view.apply(Input::Lanes(vec![status], Vec::new()), at(3));
    let snapshot = view.snapshot(at(3));
    assert_eq!(
        (snapshot.queues[0].pending, snapshot.totals.pending),
        (3, 1)
    );
    // No worker could begin the parts of a paused batch.
    let order = Order {
        paused: true,
        hours: None,
        since: at(0),
    };
    let paused = [(Target::Batch(whole.job.batch), order)];
    view.apply(Input::Controls(paused.into_iter().collect()), at(3));
    assert_eq!(view.snapshot(at(3)).queues[0].parts, 0);
}
