//! What waits for a worker, and what each worker owns.

use common::farm::orders::{Order, Orders, Target};
use common::farm::queue::Queue;
use common::job::Job;
use common::job::failure::Failure;
use common::job::part::Part;
use common::job::record::Pending;
use common::job::run::Run;
use common::matching::scale::Waiting;
use common::names::subject::JobSubject;
use common::testing;
use jiff::SignedDuration;

use super::{at, job, lane, report, running, wait, worker};
use crate::index::Index;

fn queue(name: &str) -> Queue {
    name.parse().expect("a queue")
}

fn paused(target: Target) -> Orders {
    let order = Order {
        paused: true,
        hours: None,
        since: at(0),
    };
    [(target, order)].into_iter().collect()
}

/// What may start at second 100 while every owner lives.
fn startable(index: &Index, orders: &Orders) -> Vec<(String, u64)> {
    told(index.work(orders, at(100)).startable(|_| false))
}

fn told(waiting: Vec<Waiting>) -> Vec<(String, u64)> {
    let names = |waiting: &Waiting| {
        let names: Vec<String> = waiting.queues.iter().map(ToString::to_string).collect();
        names.join("+")
    };
    let mut told: Vec<_> = waiting
        .iter()
        .map(|waiting| (names(waiting), waiting.jobs))
        .collect();
    told.sort();
    told
}

fn waits_in(index: &mut Index, job: &Job, queue_name: &str) {
    index.queued(&Pending {
        job: job.clone(),
        queue: queue(queue_name),
        priority: lane(5).priority,
        sequence: 9,
    });
}

fn one(name: &str, jobs: u64) -> Vec<(String, u64)> {
    vec![(name.to_owned(), jobs)]
}

#[test]
fn pauses_hold_jobs_by_queue_and_by_batch() {
    let mut index = Index::default();
    let (first, second) = (job("a.mkv", 0), job("b.mkv", 1));
    wait(&mut index, &first, 5);
    wait(&mut index, &second, 5);
    assert_eq!(startable(&index, &Orders::default()), one("libx265", 2));
    let batch = paused(Target::Batch(second.batch));
    assert_eq!(startable(&index, &batch), one("libx265", 1));
    let all = paused(Target::Queue(queue("libx265")));
    assert_eq!(startable(&index, &all), []);
}

#[test]
fn a_fallback_that_has_opened_is_a_further_queue_of_the_same_job() {
    let mut index = Index::default();
    let job = job("a.mkv", 0);
    wait(&mut index, &job, 5);
    waits_in(&mut index, &job, "hevc_nvenc");
    waits_in(&mut index, &job, "hevc_nvenc");
    let none = Orders::default();
    assert_eq!(startable(&index, &none), one("hevc_nvenc+libx265", 1));
    // A paused queue leaves the other one.
    let paused = paused(Target::Queue(queue("libx265")));
    assert_eq!(startable(&index, &paused), one("hevc_nvenc", 1));
    // A worker owns it, then gives it back: its messages are still there.
    index.run(&running(&job));
    assert_eq!(startable(&index, &none), []);
    index.run(&running(&job).release(at(60)));
    assert_eq!(startable(&index, &none), one("hevc_nvenc+libx265", 1));
    // A person moves it: it waits there alone.
    let moved = running(&job).move_to(&lane(9), at(70)).expect("it lives");
    index.run(&moved);
    assert_eq!(startable(&index, &none), one("libx265", 1));
}

#[test]
fn a_retry_waits_for_its_time() {
    let mut index = Index::default();
    let failure = || Failure::worker("the disk is full");
    let soon = running(&job("a.mkv", 0)).fail(failure(), SignedDuration::from_secs(30), at(60));
    let late = running(&job("b.mkv", 1)).fail(failure(), SignedDuration::from_secs(60), at(60));
    index.run(&soon);
    index.run(&late);
    assert_eq!(startable(&index, &Orders::default()), one("libx265", 1));
}

#[test]
fn what_a_vanished_worker_owns_may_start_elsewhere() {
    let mut index = Index::default();
    index.run(&running(&job("a.mkv", 0)));
    let work = index.work(&Orders::default(), at(100));
    assert_eq!(work.running[&worker("atelier")], 1);
    assert_eq!(work.startable(|_| false), []);
    let gone = work.startable(|owner| *owner == worker("atelier"));
    assert_eq!(told(gone), one("libx265", 1));
}

#[test]
fn parts_of_a_split_job_are_work_and_their_job_is_none() {
    let mut index = Index::default();
    let whole = running(&job("a.mkv", 0));
    index.run(&whole);
    let plan = testing::plan(&whole.job, &lane(5), &[600, 300, 100]);
    let place = |part: Part| JobSubject {
        lane: lane(5),
        job: whole.job.id.with_part(part),
    };
    let parts = [Part::Chunk(0), Part::Chunk(1), Part::Chunk(2), Part::Rest];
    for part in parts {
        index.part_queued(&place(part));
    }
    let split = whole.split(4, at(51));
    index.run(&split);
    let none = Orders::default();
    assert_eq!(startable(&index, &none), one("libx265", 4));
    assert!(index.work(&none, at(100)).running.is_empty());

    let run = |part: Part| Run::first(plan.job_of(part), &lane(5), 7, worker("north"), at(52));
    let first = run(Part::Chunk(0));
    index.part_ran(&first.job.id, Some(&first));
    // The message of a running part is still in the queue.
    index.part_queued(&place(Part::Chunk(0)));
    assert_eq!(startable(&index, &none), one("libx265", 3));
    let work = index.work(&none, at(100));
    assert_eq!(work.running[&worker("north")], 1);
    assert_eq!(told(work.startable(|_| true)), one("libx265", 4));
    let batch = paused(Target::Batch(whole.job.batch));
    assert_eq!(startable(&index, &batch), []);

    // A second run of a slow chunk goes with the first.
    index.part_queued(&place(Part::Twin(0)));
    assert_eq!(startable(&index, &none), one("libx265", 4));
    for part in parts {
        let done = run(part).complete(report(), at(60));
        index.part_ran(&done.job.id, Some(&done));
    }
    assert_eq!(startable(&index, &none), []);
    // All parts are done: the job waits to be joined, where copies wait.
    waits_in(&mut index, &whole.job, "copy");
    assert_eq!(startable(&index, &none), one("libx265+copy", 1));
    let copy = common::farm::queue::Lane {
        queue: Queue::Copy,
        priority: lane(6).priority,
    };
    let joining = split.take_over(&copy, 10, worker("north"), at(61));
    index.run(&joining);
    assert_eq!(startable(&index, &none), []);
    assert_eq!(index.work(&none, at(100)).running[&worker("north")], 1);
    index.run(&joining.complete(report(), at(62)));
    let work = index.work(&none, at(100));
    assert_eq!(work.startable(|_| true), []);
    assert!(work.running.is_empty());
}

#[test]
fn the_parts_of_a_split_that_was_given_up_are_no_work() {
    let mut index = Index::default();
    let whole = running(&job("a.mkv", 0));
    index.run(&whole);
    let split = whole.split(2, at(51));
    index.run(&split);
    index.part_queued(&JobSubject {
        lane: lane(5),
        job: whole.job.id.with_part(Part::Chunk(0)),
    });
    index.run(&split.unsplit(&lane(5), at(60)).expect("it is split"));
    assert_eq!(startable(&index, &Orders::default()), one("libx265", 1));
}
