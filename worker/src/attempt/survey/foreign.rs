//! Which subtitle track shows only what is said in another language? Its cues are counted by the packets, which are
//! read but not decoded. Counts that the container states are trusted.

use std::collections::BTreeMap;

use common::job::failure::{Failure, Fault};
use common::recipe::{BurnIn, Recipe};

use crate::attempt::survey::Asked;
use crate::ffmpeg::findings::ForeignTrack;
use crate::ffmpeg::probe::packets::{Packet, packets};
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
    let count = |packet: Packet| {
        if packet.size > EMPTY_TEXT
            && let Some(count) = cues.get_mut(&packet.stream)
        {
            *count += 1;
        }
    };
    let texts = Some("s");
    let read = packets(asked.runner, asked.source, texts, (None, None), count).await;
    match read {
        // The encode will tell what is wrong with the input.
        Err(failure) if failure.fault != Fault::Input => Err(failure),
        _ => Ok(foreign::find(&cues)),
    }
}
