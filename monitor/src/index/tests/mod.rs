//! The rules of the index, one by one.

mod work;

use common::farm::queue::{Lane, Priority};
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::failure::Failure;
use common::job::id::BatchId;
use common::job::input::Input;
use common::job::kind::{CheckDepth, JobKind};
use common::job::record::Pending;
use common::job::run::Run;
use common::job::run::report::Report;
use common::job::state::JobState;
use common::names::location::Location;
use common::recipe::{Choice, Recipe, VideoEncode};
use common::testing;
use jiff::{SignedDuration, Timestamp};

use super::Index;
use super::query::{Query, Sort};

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).expect("in range")
}

pub(crate) fn lane(priority: u8) -> Lane {
    Lane {
        queue: "libx265".parse().expect("a queue"),
        priority: Priority::try_from(priority).expect("1 to 10"),
    }
}

pub(crate) fn worker(name: &str) -> WorkerName {
    name.parse().expect("a name")
}

pub(crate) fn job(name: &str, number: i64) -> Job {
    let at_key = |bucket: &str| Location::s3("media", &format!("{bucket}/{name}")).expect("a key");
    let input = Input {
        location: at_key("in"),
        size: 1000 - number.unsigned_abs(),
        version: "1".to_owned(),
    };
    let recipe = Recipe::encode(VideoEncode::new(Choice::Encoder(
        "libx265".parse().expect("an encoder"),
    )))
    .expect("a sound recipe");
    Job {
        enqueued: at(number),
        ..Job::new(BatchId::new(), input, at_key("out"), recipe, None)
    }
}

fn wait(index: &mut Index, job: &Job, priority: u8) {
    let lane = lane(priority);
    index.queued(&Pending {
        job: job.clone(),
        queue: lane.queue,
        priority: lane.priority,
        sequence: 1,
    });
}

fn running(job: &Job) -> Run {
    Run::first(job.clone(), &lane(5), 1, worker("atelier"), at(50))
}

pub(crate) fn report() -> Report {
    Report {
        output_size: 250,
        frames: 100,
        duration: 4.0,
        total_seconds: 3.0,
        ..testing::report("atelier", "libx265", 1000, 2.0)
    }
}

/// An index of one job, completed.
pub(crate) fn completed(name: &str) -> Index {
    let mut index = Index::default();
    index.run(&running(&job(name, 0)).complete(report(), at(60)));
    index
}

fn names(index: &Index, query: &Query) -> Vec<String> {
    let page = index.page(&Query {
        limit: 100,
        ..query.clone()
    });
    page.jobs.into_iter().map(|row| row.job.name).collect()
}

#[test]
fn a_job_is_listed_once_however_it_was_heard_of() {
    let mut index = Index::default();
    let job = job("a.mkv", 0);
    wait(&mut index, &job, 5);
    wait(&mut index, &job, 5);
    assert_eq!(index.counts().sum(), 1);

    let run = running(&job);
    index.run(&run);
    // Its message is still in the queue while a worker holds it.
    wait(&mut index, &job, 5);
    assert_eq!(index.counts().of(JobState::Running), 1);
    assert_eq!(index.counts().sum(), 1);

    let done = run.complete(report(), at(60));
    index.run(&done);
    assert_eq!(index.counts().of(JobState::Completed), 1);
    let row = index
        .page(&Query {
            limit: 1,
            ..Query::default()
        })
        .jobs
        .remove(0);
    assert_eq!((row.output_size, row.fps), (Some(250), Some(50.0)));
    assert_eq!(index.done().count(), 1);
    assert_eq!(index.batches()[&job.batch].written, 1);
    // A check has read its input, and made nothing.
    let mut check = done.clone();
    check.job.kind = JobKind::Check(CheckDepth::Quick);
    index.run(&check);
    assert_eq!((index.done().count(), index.checked()), (0, (1, 0)));
    assert_eq!(index.batches()[&job.batch].written, 0);

    index.forget(&job.id);
    assert_eq!(index.counts().sum(), 0);
    wait(&mut index, &job, 5);
    assert_eq!(index.counts().of(JobState::Pending), 1);
}

#[test]
fn filters_and_orders_hold_together() {
    let mut index = Index::default();
    let all = ["Cabaret.mkv", "alien.mkv", "Brazil.mkv", "shorts/dunes.mkv"];
    let jobs: Vec<Job> = (0..)
        .zip(all)
        .map(|(number, name)| job(name, number))
        .collect();
    for (job, priority) in jobs.iter().zip([5, 9, 9, 1]) {
        wait(&mut index, job, priority);
    }
    let query = Query::default();
    assert_eq!(
        names(&index, &query),
        ["Cabaret.mkv", "alien.mkv", "Brazil.mkv", "dunes.mkv"]
    );
    let by = |sort, descending| Query {
        sort,
        descending,
        ..Query::default()
    };
    assert_eq!(
        names(&index, &by(Sort::Name, false)),
        ["alien.mkv", "Brazil.mkv", "Cabaret.mkv", "dunes.mkv"]
    );
    assert_eq!(
        names(&index, &by(Sort::Priority, true)),
        ["alien.mkv", "Brazil.mkv", "Cabaret.mkv", "dunes.mkv"],
        "the more urgent first, of those the older"
    );
    assert_eq!(names(&index, &by(Sort::Size, false))[0], "dunes.mkv");

    let text = |text: &str| Query {
        text: text.to_owned(),
        ..Query::default()
    };
    assert_eq!(names(&index, &text("bRaZ")), ["Brazil.mkv"]);
    assert_eq!(names(&index, &text("SHORTS")), ["dunes.mkv"]);
    assert_eq!(names(&index, &text(&jobs[1].id.to_string())), ["alien.mkv"]);
    assert!(names(&index, &text("nothing")).is_empty());

    index.run(&running(&jobs[0]).fail(Failure::input("no video"), SignedDuration::ZERO, at(70)));
    let failed = Query {
        states: vec![JobState::Failed],
        ..Query::default()
    };
    let page = index.page(&Query {
        limit: 10,
        ..failed
    });
    assert_eq!(page.total, 1);
    assert_eq!(page.jobs[0].reason.as_deref(), Some("no video"));
    assert!(
        page.states.contains(&(JobState::Pending, 3)),
        "{:?}",
        page.states
    );
    let here = Query {
        worker: Some(worker("atelier")),
        ..Query::default()
    };
    assert_eq!(names(&index, &here), ["Cabaret.mkv"]);
    let nowhere = Query {
        worker: Some(worker("nobody")),
        ..Query::default()
    };
    assert!(names(&index, &nowhere).is_empty());
}

#[test]
fn lanes_count_what_waits_and_the_next_ones_come_first() {
    let mut index = Index::default();
    let jobs: Vec<Job> = (0..4)
        .map(|number| job(&format!("{number}.mkv"), number))
        .collect();
    for (job, priority) in jobs.iter().zip([5, 9, 9, 5]) {
        wait(&mut index, job, priority);
    }
    index.run(&running(&jobs[0]));
    let mut lanes = index.lanes();
    lanes.sort_by(|a, b| a.lane.cmp(&b.lane));
    let found: Vec<_> = lanes
        .iter()
        .map(|status| {
            (
                u8::from(status.lane.priority),
                status.pending,
                status.oldest,
            )
        })
        .collect();
    assert_eq!(found, [(5, 1, Some(at(3))), (9, 2, Some(at(1)))]);
    let next = |index: &Index, most, each| -> Vec<String> {
        let rows = index.next(most, each).into_iter();
        rows.map(|row| row.job.name).collect()
    };
    assert_eq!(next(&index, 2, 1), ["1.mkv", "2.mkv"]);
    // The first jobs of another queue are there, however many jobs come before them.
    let other = Lane {
        queue: "libvvenc".parse().expect("a queue"),
        ..lane(1)
    };
    index.waits(&job("other.mkv", 0), &other);
    assert_eq!(next(&index, 2, 1), ["1.mkv", "2.mkv", "other.mkv"]);
    assert_eq!(next(&index, 2, 0), ["1.mkv", "2.mkv"]);
}

#[test]
fn pages_follow_each_other_without_gap_or_overlap() {
    let mut index = Index::default();
    for number in 0..250 {
        wait(&mut index, &job(&format!("{number:03}.mkv"), number), 5);
    }
    for sort in [Sort::Name, Sort::Enqueued, Sort::Priority, Sort::Size] {
        for descending in [false, true] {
            let mut seen = Vec::new();
            for offset in (0..250).step_by(60) {
                let page = index.page(&Query {
                    sort,
                    descending,
                    offset,
                    limit: 60,
                    ..Query::default()
                });
                assert_eq!(page.total, 250);
                seen.extend(page.jobs.into_iter().map(|row| row.job.name));
            }
            assert_eq!(seen.len(), 250);
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), 250, "{sort:?} {descending}");
        }
    }
    let some = Query {
        limit: 100,
        offset: 200,
        ..Query::default()
    };
    let rows = index.page(&some).jobs.into_iter();
    let ids = index.ids(&some);
    assert_eq!((ids.jobs.len(), ids.total), (50, 250));
    assert!(rows.map(|row| row.job.id).eq(ids.jobs));
    let beyond = index.page(&Query {
        offset: 300,
        limit: 60,
        ..Query::default()
    });
    assert_eq!((beyond.jobs.len(), beyond.total), (0, 250));
}

#[test]
fn names_that_come_and_go_do_not_pile_up() {
    let mut index = Index::default();
    let long = "x".repeat(4000);
    let job = job(&format!("{long}.mkv"), 0);
    let run = running(&job);
    for _ in 0..2000 {
        index.run(&run);
    }
    assert_eq!(names(&index, &Query::default()), [format!("{long}.mkv")]);
    assert!(index.names.pieces() <= 4, "{}", index.names.pieces());
}
