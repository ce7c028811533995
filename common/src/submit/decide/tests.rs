use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::farm::queue::Lane;
use crate::job::failure::Failure;
use crate::job::id::BatchId;
use crate::job::replacement::{HardLinks, Replaced, Replacement};
use crate::names::location::Location;
use crate::recipe::Choice;
use crate::submit::result::Difference;
use crate::testing;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
/// The size of the file that a completed job made.
const MADE: u64 = 5;

fn terms() -> JobTerms {
    JobTerms::new()
}

fn again() -> JobTerms {
    JobTerms {
        again: true,
        ..terms()
    }
}

fn overwrite() -> JobTerms {
    JobTerms {
        overwrite: true,
        ..terms()
    }
}

fn renew(renew: Renew) -> JobTerms {
    JobTerms { renew, ..terms() }
}

/// The wanted job under these terms.
fn wanted(terms: &JobTerms) -> Job {
    let encoder = "libx265".parse().expect("an encoder");
    let job = testing::job(Choice::Encoder(encoder), 10);
    terms.job(BatchId::new(), job.work())
}

/// Another job of the same work.
fn same() -> Job {
    let job = wanted(&terms());
    renewed(&job, &job.id, 1)
}

fn other_recipe() -> Job {
    let encoder = "libx264".parse().expect("an encoder");
    testing::job(Choice::Encoder(encoder), 10)
}

fn other_version() -> Job {
    let mut work = wanted(&terms()).work();
    work.input.version = "0".to_owned();
    terms().job(BatchId::new(), work)
}

fn other_source() -> Job {
    let mut work = wanted(&terms()).work();
    work.input.location = Location::s3("media", "in/b.mp4").expect("a location");
    terms().job(BatchId::new(), work)
}

/// The run of a job, whose batch and time are the same in all tests.
fn running(job: Job) -> Run {
    let job = Job {
        batch: "01900000-0000-7000-8000-000000000000"
            .parse()
            .expect("an id"),
        enqueued: NOW,
        ..job
    };
    let lane = Lane::from_consumer("libx265_p5").expect("a lane");
    Run::unclaimed(job, &lane, NOW).take_over(&lane, 1, "w1".parse().expect("a name"), NOW)
}

fn completed(job: Job) -> Run {
    running(job).complete(testing::report("w1", "libx265", 2 * MADE, 1.0), NOW)
}

fn failed(job: Job) -> Run {
    let failure = Failure::input("broken");
    running(job).fail(failure, SignedDuration::ZERO, NOW)
}

fn cancelled(job: Job) -> Run {
    running(job).cancel(NOW).expect("a live run")
}

fn waiting(job: Job) -> Option<OutputJob> {
    Some(OutputJob::Waiting(Box::new(job)))
}

fn taken(run: Run) -> Option<OutputJob> {
    Some(OutputJob::Taken(Box::new(run)))
}

fn file(size: u64) -> Option<ExistingFile> {
    let is_download = false;
    Some(ExistingFile { size, is_download })
}

fn done(result: SubmitResult) -> Step {
    Step::Done(result)
}

fn run(run: Run) -> Step {
    done(SubmitResult::Run(Box::new(run)))
}

fn output_taken(by: &Job) -> Step {
    done(SubmitResult::OutputTaken(by.into()))
}

fn by_unknown() -> Step {
    let output = wanted(&terms()).output;
    done(SubmitResult::Occupied(Occupied::ByUnknown { output }))
}

fn by_other(job: &Job, difference: Difference) -> Step {
    done(SubmitResult::Occupied(Occupied::ByOther {
        output: job.output.clone(),
        job: job.id,
        difference,
    }))
}

fn existing(
    output: &Location,
    file: Option<ExistingFile>,
    last_job: Option<OutputJob>,
) -> ExistingOutputs {
    ExistingOutputs {
        files: file
            .map(|file| (output.clone(), file))
            .into_iter()
            .collect(),
        jobs: last_job
            .map(|job| (output.clone(), job))
            .into_iter()
            .collect(),
    }
}

#[test]
fn the_file_at_the_output_and_its_last_job_decide_first() {
    let own = || wanted(&terms());
    let download = Some(ExistingFile {
        size: MADE,
        is_download: true,
    });
    let source = other_source().input.location;
    let (version, recipe, from_other) = (other_version(), other_recipe(), other_source());
    #[rustfmt::skip]
    let table = [
        // No job has claimed the output.
        (None, None, terms(), Step::Enqueue),
        (file(MADE), None, terms(), Step::LookUp),
        (download, None, terms(), by_unknown()),
        (download, None, overwrite(), Step::Enqueue),
        (file(MADE), None, overwrite(), Step::Enqueue),
        (file(MADE), None, again(), Step::Enqueue),
        // The job itself has claimed the output: the broker knows the rest.
        (None, waiting(own()), terms(), Step::Enqueue),
        (file(1), waiting(own()), terms(), Step::Enqueue),
        (file(MADE), taken(completed(own())), terms(), Step::Enqueue),
        // Another job is live.
        (None, waiting(recipe.clone()), terms(), output_taken(&recipe)),
        (file(1), taken(running(recipe.clone())), terms(), output_taken(&recipe)),
        (None, waiting(version.clone()), overwrite(), output_taken(&version)),
        (None, waiting(same()), terms(), Step::Enqueue),
        (None, taken(running(own())), again(), output_taken(&own())),
        // Another job has made the file.
        (file(MADE), taken(completed(same())), terms(), run(completed(same()))),
        (file(MADE), taken(completed(recipe.clone())), terms(), by_other(&recipe, Difference::Recipe)),
        (file(MADE), taken(completed(version.clone())), renew(Renew::Ended), by_other(&version, Difference::Version)),
        (download, taken(completed(from_other.clone())), terms(), by_other(&from_other, Difference::Source(source))),
        (file(MADE), taken(completed(recipe.clone())), overwrite(), Step::Enqueue),
        (file(MADE), taken(completed(same())), again(), Step::Enqueue),
        // Another job has ended, and the file is not its own.
        (file(1), taken(completed(recipe.clone())), terms(), Step::LookUp),
        (file(MADE), taken(failed(recipe.clone())), terms(), Step::LookUp),
        (download, taken(cancelled(recipe.clone())), terms(), Step::LookUp),
        (None, taken(completed(recipe.clone())), terms(), Step::Enqueue),
        (None, taken(failed(same())), terms(), Step::Enqueue),
    ];
    for (nth, (file, last_job, terms, expected)) in table.into_iter().enumerate() {
        let job = wanted(&terms);
        let existing = existing(&job.output, file, last_job);
        let step = Case::new(&job, &existing, &terms).first();
        assert_eq!(step, expected, "row {nth}");
    }
}

#[test]
fn the_answer_of_the_broker_decides_then() {
    let own = || wanted(&terms());
    let other = other_recipe();
    let download = Some(ExistingFile {
        size: 1,
        is_download: true,
    });
    let known = |run: Run| Answer::Run(Box::new(run));
    let taken_by = |job: &Job| Answer::OutputTaken(job.into());
    #[rustfmt::skip]
    let table = [
        (None, None, Answer::Unknown, terms(), Step::Enqueue),
        (file(MADE), None, Answer::Unknown, terms(), by_unknown()),
        (file(MADE), None, Answer::Unknown, again(), Step::Enqueue),
        (None, None, Answer::Added, terms(), done(SubmitResult::Added)),
        (None, None, Answer::Pending, terms(), done(SubmitResult::Pending)),
        (None, None, known(running(own())), renew(Renew::Ended), run(running(own()))),
        // Completed: the output is there, missing, or another file.
        (file(MADE), None, known(completed(own())), renew(Renew::Ended), run(completed(own()))),
        (None, None, known(completed(own())), terms(), run(completed(own()))),
        (None, None, known(completed(own())), renew(Renew::Gone), Step::Renew),
        (None, None, known(completed(own())), renew(Renew::Ended), Step::Renew),
        (file(1), None, known(completed(own())), terms(), by_unknown()),
        (file(1), None, known(completed(own())), renew(Renew::Gone), by_unknown()),
        (file(1), None, known(completed(own())), overwrite(), Step::Renew),
        (file(MADE), None, known(completed(own())), overwrite(), run(completed(own()))),
        (download, None, known(completed(own())), terms(), run(completed(own()))),
        (file(1), None, known(completed(own())), renew(Renew::Ended), Step::Renew),
        // Failed or cancelled.
        (None, None, known(failed(own())), terms(), run(failed(own()))),
        (None, None, known(failed(own())), overwrite(), run(failed(own()))),
        (file(1), None, known(failed(own())), terms(), run(failed(own()))),
        (file(1), None, known(failed(own())), overwrite(), Step::Renew),
        (None, None, known(failed(own())), renew(Renew::Gone), run(failed(own()))),
        (None, None, known(failed(own())), renew(Renew::Ended), Step::Renew),
        (None, None, known(cancelled(own())), renew(Renew::Ended), Step::Renew),
        // Refused: a job of the same work stands in.
        (None, None, taken_by(&other), terms(), output_taken(&other)),
        (None, waiting(same()), taken_by(&other), terms(), output_taken(&other)),
        (None, waiting(same()), taken_by(&same()), terms(), done(SubmitResult::Pending)),
        (None, taken(running(same())), taken_by(&same()), terms(), run(running(same()))),
        (None, waiting(same()), taken_by(&same()), again(), output_taken(&same())),
    ];
    for (nth, (file, last_job, answer, terms, expected)) in table.into_iter().enumerate() {
        let job = wanted(&terms);
        let existing = existing(&job.output, file, last_job);
        let step = Case::new(&job, &existing, &terms).next(answer);
        assert_eq!(step, expected, "row {nth}");
    }
}

#[test]
fn an_earlier_job_of_the_same_work_stands_for_the_file() {
    let terms = terms();
    let job = wanted(&terms);
    let existing = existing(&job.output, None, waiting(same()));
    let case = Case::new(&job, &existing, &terms);
    assert_eq!(case.job_of(&SubmitResult::Added).id, job.id);
    assert_eq!(case.job_of(&SubmitResult::Pending).id, same().id);
    let failed = failed(same());
    let result = SubmitResult::Run(Box::new(failed.clone()));
    assert_eq!(case.job_of(&result), failed.job);
    assert!(!case.is_gone(&result));
    assert!(case.is_gone(&SubmitResult::Run(Box::new(completed(same())))));
}

#[test]
fn a_renewed_job_is_another_one_each_time_and_found_again() {
    let job = wanted(&terms());
    let [first, second] = [1, 2].map(|generation| renewed(&job, &job.id, generation).id);
    assert!(first != job.id && second != job.id && first != second);
    assert_eq!(renewed(&renewed(&job, &job.id, 1), &job.id, 2).id, second);
}

#[test]
fn reasons_are_plain_and_name_no_option() {
    let other = other_recipe();
    for (step, words) in [
        (
            by_unknown(),
            "the output exists, and no job is known to have made s3://media/in/a.mkv",
        ),
        (
            by_other(&other, Difference::Recipe),
            "was made by another recipe by job",
        ),
        (
            output_taken(&other),
            "its output is already being made from",
        ),
        (run(failed(other.clone())), "its job is failed already"),
        (done(SubmitResult::Pending), "its job is pending already"),
    ] {
        let Step::Done(result) = step else { continue };
        let reason = result.reason().expect("a reason");
        assert!(reason.contains(words) && !reason.contains("--"), "{reason}");
    }
    assert_eq!(SubmitResult::Added.reason(), None);
}

#[test]
fn what_was_replaced_is_not_replaced_again_unless_the_source_came_back() {
    let mut work = wanted(&terms()).work();
    let trash = Replacement::trash_in(&work.input.location.folder());
    work.output = work.input.location.clone();
    work.replacement = Some(Replacement {
        trash,
        days: 30,
        hard_links: HardLinks::Refuse,
    });
    let first = terms().job(BatchId::new(), work.clone());
    let mut report = testing::report("w1", "libx265", 2 * MADE, 1.0);
    report.replaced = Some(Replaced {
        original: first.trash_entry().expect("it replaces").original,
        until: NOW,
    });
    let made = running(first.clone()).complete(report, NOW);
    // The output is the source now.
    let mut next = work.clone();
    next.input.size = MADE;
    next.input.version = "later".to_owned();
    let next = terms().job(BatchId::new(), next);
    let at = |file, run: &Run| existing(&first.output, file, taken(run.clone()));
    let step = |job: &Job, existing: &ExistingOutputs| Case::new(job, existing, &terms()).first();
    assert_eq!(step(&next, &at(file(MADE), &made)), run(made.clone()));
    // Another recipe is another wish.
    let other = Job {
        recipe: other_recipe().recipe,
        ..next.clone()
    };
    assert_eq!(step(&other, &at(file(MADE), &made)), Step::Enqueue);
    // The source itself is in nobody's way, and a file of another job's is.
    assert_eq!(
        step(&first, &existing(&first.output, file(10), None)),
        Step::Enqueue
    );
    let beside = Job {
        output: first.output.sibling("b.mkv"),
        ..first.clone()
    };
    let stranger = existing(&beside.output, file(10), None);
    assert_eq!(step(&beside, &stranger), Step::LookUp);
    // A person has put the source back without `undo`: the job is made anew. After an undo it is not.
    let there = at(file(10), &made);
    let (terms, answer) = (terms(), |run: &Run| Answer::Run(Box::new(run.clone())));
    let case = Case::new(&first, &there, &terms);
    assert_eq!(case.first(), Step::Enqueue);
    assert_eq!(case.next(answer(&made)), Step::Renew);
    let undone = made.undo(NOW).expect("it has replaced its source");
    assert_eq!(case.next(answer(&undone)), run(undone.clone()));
    // A job that failed gives way to one with other terms, and one that was undone does not.
    let mut replaces_this_name = work;
    if let Some(wanted) = &mut replaces_this_name.replacement {
        wanted.hard_links = HardLinks::Replace;
    }
    let other_terms = terms.job(BatchId::new(), replaces_this_name);
    assert_eq!(other_terms.id, first.id);
    let failed = failed(first.clone());
    assert_eq!(case.next(answer(&failed)), run(failed.clone()));
    let case = Case::new(&other_terms, &there, &terms);
    assert_eq!(case.next(answer(&failed)), Step::Renew);
    assert_eq!(case.next(answer(&undone)), run(undone.clone()));
    assert_eq!(completed(first.clone()).undo(NOW), None);
    assert!(undone.retry(NOW).is_some());
}
