//! Which subtitle track shows only what is said in another language? Its cues are counted by the packets, which are
//! read but not decoded. Counts that the container states are trusted.

use std::collections::BTreeMap;
use std::ffi::OsString;

use common::job::failure::{Failure, Fault};
use common::recipe::{BurnIn, Recipe};

use crate::attempt::survey::Asked;
use crate::ffmpeg::findings::ForeignTrack;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::Printed;
use crate::ffmpeg::tracks::subtitles::foreign;

/// mp4 fills the time between two cues with packets of an empty text, which have this many bytes.
const EMPTY_TEXT: u64 = 2;

pub(super) fn is_asked(recipe: &Recipe) -> bool {
    let burn_in = recipe
        .video_encode()
        .and_then(|video| video.burn_in.as_ref());
    recipe.subtitle_tracks.mark_foreign || burn_in == Some(&BurnIn::Foreign)
}

/// The track, if one is shown far less than another.
///
/// # Errors
/// If ffprobe cannot be run, is stopped, or cannot reach the input.
pub(super) async fn track(asked: &Asked<'_>) -> Result<ForeignTrack, Failure> {
    let tracks = foreign::candidates(asked.recipe, asked.media);
    if tracks.len() < 2 {
        return Ok(ForeignTrack::Missing);
    }
    if let Some(counted) = foreign::counted(&tracks) {
        return Ok(foreign::find(&counted));
    }
    let mut cues: BTreeMap<usize, u64> = tracks.iter().map(|track| (track.index, 0)).collect();
    let entries = "packet=stream_index,size";
    let mut arguments: Vec<OsString> = ["-v", "error", "-of", "csv=p=0", "-select_streams", "s"]
        .map(OsString::from)
        .into();
    arguments.extend(["-show_entries", entries].map(OsString::from));
    arguments.extend(asked.source.arguments());
    let read = asked
        .runner
        .ffprobe_lines(&arguments, Origin::of(asked.source), |printed| {
            if let Printed::Answer(line) = printed
                && let Some((index, size)) = packet(line)
                && size > EMPTY_TEXT
                && let Some(count) = cues.get_mut(&index)
            {
                *count += 1;
            }
        })
        .await;
    match read {
        // The encode will tell what is wrong with the input.
        Err(failure) if failure.fault != Fault::Input => Err(failure),
        _ => Ok(foreign::find(&cues)),
    }
}

/// The stream and the size of a packet: `2,31`.
fn packet(line: &str) -> Option<(usize, u64)> {
    let mut fields = line.split(',');
    Some((
        fields.next()?.parse().ok()?,
        fields.next()?.trim().parse().ok()?,
    ))
}
