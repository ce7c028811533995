//! What ffmpeg's last words mean: whose fault it was, in one line.

use std::process::ExitStatus;

use common::failure::{Failure, Fault};

use super::Source;

/// Where the bytes came from: what may have gone wrong differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file on this machine.
    Local,
    /// The network.
    Remote,
}

impl Origin {
    /// Of a source.
    pub fn of(source: &Source) -> Self {
        if source.is_remote() {
            Self::Remote
        } else {
            Self::Local
        }
    }
}

/// Words of ffmpeg, and of the encoders in it, when the machine is at fault.
const WORKER: &[&str] = &[
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "Read-only file system",
    "Too many open files",
    "Cannot allocate memory",
    "malloc of size",
    "Resource temporarily unavailable",
    "error while loading shared libraries",
    "Library not loaded",
    "OpenEncodeSessionEx failed",
    "No capable devices found",
    "Cannot load libcuda",
    "Cannot load nvcuda",
    "Cannot load libnvidia-encode",
    "CUDA_ERROR",
    "Failed to initialise VAAPI",
    "No VA display found",
    "Device creation failed",
    "Failed to create",
    "Error creating a MFX session",
    "Error initializing an internal MFX session",
    "No usable encoding",
    "DLL amfrt64.dll failed to open",
    "AMF failed",
    "Could not find a valid device",
    "can't configure encoder",
    "Cannot create compression session",
    "No device available for encoder",
    "No such device",
    "Device or resource busy",
    "Unknown encoder",
    "Encoder not found",
    "Input/output error",
];

/// Words of ffmpeg when the network is at fault, and for a remote source only.
const PASSING: &[&str] = &[
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Operation timed out",
    "Network is unreachable",
    "No route to host",
    "Broken pipe",
    "Failed to resolve hostname",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Server returned 5",
    "Server returned 403", // A presigned address that ran out.
    "HTTP error 5",
    "HTTP error 403",
    "Stream ends prematurely",
    "TLS",
    "Input/output error",
    "End of file",
    "Error in the pull function",
];

/// Words when the input, or what the recipe asks of it, is at fault.
const INPUT: &[&str] = &[
    "moov atom not found",
    "Invalid data found when processing input",
    "EBML header parsing failed",
    "Invalid NAL unit",
    "could not find codec parameters",
    "Could not find codec parameters",
    "not on whitelist",
    "Decoder (codec",
    "No decoder could be found",
    "corrupt decoded frame",
    "No such file or directory",
    "Permission denied",
    "Is a directory",
    "Server returned 404",
    "HTTP error 404",
    "Could not find tag for codec",
    "does not contain any stream",
    // What a recipe's own arguments bring about.
    "Unable to parse",
    "Undefined constant",
    "Error setting option",
    "Error setting preset/tune",
    "Error setting profile",
    "Error applying option",
    "Error parsing option",
    "Unrecognized option",
    "Option not found",
    "No such filter",
    "Error initializing filter",
    "doesn't support",
    "not divisible by",
    "invalid level_idc",
    "Invalid too big or non positive size",
    "Failed to configure input pad",
];

/// Lines that only repeat that something went wrong.
const EMPTY_WORDS: &[&str] = &[
    "Conversion failed!",
    "Error opening output files",
    "Error opening output file",
    "Error opening input files",
    "Nothing was written into output file",
    "Terminating thread with return code",
    "Task finished with error code",
    "Could not open encoder before EOF",
    "Error while filtering",
    "Error while processing the decoded data",
    "Error reinitializing filters",
    "Failed to inject frame into filter network",
    "maybe incorrect parameters such as bit_rate",
    "Error sending frames to consumers",
    "exit_on_error",
];

/// The failure that an ffmpeg which ended badly stands for.
pub(super) fn failure(tool: &str, status: ExitStatus, log: Vec<String>, origin: Origin) -> Failure {
    let said = |words: &[&str]| find(&log, words).map(plain);
    let (fault, words) = if status.code() == Some(i32::from(crate::sandbox::FAILED)) {
        (Fault::Worker, last_words(&log).unwrap_or_default())
    } else if let Some(line) = (origin == Origin::Remote).then(|| said(PASSING)).flatten() {
        (Fault::Passing, line)
    } else if let Some(line) = said(WORKER) {
        (Fault::Worker, line)
    } else if let Some(line) = said(INPUT) {
        (Fault::Input, line)
    } else {
        // Nobody knows: another worker may fare better, and attempts are bounded.
        (Fault::Worker, last_words(&log).unwrap_or_default())
    };
    let (fault, message) = match (signal(status), words.is_empty()) {
        // The kernel's out-of-memory killer is the usual sender of 9.
        (Some(number), _) => (
            Fault::Worker,
            format!("{tool} was killed by signal {number}"),
        ),
        (None, true) => (fault, format!("{tool} failed without a word ({status})")),
        (None, false) => (fault, format!("{tool}: {words}")),
    };
    Failure {
        fault,
        message,
        log,
        counts: false,
    }
}

/// Words of an ffmpeg that could not finish its file and yet ends well, as 5.1 does on a full disk.
const UNFINISHED: &[&str] = &["Error writing trailer", "Error closing file"];

/// The failure that an ffmpeg which ended well still owns up to in its log.
pub(super) fn unfinished(log: &[String]) -> Option<Failure> {
    let line = find(log, UNFINISHED)?;
    Some(Failure::worker(format!("ffmpeg: {}", plain(line))).with_log(log.to_vec()))
}

/// What of an error log is about the media itself.
pub(super) fn complaints(log: Vec<String>) -> Vec<String> {
    log.into_iter()
        // Equal timestamps are the null muxer's problem, not the decoder's.
        .filter(|line| !line.contains("non monotonically increasing dts"))
        .collect()
}

/// The line that says most.
pub(crate) fn last_words(log: &[String]) -> Option<String> {
    log.iter()
        .rev()
        .find(|line| !EMPTY_WORDS.iter().any(|words| line.contains(words)))
        .or(log.last())
        .map(plain)
}

fn find<'a>(log: &'a [String], words: &[&str]) -> Option<&'a String> {
    log.iter()
        .find(|line| words.iter().any(|words| line.contains(words)))
}

/// A line without ffmpeg's addresses of things in memory: `[mov @ 0x55…] x` → `mov: x`.
fn plain(line: impl AsRef<str>) -> String {
    let line = line.as_ref();
    match line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(" @ 0x"))
        .and_then(|(name, rest)| Some((name, rest.split_once("] ")?.1)))
    {
        // Some lines carry two.
        Some((name, rest)) if rest.starts_with('[') => {
            let inner = plain(rest);
            if inner == rest {
                format!("{name}: {inner}")
            } else {
                inner
            }
        }
        Some((name, rest)) => format!("{name}: {rest}"),
        None => line.to_owned(),
    }
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

    fn of(log: &[&str], origin: Origin) -> Failure {
        let log = log.iter().map(ToString::to_string).collect();
        failure("ffmpeg", ExitStatus::from_raw(1 << 8), log, origin)
    }

    #[test]
    fn the_fault_is_told_from_ffmpegs_own_words() {
        let cases: &[(&[&str], Origin, Fault)] = &[
            (
                &[
                    "[mov,mp4 @ 0x5580] moov atom not found",
                    "file:x: Invalid data found when processing input",
                ],
                Origin::Local,
                Fault::Input,
            ),
            (
                &[
                    "[hevc_nvenc @ 0x55] OpenEncodeSessionEx failed: out of memory (10)",
                    "Conversion failed!",
                ],
                Origin::Local,
                Fault::Worker,
            ),
            (
                &[
                    "av_interleaved_write_frame(): No space left on device",
                    "Conversion failed!",
                ],
                Origin::Remote,
                Fault::Worker,
            ),
            (
                &["[tcp @ 0x1] Connection to tcp://127.0.0.1:1 failed: Connection refused"],
                Origin::Remote,
                Fault::Passing,
            ),
            (
                &["[http @ 0x1] HTTP error 503 Service Unavailable"],
                Origin::Remote,
                Fault::Passing,
            ),
            (
                &["[http @ 0x1] HTTP error 404 Not Found"],
                Origin::Remote,
                Fault::Input,
            ),
        ];
        for (log, origin, fault) in cases {
            let failure = of(log, *origin);
            assert_eq!(failure.fault, *fault, "{failure}");
            assert!(!failure.message.contains("0x"), "{failure}");
        }
    }

    #[test]
    fn a_signal_is_the_workers_fault() {
        let status = ExitStatus::from_raw(9);
        let failure = failure("ffmpeg", status, vec!["x".to_owned()], Origin::Local);
        assert_eq!(failure.fault, Fault::Worker);
        assert_eq!(failure.message, "ffmpeg was killed by signal 9");
    }

    #[test]
    fn the_line_that_says_most_is_quoted() {
        let failure = of(
            &[
                "[libx264 @ 0x55] width not divisible by 2 (321x181)",
                "Conversion failed!",
            ],
            Origin::Local,
        );
        assert_eq!(
            failure.message,
            "ffmpeg: libx264: width not divisible by 2 (321x181)"
        );
    }
}
