//! Classifies a failure of ffmpeg or ffprobe by the last lines of its log: the fault, and a message of one line.

use std::process::ExitStatus;

use common::job::failure::{Doubt, Failure};

use crate::ffmpeg::Source;
use crate::ffmpeg::run::line::Line;
use crate::ffmpeg::run::speaker::{not_held, without_speaker};
use crate::ffmpeg::run::telling;
use crate::ffmpeg::run::words::{INPUT, MEMORY, PASSING, SCARCE, UNFINISHED, WORKER};

/// Where the input's bytes come from. The network can fail only for a remote input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file on this machine.
    Local,
    /// The network.
    Remote,
}

impl Origin {
    pub fn of(source: &Source) -> Self {
        if source.is_remote() {
            Self::Remote
        } else {
            Self::Local
        }
    }
}

/// The failure of a tool that did not succeed. If no phrase of the log decides the fault, the failure is in doubt.
pub(crate) fn failure(tool: &str, status: ExitStatus, log: &[Line], origin: Origin) -> Failure {
    let line_with = |words: &[&str]| find(log, words).map(for_people);
    let in_doubt = |doubt, words: String| Failure::in_doubt(doubt, words);
    let failure = if let Some(number) = signal(status) {
        crash(tool, number)
    } else if status.code() == Some(i32::from(crate::sandbox::FAILED)) {
        Failure::worker(best_line(log).unwrap_or_default())
    } else if let Some(line) = (origin == Origin::Remote)
        .then(|| line_with(PASSING))
        .flatten()
    {
        Failure::passing(line)
    } else if let Some(line) = line_with(WORKER) {
        Failure::worker(line)
    } else if let Some(line) = line_with(INPUT) {
        Failure::input(line)
    } else if let Some(line) = line_with(SCARCE) {
        in_doubt(Doubt::SecondWorker, line)
    } else {
        in_doubt(Doubt::Proof, best_line(log).unwrap_or_default())
    };
    let message = match (signal(status), failure.message.is_empty()) {
        (Some(_), _) => failure.message,
        (None, true) => format!("{tool} gave up on this file and did not say why ({status})"),
        (None, false) => format!("{tool}: {}", failure.message),
    };
    Failure { message, ..failure }.with_log(texts(log))
}

/// Whether a tool was ended because it wrote a file larger than it may.
pub(crate) fn is_file_too_large(status: ExitStatus, log: &[Line]) -> bool {
    signal(status) == Some(FILE_SIZE) || find(log, &["File too large"]).is_some()
}

/// Whether a tool says that it got no more memory.
pub(crate) fn lacks_memory(log: &[Line]) -> bool {
    find(log, MEMORY).is_some()
}

/// The signal that ends a process whose file grows too large, on Linux and macOS.
const FILE_SIZE: i32 = 25;

/// The failure of a tool that was ended by a signal.
fn crash(tool: &str, number: i32) -> Failure {
    match CRASHES.iter().find(|(signal, _)| *signal == number) {
        Some((_, what)) => Failure::in_doubt(
            Doubt::Repetition,
            format!("{tool} crashed over this file (signal {number}: {what})"),
        ),
        // Signal 9 usually comes from the kernel's out-of-memory killer.
        None => Failure::worker(format!("{tool} was killed by signal {number}")),
    }
}

/// Signals by which a program crashes. Most numbers are the same on Linux and macOS; a bus error is 7 on Linux and 10
/// on macOS.
const CRASHES: &[(i32, &str)] = &[
    (4, "illegal instruction"),
    (5, "trap"),
    (6, "abort"),
    (7, "bus error"),
    (8, "arithmetic error"),
    (10, "bus error"),
    (11, "segmentation fault"),
];

/// The failure of the network that a line of the log reports, although the tool exits with success.
pub(crate) fn network(line: &str) -> Option<Failure> {
    let is_network = PASSING.iter().any(|words| line.contains(words));
    is_network.then(|| Failure::passing(without_speaker(line)))
}

/// The failure that ffmpeg reports in its log only, although it exits with success.
pub(crate) fn unfinished(log: &[Line]) -> Option<Failure> {
    let line = find(log, UNFINISHED)?;
    Some(Failure::worker(format!("ffmpeg: {}", for_people(line))).with_log(texts(log)))
}

pub(crate) fn texts(log: &[Line]) -> Vec<String> {
    log.iter().map(|line| line.text.clone()).collect()
}

/// The line that explains most; the last one of equals, because the errors that an encode survives come first.
fn best_line(log: &[Line]) -> Option<String> {
    telling::most_telling(log.iter().rev())
        .or(log.last())
        .map(for_people)
}

fn find<'a>(log: &'a [Line], words: &[&str]) -> Option<&'a Line> {
    log.iter()
        .find(|line| words.iter().any(|words| line.text.contains(words)))
}

/// A log line in words for people.
fn for_people(line: &Line) -> String {
    let line = without_speaker(&line.text);
    not_held(&line).unwrap_or(line)
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    use common::job::failure::Fault;

    fn of(log: &[&str], origin: Origin) -> Failure {
        let log: Vec<Line> = log.iter().map(|line| Line::read(line)).collect();
        failure("ffmpeg", ExitStatus::from_raw(1 << 8), &log, origin)
    }

    /// The lines of a log, the origin of the input, the expected fault (`None`: in doubt), and the expected message.
    type Case = (&'static [&'static str], Origin, Option<Fault>, &'static str);

    const CASES: &[Case] = &[
        (
            &[
                "[mov,mp4 @ 0x5580] [error] moov atom not found",
                "[error] input: Invalid data found when processing input",
            ],
            Origin::Local,
            Some(Fault::Input),
            "ffmpeg: mov,mp4: moov atom not found",
        ),
        (
            &[
                "[hevc_nvenc @ 0x55] [error] OpenEncodeSessionEx failed: out of memory (10)",
                "[fatal] Conversion failed!",
            ],
            Origin::Local,
            Some(Fault::Worker),
            "ffmpeg: hevc_nvenc: OpenEncodeSessionEx failed: out of memory (10)",
        ),
        (
            &[
                "[error] av_interleaved_write_frame(): No space left on device",
                "[fatal] Conversion failed!",
            ],
            Origin::Remote,
            Some(Fault::Worker),
            "ffmpeg: av_interleaved_write_frame(): No space left on device",
        ),
        (
            &["[tcp @ 0x1] [error] Connection to tcp://127.0.0.1:1 failed: Connection refused"],
            Origin::Remote,
            Some(Fault::Passing),
            "ffmpeg: tcp: Connection to tcp://127.0.0.1:1 failed: Connection refused",
        ),
        (
            &["[http @ 0x1] HTTP error 503 Service Unavailable"],
            Origin::Remote,
            Some(Fault::Passing),
            "ffmpeg: http: HTTP error 503 Service Unavailable",
        ),
        (
            &["[http @ 0x1] HTTP error 404 Not Found"],
            Origin::Remote,
            Some(Fault::Input),
            "ffmpeg: http: HTTP error 404 Not Found",
        ),
        (
            &["[error] http://s3/b/k?…: End of file"],
            Origin::Remote,
            Some(Fault::Input),
            "ffmpeg: End of file",
        ),
        (
            &[
                "x264 [error]: baseline profile doesn't support a bit depth of 10",
                "[libx264 @ 0x56] [error] Error setting profile baseline.",
                "[vost#0:0/libx264 @ 0x5] [enc:libx264 @ 0x6] [error] Could not open encoder before EOF",
            ],
            Origin::Local,
            Some(Fault::Input),
            "ffmpeg: x264 [error]: baseline profile doesn't support a bit depth of 10",
        ),
        (
            &[
                "Svt[error]: Instance 1: Source Width must be at least 64",
                "[libsvtav1 @ 0x55cecdd6c740] [error] Error setting encoder parameters: bad parameter (80001005)",
            ],
            Origin::Local,
            Some(Fault::Input),
            "ffmpeg: Svt[error]: Instance 1: Source Width must be at least 64",
        ),
        (
            &[
                "[Parsed_pad_0 @ 0x56] [error] Padded dimensions cannot be smaller than input dimensions.",
                "[vf#0:0 @ 0x57] [error] Error reinitializing filters!",
            ],
            Origin::Local,
            Some(Fault::Input),
            "ffmpeg: pad: Padded dimensions cannot be smaller than input dimensions.",
        ),
        (
            &[
                "[libsvtav1 @ 0x1] [error] TU size > 8 raw frame size.",
                "[error] Cannot allocate memory",
            ],
            Origin::Local,
            Some(Fault::Input),
            "ffmpeg: libsvtav1: TU size > 8 raw frame size.",
        ),
        (
            &[
                "[mp4 @ 0x55] [error] Could not find tag for codec flv1 in stream #0, codec not currently supported in container",
                "[out#0/mp4 @ 0x56] [error] Could not write header (incorrect codec parameters ?): Invalid argument",
            ],
            Origin::Local,
            Some(Fault::Input),
            "ffmpeg: mp4 holds no flv1: encode it, or choose --container mkv",
        ),
        // Failures that no phrase decides.
        (
            &["[error] Cannot allocate memory"],
            Origin::Local,
            None,
            "ffmpeg: Cannot allocate memory",
        ),
        (
            &[
                "[weird @ 0x1] [error] it is Thursday",
                "[libvorbis @ 0x2] [warning] 39 frames left in the queue on closing",
                "[vost#0:0/weird @ 0x5] [error] Task finished with error code: -22 (Invalid argument)",
            ],
            Origin::Local,
            None,
            "ffmpeg: weird: it is Thursday",
        ),
        (
            &["/usr/local/bin/ffmpeg: line 2: /opt/ffmpeg/bin/ffmpeg: No such file or directory"],
            Origin::Local,
            None,
            "ffmpeg: /usr/local/bin/ffmpeg: line 2: /opt/ffmpeg/bin/ffmpeg: No such file or directory",
        ),
        (
            &["[in#0 @ 0x5] [error] Error opening input: Permission denied"],
            Origin::Local,
            None,
            "ffmpeg: Error opening input: Permission denied",
        ),
        (
            &[],
            Origin::Local,
            None,
            "ffmpeg gave up on this file and did not say why (exit status: 1)",
        ),
    ];

    #[test]
    fn a_broken_connection_is_told_from_a_broken_file() {
        let broken = network("[http @ 0x5] Stream ends prematurely at 5, should be 9");
        assert_eq!(broken.map(|failure| failure.fault), Some(Fault::Passing));
        assert_eq!(
            network("[mov,mp4 @ 0x5] stream 0, offset 0x5: partial file"),
            None
        );
    }

    #[test]
    fn faults_are_classified_by_phrases_of_the_log() {
        for (log, origin, fault, message) in CASES {
            let failure = of(log, *origin);
            let classified = failure.doubt.is_none().then_some(failure.fault);
            assert_eq!((classified, failure.message.as_str()), (*fault, *message));
        }
    }

    #[test]
    fn a_crash_is_in_doubt_and_a_kill_is_the_workers_fault() {
        let log = [Line::read("x")];
        let of = |number| failure("ffprobe", ExitStatus::from_raw(number), &log, Origin::Local);
        let killed = of(9);
        assert_eq!((killed.fault, killed.doubt), (Fault::Worker, None));
        assert_eq!(killed.message, "ffprobe was killed by signal 9");
        let crashed = of(11);
        assert_eq!(crashed.doubt, Some(Doubt::Repetition));
        assert_eq!(
            crashed.message,
            "ffprobe crashed over this file (signal 11: segmentation fault)"
        );
    }
}
