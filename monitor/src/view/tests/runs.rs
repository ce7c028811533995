//! Running and ended jobs.

use super::*;

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
    // Progress may come before its run was seen.
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
    assert_eq!(totals.since, Some(crate::snapshot::moment::Moment(at(200))));
    assert!(matches!(
        snapshot.recent[0].end,
        JobEnd::Completed { fps: 50.0, .. }
    ));
}

#[test]
fn a_check_is_counted_and_its_bytes_are_not() {
    let mut view = View::new(at(0));
    let encode = running(&job("a.mkv"), "atelier");
    changed(&mut view, &encode.complete(report("atelier"), at(1)), 1);
    let mut check = running(&job("b.mkv"), "atelier");
    check.job.kind = JobKind::Check(CheckDepth::Full);
    changed(&mut view, &check.complete(report("atelier"), at(2)), 2);
    let snapshot = view.snapshot(at(3));
    let totals = snapshot.totals;
    assert_eq!((totals.completed, totals.checked), (2, 1));
    assert_eq!((totals.input_bytes, totals.output_bytes), (1000, 250));
    assert!(matches!(
        snapshot.recent[0].end,
        JobEnd::Checked {
            input_size: 1000,
            damaged: false,
            ..
        }
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

    // An answer that is older than the latest change does not bring the job back.
    changed(&mut view, &run.complete(report("atelier"), at(1)), 9);
    view.apply(Input::Found(Box::new(run)), at(2));
    assert!(view.snapshot(at(2)).running.is_empty());
}
