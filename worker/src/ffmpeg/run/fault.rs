//! What ffmpeg's last words mean: whose fault it was, in one line.

use std::process::ExitStatus;

use common::job::failure::{Doubt, Failure};

use crate::ffmpeg::Source;
use crate::ffmpeg::run::tail::Line;

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

/// Words of ffmpeg, of the encoders in it and of the system's loader when nothing but the machine is at fault.
const WORKER: &[&str] = &[
    // Disks.
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "Read-only file system",
    "Too many open files",
    // Loader.
    "error while loading shared libraries",
    "cannot open shared object file",
    "symbol lookup error",
    "Exec format error",
    "Library not loaded",
    // Devices and their sessions.
    "OpenEncodeSessionEx failed",
    "No capable devices found",
    "No NVENC capable devices found",
    "Driver does not support the required nvenc API version",
    "Cannot load libcuda",
    "Cannot load nvcuda",
    "Cannot load libnvidia-encode",
    "CUDA_ERROR",
    "Failed to initialise VAAPI",
    "No VA display found",
    "Device creation failed",
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
    // An ffmpeg that lacks what others have.
    "Unknown encoder",
    "Encoder not found",
];

/// Words when something ran short that a machine has little of, or that a broken input asks too much of.
const SCARCE: &[&str] = &[
    "Cannot allocate memory",
    "malloc of size",
    "Memory allocation error",
    "Failed to allocate",
    "Resource temporarily unavailable",
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
    "Error in the pull function",
];

/// Words when the input, or what the recipe asks of it, is at fault. That a file is missing or may not
/// be read is none of them: the file may be one of the ffmpeg that is installed.
const INPUT: &[&str] = &[
    // Inputs that are no media, or broken beyond use.
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
    "rate exceeds maximum",
    "is not implemented",
    "does not contain any stream",
    "End of file",
    "Server returned 404",
    "HTTP error 404",
    // What a container or an encoder does not take.
    "Could not find tag for codec",
    "not currently supported in container",
    "are supported for WebM",
    "Could not write header",
    "only possible from text to text or bitmap to bitmap",
    "doesn't support",
    "not divisible by",
    "must be at least",
    "must be less than or equal to",
    "Image size is too small",
    "TU size > 8 raw frame size",
    "invalid width x height",
    "dimensions too large",
    "Unsupported channel layout",
    "Opus mapping family undefined",
    "Specified sample rate",
    "Specified pixel format",
    "Invalid or incompatible profile",
    "incompatible with",
    // What a recipe's own arguments bring about.
    "Unable to parse",
    "Undefined constant",
    "Error setting option",
    "Error setting preset/tune",
    "Error setting profile",
    "Error setting encoder parameters: bad parameter",
    "Error applying option",
    "Error parsing option",
    "Unrecognized option",
    "Option not found",
    "out of range",
    "No such filter",
    "Error initializing filter",
    "Impossible to convert between the formats",
    "invalid level_idc",
    "Invalid too big or non positive size",
    "Picture size",
    "Padded dimensions cannot be smaller",
    "Failed to configure input pad",
    "Failed to configure output pad",
];

/// Lines that only repeat that something went wrong.
const EMPTY_WORDS: &[&str] = &[
    "Conversion failed!",
    "Error opening output file",
    "Error opening input file",
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
    "Last message repeated",
];

/// The failure that an ffmpeg which ended badly stands for. What no words tell is in doubt.
pub(crate) fn failure(tool: &str, status: ExitStatus, log: &[Line], origin: Origin) -> Failure {
    let said = |words: &[&str]| find(log, words).map(plain);
    let in_doubt = |doubt, words: String| Failure::in_doubt(doubt, words);
    let failure = if let Some(number) = signal(status) {
        crash(tool, number)
    } else if status.code() == Some(i32::from(crate::sandbox::FAILED)) {
        Failure::worker(words_of(log).unwrap_or_default())
    } else if let Some(line) = (origin == Origin::Remote).then(|| said(PASSING)).flatten() {
        Failure::passing(line)
    } else if let Some(line) = said(WORKER) {
        Failure::worker(line)
    } else if let Some(line) = said(INPUT) {
        Failure::input(line)
    } else if let Some(line) = said(SCARCE) {
        in_doubt(Doubt::SecondWorker, line)
    } else {
        in_doubt(Doubt::Proof, words_of(log).unwrap_or_default())
    };
    let message = match (signal(status), failure.message.is_empty()) {
        (Some(_), _) => failure.message,
        (None, true) => format!("{tool} gave up on this file and did not say why ({status})"),
        (None, false) => format!("{tool}: {}", failure.message),
    };
    Failure { message, ..failure }.with_log(texts(log))
}

/// What it means that a signal ended a tool.
fn crash(tool: &str, number: i32) -> Failure {
    match CRASHES.iter().find(|(signal, _)| *signal == number) {
        Some((_, what)) => Failure::in_doubt(
            Doubt::Proof,
            format!("{tool} crashed over this file (signal {number}: {what})"),
        ),
        // The kernel's out-of-memory killer is the usual sender of 9.
        None => Failure::worker(format!("{tool} was killed by signal {number}")),
    }
}

/// Signals that a program brings upon itself, by their numbers on Linux and macOS alike, and Linux's for the bus.
const CRASHES: &[(i32, &str)] = &[
    (4, "illegal instruction"),
    (5, "trap"),
    (6, "abort"),
    (7, "bus error"),
    (8, "arithmetic error"),
    (10, "bus error"),
    (11, "segmentation fault"),
];

/// Words of an ffmpeg that could not finish its file and yet ends well, as 5.1 does on a full disk.
const UNFINISHED: &[&str] = &["Error writing trailer", "Error closing file"];

/// The failure that an ffmpeg which ended well still owns up to in its log.
pub(crate) fn unfinished(log: &[Line]) -> Option<Failure> {
    let line = find(log, UNFINISHED)?;
    Some(Failure::worker(format!("ffmpeg: {}", plain(line))).with_log(texts(log)))
}

/// The lines without what is known of them.
pub(crate) fn texts(log: &[Line]) -> Vec<String> {
    log.iter().map(|line| line.text.clone()).collect()
}

/// The line that says most: the last error that is no mere echo of another.
fn words_of(log: &[Line]) -> Option<String> {
    let says = |line: &&Line| !EMPTY_WORDS.iter().any(|words| line.text.contains(words));
    let error = log.iter().rev().filter(says).find(|line| line.is_error);
    error
        .or_else(|| log.iter().rev().find(says))
        .or(log.last())
        .map(plain)
}

fn find<'a>(log: &'a [Line], words: &[&str]) -> Option<&'a Line> {
    log.iter()
        .find(|line| words.iter().any(|words| line.text.contains(words)))
}

/// A line as people read it.
fn plain(line: &Line) -> String {
    let line = without_speaker(&line.text);
    not_held(&line).unwrap_or(line)
}

/// What a muxer says of a codec that its container does not hold, with the way out:
/// `mp4: Could not find tag for codec vp8 in stream #0, …` → `mp4 holds no vp8: …`.
fn not_held(line: &str) -> Option<String> {
    let (container, codec) = match line.split_once(": Could not find tag for codec ") {
        Some((container, rest)) => (container, rest.split(' ').next()?),
        None => (
            "webm",
            line.contains("are supported for WebM")
                .then_some("such track")?,
        ),
    };
    Some(format!(
        "{container} holds no {codec}: encode it, or choose --container mkv"
    ))
}

/// A line without ffmpeg's addresses of things in memory, and without the file that all of it is about:
/// `[mov @ 0x55…] x` → `mov: x`, `[vost#0:0/libx264 @ 0x5…] [enc:libx264 @ 0x6…] x` → `libx264: x`.
pub(crate) fn without_speaker(line: &str) -> String {
    if let Some((url, rest)) = line.split_once("?…: ")
        && url.starts_with("http")
    {
        return rest.to_owned();
    }
    let Some((name, rest)) = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(" @ 0x"))
        .and_then(|(name, rest)| Some((name, rest.split_once("] ")?.1)))
    else {
        return line.strip_prefix("input: ").unwrap_or(line).to_owned();
    };
    // Some lines carry two.
    if rest.starts_with('[') {
        let inner = without_speaker(rest);
        if inner != rest {
            return inner;
        }
    }
    match speaker(name) {
        "" => without_speaker(rest),
        name => format!("{name}: {rest}"),
    }
}

/// Who speaks, as people know it: `Parsed_crop_0` → `crop`, `in#0/avi` → `avi`, `vf#0:0` → nothing.
fn speaker(name: &str) -> &str {
    if let Some(filter) = name.strip_prefix("Parsed_") {
        return filter.rsplit_once('_').map_or(filter, |(name, _)| name);
    }
    match name.split_once('#') {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, name)| name),
        None => name.split_once(':').map_or(name, |(_, name)| name),
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

    use common::job::failure::Fault;

    fn of(log: &[&str], origin: Origin) -> Failure {
        let log: Vec<Line> = log.iter().map(|line| Line::read(line)).collect();
        failure("ffmpeg", ExitStatus::from_raw(1 << 8), &log, origin)
    }

    /// Lines of a log, where the input was, whose fault that is, and the message.
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
        // What no words tell.
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
    fn the_fault_is_told_from_ffmpegs_own_words() {
        for (log, origin, fault, message) in CASES {
            let failure = of(log, *origin);
            let told = failure.doubt.is_none().then_some(failure.fault);
            assert_eq!((told, failure.message.as_str()), (*fault, *message));
        }
    }

    #[test]
    fn a_crash_may_be_the_files_fault_and_a_kill_is_the_machines() {
        let log = [Line::read("x")];
        let of = |number| failure("ffprobe", ExitStatus::from_raw(number), &log, Origin::Local);
        let killed = of(9);
        assert_eq!((killed.fault, killed.doubt), (Fault::Worker, None));
        assert_eq!(killed.message, "ffprobe was killed by signal 9");
        let crashed = of(11);
        assert_eq!(crashed.doubt, Some(Doubt::Proof));
        assert_eq!(
            crashed.message,
            "ffprobe crashed over this file (signal 11: segmentation fault)"
        );
    }
}
