//! Counts the packets or frames of a stream.

use std::ffi::OsString;

use common::job::failure::Failure;

use crate::ffmpeg::Source;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::run::fault;
use crate::ffmpeg::run::runner::Runner;

/// The unit to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Packets. The file is read, but not decoded.
    Packets,
    /// Frames. The stream is fully decoded.
    Frames,
}

/// The result of a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The number of packets or frames.
    pub frames: u64,
    /// The errors that ffmpeg logged meanwhile.
    pub complaints: Complaints,
}

/// Counts the packets or frames of one stream. Errors in the content are returned as complaints, not as a failure.
///
/// # Errors
/// If the input cannot be read to its end.
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
