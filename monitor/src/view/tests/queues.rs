//! Queues, and the order of pending jobs.

use super::*;

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
    let shown: Vec<_> = next
        .iter()
        .map(|row| (row.job.name.as_str(), row.unserved))
        .collect();
    let never = ("never.mkv", Some(Unserved::NotProved));
    assert_eq!(shown, [("soon.mkv", None), never]);
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

    // The waiting jobs are added, judged by the same jobs. Without their sizes there is no estimate.
    let lanes = || vec![waiting("hevc_nvenc", 5, 4)];
    view.apply(Input::Lanes(lanes(), Vec::new()), at(50));
    assert_eq!(view.snapshot(at(50)).queues[0].eta, None);
    let mut four = common::matching::outlook::Waiting::default();
    (0..4).for_each(|_| four.add(1000));
    let sums = [("hevc_nvenc".parse().expect("a queue"), four)];
    view.apply(Input::Waiting(lanes(), Vec::new(), sums.into()), at(50));
    // 54 + 108 s for the running jobs, and four jobs of 131 s, two at once.
    assert_eq!(view.snapshot(at(50)).queues[0].eta, Some(343.0));
}
