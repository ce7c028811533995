//! What was made here, decoded, and the fault of what is wrong with it.

use std::ffi::OsString;

use common::job::failure::{Doubt, Failure, Fault};

use crate::ffmpeg::Source;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::Runner;

/// An output that does not match the input. The input may be at fault, or this machine was unsound for a moment.
pub fn mismatch(what: impl Into<String>) -> Failure {
    Failure::in_doubt(Doubt::Repetition, what)
}

/// Turns an input's fault into a mismatch, because the "input" is our own output here.
pub fn blame_output(failure: Failure) -> Failure {
    match failure.fault {
        Fault::Passing => failure,
        Fault::Worker if failure.doubt.is_none() => failure,
        Fault::Input | Fault::Worker => {
            mismatch(format!("output is broken: {}", failure.message)).with_log(failure.log)
        }
    }
}

/// Decodes tracks of an output, up to the first error. `maps` are ffmpeg's names of the tracks, and `part` its options
/// for the stretch to decode. Returns the number of frames of the first video track.
///
/// # Errors
/// A failure in doubt if they cannot be decoded.
pub async fn decode(
    runner: &Runner,
    output: &Source,
    maps: &[String],
    part: &[String],
) -> Result<u64, Failure> {
    let mut arguments: Vec<OsString> = ["-nostdin", "-hide_banner", "-v", "error", "-xerror"]
        .map(OsString::from)
        .into();
    arguments.extend(part.iter().map(OsString::from));
    arguments.extend(output.arguments());
    for map in maps {
        arguments.extend(["-map".into(), map.into()]);
    }
    arguments.extend(["-fps_mode", "passthrough", "-f", "null", "-"].map(OsString::from));
    let decoded = runner.ffmpeg(&arguments, Origin::Local, |_| {}).await;
    Ok(decoded.map_err(blame_output)?.progress.frame)
}
