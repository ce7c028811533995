//! Ladders for HLS and DASH: the verified output of a rendition becomes files that players load segment by segment, one
//! for each track, with a media playlist beside each. A master playlist and a manifest name the files of all renditions.

mod manifest;
mod master;
mod media_playlist;
mod package;
mod rates;
#[cfg(test)]
mod samples;

use common::job::companion::Suffix;
use common::job::failure::Failure;
use common::job::ladder::LadderStream;

use crate::attempt::companions::Made;
use crate::attempt::tool_output::ToolOutput;

pub use manifest::manifest;
pub use master::master_playlist;
pub use package::package;

/// The suffix of the media playlist of a rendition's video.
pub const VIDEO_PLAYLIST: &str = "video.m3u8";

/// A rendition, packaged.
pub struct Packaged {
    /// The video, which is the job's output.
    pub output: ToolOutput,
    /// Playlists, sound and subtitles.
    pub companions: Vec<Made>,
    /// What players need to know of each stream.
    pub streams: Vec<LadderStream>,
}

fn suffix(text: &str) -> Result<Suffix, Failure> {
    Suffix::new(text).map_err(|error| Failure::worker(error.to_string()))
}
