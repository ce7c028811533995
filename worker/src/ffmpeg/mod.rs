//! Builds the command lines of ffmpeg and ffprobe, runs both, and interprets their output. This module knows nothing
//! of brokers or stores.
//!
//! More than 12 entries: each is one part of working with ffmpeg.

pub mod arguments;
pub mod build;
pub mod containers;
pub mod findings;
pub(crate) mod metric;
pub mod part;
pub mod picture;
pub mod probe;
mod rate;
pub mod run;
#[cfg(test)]
pub(crate) mod samples;
pub mod sound;
pub mod split;
mod timecode;
pub mod tracks;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::sandbox::address::Address;

/// The programs of an ffmpeg installation, by absolute path.
#[derive(Clone, Debug)]
pub struct Tools {
    pub ffmpeg: PathBuf,
    pub ffprobe: PathBuf,
}

/// A program was not found.
#[derive(Debug, thiserror::Error)]
#[error(
    "{program} was not found {place}: install FFmpeg 5.1 or newer ({hint}) or say where it is with --{program}"
)]
pub struct ToolMissing {
    program: &'static str,
    place: String,
    hint: &'static str,
}

const HINT: &str = if cfg!(target_os = "macos") {
    "brew install ffmpeg"
} else if cfg!(windows) {
    "winget install ffmpeg"
} else {
    "e.g. apt install ffmpeg"
};

impl Tools {
    /// Finds both programs: at the given path, or else in `PATH`. ffprobe is first searched next to ffmpeg, so that
    /// both come from the same build.
    ///
    /// # Errors
    /// If a program is missing.
    pub fn find(ffmpeg: Option<PathBuf>, ffprobe: Option<PathBuf>) -> Result<Self, ToolMissing> {
        let ffmpeg = locate("ffmpeg", ffmpeg)?;
        let ffprobe = match ffprobe {
            None => which(&ffmpeg.with_file_name("ffprobe")).or_else(|_| locate("ffprobe", None)),
            given => locate("ffprobe", given),
        };
        Ok(Self {
            ffprobe: ffprobe?,
            ffmpeg,
        })
    }
}

/// Finds a program by its path, or by its name in `PATH`, as a shell does.
fn locate(program: &'static str, given: Option<PathBuf>) -> Result<PathBuf, ToolMissing> {
    let name = given.as_deref().unwrap_or(Path::new(program));
    which(name).map_err(|_| ToolMissing {
        program,
        place: match &given {
            Some(given) => format!("at {}", given.display()),
            None => "in PATH".to_owned(),
        },
        hint: HINT,
    })
}

fn which(name: &Path) -> Result<PathBuf, which::Error> {
    let found = which::which(name)?;
    Ok(std::path::absolute(&found).unwrap_or(found))
}

/// An input of ffmpeg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file on this machine.
    File(PathBuf),
    /// A file on this machine in which packets hold zeros, with few exceptions: its tables are all that counts.
    Outline(PathBuf),
    /// An address of this worker that answers range requests.
    Url(Address),
}

/// Containers and raw streams that contain their media themselves. Formats that refer to other files (HLS, DASH,
/// concat lists, image sequences) are not allowed: a hostile input could make ffmpeg read other files or call other
/// hosts.
pub(crate) const FORMATS: &str = "aac,ac3,aiff,amr,apng,asf,av1,avi,caf,dirac,dnxhd,dts,dv,eac3,flac,flv,gif,gxf,h264,hevc,\
    ivf,live_flv,m4v,matroska,mjpeg,mov,mp3,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,rm,truehd,vc1,vvc,w64,wav,wtv,wv,\
    yuv4mpegpipe";

impl Source {
    /// The arguments that open this input in ffmpeg and ffprobe: `-i`, and the options that must come before it.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["-format_whitelist".into(), FORMATS.into()];
        if matches!(self, Self::Outline(_)) {
            // No bytes of a packet are looked at.
            arguments.extend(["-fflags", "+noparse"].map(OsString::from));
        }
        arguments.push("-protocol_whitelist".into());
        match self {
            Self::File(_) | Self::Outline(_) => arguments.push("file".into()),
            Self::Url(_) => arguments.extend(
                [
                    "http,tcp",
                    "-rw_timeout",
                    "30000000",
                    "-reconnect",
                    "1",
                    "-reconnect_on_network_error",
                    "1",
                    "-reconnect_streamed",
                    "1",
                    "-reconnect_delay_max",
                    "10",
                    // The store cannot be reached.
                    "-reconnect_on_http_error",
                    "502",
                ]
                .map(OsString::from),
            ),
        }
        arguments.push("-i".into());
        arguments.push(match self {
            Self::File(path) | Self::Outline(path) => file(path),
            Self::Url(address) => address.url().into(),
        });
        arguments
    }

    /// The arguments that open this input as plain bytes, in no media format.
    fn bytes_arguments(&self) -> Vec<OsString> {
        let mut arguments = self.arguments();
        for argument in arguments.iter_mut().filter(|argument| *argument == FORMATS) {
            *argument = "data".into();
        }
        arguments.splice(0..0, ["-f", "data"].map(OsString::from));
        arguments
    }

    /// Whether reading needs the network.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Url(_))
    }
}

/// A path that ffmpeg takes literally. After `file:`, no character of a name starts an option, a protocol or a
/// pattern.
pub fn file(path: &Path) -> OsString {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut text = OsString::from("file:");
    text.push(absolute);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_in_names_have_no_meaning() {
        for name in ["-dash.mp4", "http:x.mp4", "100%d.mp4", "two\nlines.mp4"] {
            let source = Source::File(Path::new("/media").join(name));
            let last = source.arguments().pop().expect("an input");
            assert_eq!(last, OsString::from(format!("file:/media/{name}")));
        }
    }

    #[test]
    fn a_missing_program_is_named_with_its_option() {
        let error = Tools::find(Some("/nowhere/ffmpeg".into()), None).expect_err("missing");
        let error = error.to_string();
        assert!(error.contains("/nowhere/ffmpeg"), "{error}");
        assert!(error.contains("--ffmpeg"), "{error}");
    }
}
