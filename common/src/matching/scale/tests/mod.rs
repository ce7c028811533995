//! What each rule is for, by example; then random farms against a plain matching, job by job.

mod decide;

use proptest::prelude::*;

use super::*;
use crate::farm::worker::WorkerStatus;
use crate::recipe::encoder::Encoder;
use crate::testing;

fn queue(name: &str) -> Queue {
    name.parse().expect("a queue")
}

fn class(queues: &[&str]) -> Class {
    Class::of_queues(queues.iter().map(|name| queue(name))).expect("a class")
}

fn waiting(queues: &[&str], priority: u8, jobs: u64) -> Waiting {
    Waiting {
        queues: queues.iter().map(|name| queue(name)).collect(),
        priority: priority.try_into().expect("1 to 10"),
        jobs,
    }
}

fn worker(name: &str, encoders: &[&str], slots: u32) -> Heartbeat {
    Heartbeat {
        slots,
        ..testing::heartbeat(name, encoders)
    }
}

fn present(workers: &[(Heartbeat, u32)]) -> Vec<Present<'_>> {
    workers
        .iter()
        .map(|(worker, running)| Present {
            worker,
            running: *running,
        })
        .collect()
}

fn of(class: &Class, waiting: &[Waiting], workers: &[(Heartbeat, u32)]) -> Scale {
    scale(class, waiting, &present(workers), NonZeroU32::MIN)
}

#[test]
fn a_farm_without_workers_wants_one_for_each_job() {
    let scale = of(&class(&["libx265"]), &[waiting(&["libx265"], 5, 3)], &[]);
    let expected = Scale {
        startable: 3,
        wanted: 3,
        ..Scale::default()
    };
    assert_eq!(scale, expected);
}

#[test]
fn a_worker_of_several_jobs_counts_for_as_many() {
    let jobs = NonZeroU32::new(4).expect("not 0");
    let scale = scale(
        &class(&["libx265"]),
        &[waiting(&["libx265"], 5, 9)],
        &[],
        jobs,
    );
    assert_eq!(scale.wanted, 3);
}

#[test]
fn idle_slots_cover_jobs_and_busy_ones_do_not() {
    let mut resting = worker("resting", &["libx265"], 8);
    resting.status = WorkerStatus::OffHours;
    let workers = [
        (worker("busy", &["libx265"], 1), 1),
        (worker("half", &["libx265"], 2), 1),
        (resting, 0),
    ];
    let scale = of(
        &class(&["libx265"]),
        &[waiting(&["libx265"], 5, 3)],
        &workers,
    );
    let expected = Scale {
        startable: 2,
        covered: 1,
        running: 2,
        workers: 3,
        wanted: 5,
    };
    assert_eq!(scale, expected);
}

#[test]
fn a_job_in_several_queues_counts_once_for_a_class_and_for_each_of_two() {
    let jobs = [waiting(&["hevc_nvenc", "libx265"], 5, 1)];
    let startable = |queues: &[&str]| of(&class(queues), &jobs, &[]).startable;
    assert_eq!(startable(&["hevc_nvenc", "libx265", "any_hevc"]), 1);
    assert_eq!(startable(&["hevc_nvenc"]), 1);
    assert_eq!(startable(&["libx265"]), 1);
    // Once one of them has a worker for it, the other needs none.
    let workers = [(worker("gpu", &["hevc_nvenc"], 1), 0)];
    assert_eq!(of(&class(&["libx265"]), &jobs, &workers).startable, 0);
}

#[test]
fn a_pinned_job_counts_for_no_class_but_takes_its_workers_slot() {
    let jobs = [
        waiting(&["on_w1"], 9, 1),
        waiting(&["on_gone"], 9, 50),
        waiting(&["libx265"], 5, 1),
    ];
    let workers = [(worker("w1", &["libx265"], 1), 0)];
    let scale = of(&class(&["libx265"]), &jobs, &workers);
    assert_eq!((scale.startable, scale.wanted), (1, 1));
    let refused = Class::of_queues([queue("on_w1")]);
    assert_eq!(refused, Err(ClassError::Pinned(queue("on_w1"))));
    assert_eq!(Class::of_queues([]), Err(ClassError::Empty));
}

#[test]
fn a_slot_that_serves_more_is_left_to_the_job_that_needs_it() {
    // Both workers take libx265, only one takes hevc_nvenc.
    let jobs = [waiting(&["libx265"], 9, 1), waiting(&["hevc_nvenc"], 1, 1)];
    let workers = [
        (worker("gpu", &["hevc_nvenc", "libx265"], 1), 0),
        (worker("cpu", &["libx265"], 1), 0),
    ];
    let all = class(&["libx265", "hevc_nvenc"]);
    assert_eq!(of(&all, &jobs, &workers).startable, 0);
    // With one slot for both, the more urgent job has it.
    assert_eq!(
        of(&class(&["hevc_nvenc"]), &jobs, &workers[..1]).startable,
        1
    );
    assert_eq!(of(&class(&["libx265"]), &jobs, &workers[..1]).startable, 0);
}

#[test]
fn an_encoder_stands_for_its_codec_as_well() {
    let encoder: Encoder = "libx265".parse().expect("an encoder");
    let queues: Vec<String> = Class::queues_of(&encoder)
        .map(|queue| queue.to_string())
        .collect();
    assert_eq!(queues, ["libx265", "any_hevc"]);
}

#[test]
fn only_workers_of_the_name_belong_to_a_class_but_all_idle_slots_count() {
    let workers = [
        (worker("cpu-1", &["libx265"], 1), 1),
        (worker("atelier", &["libx265"], 4), 3),
    ];
    let class = class(&["libx265"]).named("cpu-");
    let scale = of(&class, &[waiting(&["libx265"], 5, 3)], &workers);
    let expected = Scale {
        startable: 2,
        covered: 0,
        running: 1,
        workers: 1,
        wanted: 3,
    };
    assert_eq!(scale, expected);
}

const QUEUES: [&str; 6] = [
    "libx265",
    "hevc_nvenc",
    "libx264",
    "any_hevc",
    "copy",
    "on_w0",
];
const ENCODERS: [&str; 3] = ["libx265", "hevc_nvenc", "libx264"];

prop_compose! {
    fn any_waiting()(
        queues in proptest::sample::subsequence(&QUEUES[..], 1..3),
        priority in 1u8..4,
        jobs in 0u64..4,
    ) -> Waiting {
        waiting(&queues, priority, jobs)
    }
}

prop_compose! {
    fn any_worker()(
        encoders in proptest::sample::subsequence(&ENCODERS[..], 0..4),
        only_copy in any::<bool>(),
        is_ready in proptest::bool::weighted(0.8),
        slots in 1u32..4,
        running in 0u32..3,
    ) -> (Heartbeat, u32) {
        let mut worker = worker("w", &encoders, slots);
        if only_copy && encoders.is_empty() {
            worker.terms.only = vec![Queue::Copy];
        }
        if !is_ready {
            worker.status = WorkerStatus::Draining;
        }
        (worker, running.min(slots))
    }
}

/// Places jobs one by one, the most urgent first, where each job may push others to other slots.
fn plain_matching(waiting: &[Waiting], workers: &[(Heartbeat, u32)]) -> Vec<u64> {
    fn place(job: usize, fits: &[Vec<usize>], of: &mut [Option<usize>], seen: &mut [bool]) -> bool {
        for slot in &fits[job] {
            if std::mem::replace(&mut seen[*slot], true) {
                continue;
            }
            if of[*slot].is_none_or(|other| place(other, fits, of, seen)) {
                of[*slot] = Some(job);
                return true;
            }
        }
        false
    }
    let slots: Vec<&Heartbeat> = workers
        .iter()
        .filter(|(worker, _)| worker.status == WorkerStatus::Ready)
        .flat_map(|(worker, running)| vec![worker; (worker.slots - running) as usize])
        .collect();
    let mut jobs: Vec<&Waiting> = waiting
        .iter()
        .flat_map(|group| vec![group; usize::try_from(group.jobs).expect("few")])
        .collect();
    jobs.sort_by_key(|job| std::cmp::Reverse(job.priority));
    let fits: Vec<Vec<usize>> = jobs
        .iter()
        .map(|job| {
            let serves = |slot: &usize| job.queues.iter().any(|queue| slots[*slot].serves(queue));
            (0..slots.len()).filter(serves).collect()
        })
        .collect();
    let mut of = vec![None; slots.len()];
    let mut left = vec![0; 4];
    for (nth, job) in jobs.iter().enumerate() {
        if !place(nth, &fits, &mut of, &mut vec![false; slots.len()]) {
            left[usize::from(u8::from(job.priority))] += 1;
        }
    }
    left
}

proptest! {
    /// With the classes of all queues, no job is counted twice or left out, and idle slots take as many as they can, of
    /// each priority.
    #[test]
    fn slots_are_used_as_well_as_a_plain_matching_uses_them(
        waiting in proptest::collection::vec(any_waiting(), 0..8),
        mut workers in proptest::collection::vec(any_worker(), 0..6),
    ) {
        for (nth, (worker, _)) in workers.iter_mut().enumerate() {
            worker.name = format!("w{nth}").parse().expect("a name");
        }
        // Jobs that only pinned queues lead to are in no class, so they are left out of the comparison by their sum.
        let all = class(&QUEUES[..5]);
        let left = plain_matching(&waiting, &workers);
        let demands: Vec<Demand<'_>> = waiting.iter().map(Demand::from).collect();
        let presents = present(&workers);
        let supplies = Supply::of(
            &demands,
            presents.iter().map(|present| (present.worker, present.idle_slots(), true)),
        );
        let covered = cover::cover(&demands, &supplies);
        let mut found = vec![0; 4];
        for (group, covered) in waiting.iter().zip(&covered) {
            prop_assert_eq!(covered.by_others, 0);
            prop_assert!(covered.by_members <= group.jobs);
            found[usize::from(u8::from(group.priority))] += group.jobs - covered.by_members;
        }
        prop_assert_eq!(found, left);
        let sum = of(&all, &waiting, &workers);
        let in_class = waiting.iter().filter(|group| all.takes_any(&group.queues));
        let jobs: u64 = in_class.map(|group| group.jobs).sum();
        prop_assert_eq!(sum.startable + sum.covered, jobs);
        prop_assert_eq!(sum.wanted, jobs + sum.running);
    }
}
