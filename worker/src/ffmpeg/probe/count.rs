//! Counts the packets or frames of a stream.

use std::ffi::OsString;

use common::job::failure::Failure;

use crate::ffmpeg::Source;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::run::fault;
use crate::ffmpeg::run::runner::Runner;

/// What of a stream is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Packets: reads the file, decodes nothing.
    Packets,
    /// Frames that a full decode gives.
    Frames,
}

/// What a count found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub frames: u64,
    /// What ffmpeg complained of.
    pub complaints: Complaints,
}

/// Counts the packets or frames of one stream. Complaints about its content are
/// told, not failures.
///
/// # Errors
/// Where the input cannot be read to its end.
pub async fn count(
    runner: &Runner,
    source: &Source,
    stream: usize,
    what: Count,
) -> Result<Counted, Failure> {
    let mut arguments: Vec<OsString> = ["-nostdin", "-hide_banner", "-v", "error"]
        .map(OsString::from)
        .into();
    arguments.extend(source.arguments());
    arguments.extend(["-map".into(), format!("0:{stream}").into()]);
    arguments.extend(
        match what {
            Count::Packets => ["-c", "copy", "-copyinkf"],
            Count::Frames => ["-fps_mode", "passthrough", "-an"],
        }
        .map(OsString::from),
    );
    arguments.extend(["-f", "null", "-"].map(OsString::from));
    let finished = runner
        .ffmpeg(&arguments, fault::Origin::of(source), |_| {})
        .await?;
    Ok(Counted {
        frames: finished.progress.frame,
        complaints: finished.complaints,
    })
}
