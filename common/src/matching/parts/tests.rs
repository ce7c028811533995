use super::*;
use crate::job::Job;
use crate::job::progress::EncodeProgress;
use crate::job::run::Stage;
use crate::job::split::PartReport;
use crate::recipe::Choice;
use crate::recipe::encoder::Codec;
use crate::testing;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("in range")
}

fn job() -> Job {
    testing::job(Choice::Codec(Codec::Hevc), 10)
}

/// A part that began at 10 s.
fn running(plan: &Plan, part: Part, worker: &str) -> Run {
    let worker = worker.parse().expect("a name");
    Run::first(plan.job_of(part), &plan.lane(), 1, worker, at(10))
}

fn done(run: &Run, frames: u64) -> Run {
    let report = Report {
        frames,
        output_size: frames,
        ..testing::report("a", "libx265", 10, 4.0)
    };
    run.complete(report, at(20))
}

fn progress(run: &Run, fraction: f32, fps: f32) -> Progress {
    Progress {
        job: run.job.id,
        worker: run.worker().expect("an owner").clone(),
        attempt: run.attempt,
        stage: Stage::Encoding,
        fraction: Some(fraction),
        encode: Some(EncodeProgress {
            fps,
            speed: fps / 25.0,
            size: 7,
            ..EncodeProgress::default()
        }),
        eta: None,
        waits_for: None,
        at: at(20),
    }
}

fn plan() -> Plan {
    let lane = "libx265".parse().map(|queue| crate::farm::queue::Lane {
        queue,
        priority: Default::default(),
    });
    testing::plan(&job(), &lane.expect("a queue"), &[600, 300, 100])
}

#[test]
fn long_chunks_weigh_more() {
    let plan = plan();
    let mut parts = Parts::new(at(0), 4);
    let long = running(&plan, Part::Chunk(0), "a");
    parts.ran(Part::Chunk(0), Some(&done(&long, 600)));
    assert!((parts.sum().fraction - 0.25).abs() < 1e-9, "no plan yet");
    parts.plan(&plan);
    let sum = parts.sum();
    assert!((sum.fraction - 0.6).abs() < 1e-9, "{sum:?}");
    assert_eq!((sum.parts, sum.done, sum.running, sum.size), (4, 1, 0, 600));
    // A job that has done 60 % in a minute needs 40 s more.
    let left = parts.seconds_left(at(60)).expect("an estimate");
    assert!((left - 40.0).abs() < 1e-6, "{left}");
}

#[test]
fn speeds_add_up_and_twins_bring_none() {
    let plan = plan();
    let mut parts = Parts::new(at(0), 4);
    parts.plan(&plan);
    for (part, worker, fps) in [
        (Part::Chunk(0), "a", 30.0),
        (Part::Chunk(1), "b", 20.0),
        (Part::Twin(1), "c", 90.0),
    ] {
        let run = running(&plan, part, worker);
        // Progress may come first.
        parts.progressed(progress(&run, 0.0, fps));
        parts.ran(part, Some(&run));
    }
    let sum = parts.sum();
    assert_eq!((sum.fps, sum.speed, sum.running), (50.0, 2.0, 2));
    let workers: Vec<&str> = sum.workers.iter().map(|worker| worker.as_str()).collect();
    assert_eq!(workers, ["a", "b", "c"]);
    // The twin has done the chunk.
    let twin = running(&plan, Part::Twin(1), "c");
    parts.ran(Part::Twin(1), Some(&done(&twin, 300)));
    assert_eq!(parts.sum().done, 1);
    assert!(parts.sum().fraction >= 0.3);
}

#[test]
fn progress_of_an_earlier_attempt_counts_for_nothing() {
    let plan = plan();
    let mut parts = Parts::new(at(0), 4);
    parts.plan(&plan);
    let run = running(&plan, Part::Chunk(2), "a");
    let late = Progress {
        attempt: 7,
        ..progress(&run, 0.5, 10.0)
    };
    parts.progressed(late);
    parts.ran(Part::Chunk(2), Some(&run));
    assert_eq!(parts.row(Part::Chunk(2)).fraction, 0.0);
    parts.progressed(progress(&run, 0.5, 10.0));
    assert!(parts.row(Part::Chunk(2)).fraction > 0.3);
}

#[test]
fn rows_say_where_in_the_film_each_part_is() {
    let plan = plan();
    let mut parts = Parts::new(at(0), 4);
    parts.plan(&plan);
    let rows = parts.rows();
    let shown: Vec<(String, Option<f64>, Option<f64>)> = rows
        .iter()
        .map(|row| (row.part.to_string(), row.start_seconds, row.length_seconds))
        .collect();
    let wanted = [
        ("chunk-0", Some(0.0), Some(24.0)),
        ("chunk-1", Some(24.0), Some(12.0)),
        ("chunk-2", Some(36.0), Some(4.0)),
        ("rest", None, None),
    ];
    let wanted = wanted.map(|(part, start, length)| (part.to_owned(), start, length));
    assert_eq!(shown, wanted);
    assert!(rows.iter().all(|row| row.state == JobState::Pending));
}

#[test]
fn the_report_tells_the_same_after_the_end() {
    let part = |part, frames| PartReport {
        part,
        worker: "a".parse().expect("a name"),
        attempt: 2,
        frames,
        encode_seconds: 4.0,
        size: 1,
    };
    let report = Report {
        duration: 10.0,
        split: Some(SplitReport::Parts(vec![
            part(Part::Rest, 0),
            part(Part::Chunk(1), 50),
            part(Part::Chunk(0), 150),
        ])),
        ..testing::report("a", "libx265", 10, 4.0)
    };
    let rows = PartRow::of_report(&report);
    let second = &rows[1];
    assert_eq!(second.part, Part::Chunk(1));
    assert_eq!(second.start_seconds, Some(7.5));
    assert_eq!(second.length_seconds, Some(2.5));
    assert_eq!((second.attempt, second.fraction), (2, 1.0));
}
