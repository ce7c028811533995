//! Whether a library is finished: pure.

use common::job::state::JobState;
use common::library::scan::ScanReport;
use common::names::token::Token;
use common::notify::occurrence::{LibraryFinished, Occurrence};
use jiff::Timestamp;

use crate::index::BatchSum;

/// How far a library is, of which a job has ended.
#[derive(Debug, PartialEq)]
pub(super) enum Progress {
    /// Nothing is left to do.
    Finished(Box<Occurrence>),
    /// No scan has looked since the last job ended, or it has left files for later.
    Unsure,
    /// Jobs are left, or all of this was told.
    Open,
}

/// `sums` are the sums of the library's batches, `scan` is its last scan, `told` the last end of a job of which hooks
/// were told that the library was finished then.
pub(super) fn progress<'a>(
    library: &Token,
    sums: impl IntoIterator<Item = &'a BatchSum>,
    scan: Option<&ScanReport>,
    told: Option<Timestamp>,
) -> Progress {
    let mut last = None;
    for sum in sums {
        let open = [
            JobState::Pending,
            JobState::Paused,
            JobState::Running,
            JobState::Waiting,
        ];
        if open.into_iter().any(|state| sum.counts.of(state) > 0) {
            return Progress::Open;
        }
        last = last.max(sum.ended);
    }
    let last = last.and_then(|last| Timestamp::from_millisecond(last).ok());
    let Some(at) = last.filter(|at| told.is_none_or(|told| *at > told)) else {
        return Progress::Open;
    };
    match scan {
        Some(scan) if scan.began > at && scan.enqueued + scan.arriving + scan.left == 0 => {
            let finished = LibraryFinished {
                library: library.clone(),
                files: scan.files as u64,
                refused: scan.refused as u64,
            };
            let finished = Occurrence::library_finished(finished, at);
            Progress::Finished(Box::new(finished))
        }
        _ => Progress::Unsure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::notify::occurrence::Fact;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn scan(began: i64, enqueued: usize, arriving: usize) -> ScanReport {
        ScanReport {
            began: at(began),
            ended: at(began + 1),
            files: 12,
            arriving,
            probed: 0,
            enqueued,
            left: 0,
            refused: 0,
            gone: 0,
            unreadable: Vec::new(),
        }
    }

    #[test]
    fn a_library_is_finished_once_a_later_scan_finds_nothing_to_do() {
        let library: Token = "films".parse().expect("a name");
        let ended = BatchSum {
            ended: Some(5000),
            ..BatchSum::default()
        };
        let look = |scan: Option<ScanReport>, told: Option<i64>| {
            progress(&library, [&ended], scan.as_ref(), told.map(at))
        };
        assert_eq!(look(None, None), Progress::Unsure);
        // Its schedule is over, and files wait.
        let closed = ScanReport {
            left: 1,
            ..scan(6, 0, 0)
        };
        for unsure in [scan(4, 0, 0), scan(6, 1, 0), scan(6, 0, 1), closed] {
            assert_eq!(look(Some(unsure), None), Progress::Unsure);
        }
        // A file that is refused would be so for ever: it is told.
        let refusing = ScanReport {
            refused: 2,
            ..scan(6, 0, 0)
        };
        let Progress::Finished(told) = look(Some(refusing), Some(4)) else {
            panic!("not finished");
        };
        assert_eq!(told.at, at(5));
        let Fact::LibraryFinished(finished) = &told.fact else {
            panic!("{:?}", told.fact);
        };
        assert_eq!((finished.files, finished.refused), (12, 2));
        assert_eq!(
            look(Some(scan(6, 0, 0)), Some(5)),
            Progress::Open,
            "told once"
        );
        let nothing = BatchSum::default();
        let look = progress(&library, [&nothing], Some(&scan(6, 0, 0)), None);
        assert_eq!(look, Progress::Open, "there was nothing to do");
    }
}
