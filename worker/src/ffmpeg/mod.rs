//! Running ffmpeg and ffprobe: what they are asked, how they are watched, and
//! what their answers mean. Nothing here knows of brokers or stores.

pub mod arguments;
pub mod build;
pub mod containers;
mod picture;
pub mod probe;
mod rate;
pub mod run;
pub mod sound;
pub mod tracks;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The programs of an ffmpeg installation, by absolute path.
#[derive(Clone, Debug)]
pub struct Tools {
    /// Encodes.
    pub ffmpeg: PathBuf,
    /// Looks at files.
    pub ffprobe: PathBuf,
}

/// A program is not to be found.
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
    /// Finds both programs: where told, or else in `PATH`, and ffprobe next to
    /// ffmpeg first, so that the two are of one build.
    ///
    /// # Errors
    /// Where one is missing.
    pub fn find(ffmpeg: Option<PathBuf>, ffprobe: Option<PathBuf>) -> Result<Self, ToolMissing> {
        let ffmpeg = locate("ffmpeg", ffmpeg)?;
        let ffprobe = match ffprobe {
            None => which(&ffmpeg.with_file_name("ffprobe")).or_else(|_| locate("ffprobe", None)),
            told => locate("ffprobe", told),
        };
        Ok(Self {
            ffprobe: ffprobe?,
            ffmpeg,
        })
    }
}

/// Where a program is: at a path, or by its name in `PATH`, as a shell would find it.
fn locate(program: &'static str, told: Option<PathBuf>) -> Result<PathBuf, ToolMissing> {
    let name = told.as_deref().unwrap_or(Path::new(program));
    which(name).map_err(|_| ToolMissing {
        program,
        place: match &told {
            Some(told) => format!("at {}", told.display()),
            None => "in PATH".to_owned(),
        },
        hint: HINT,
    })
}

fn which(name: &Path) -> Result<PathBuf, which::Error> {
    let found = which::which(name)?;
    Ok(std::path::absolute(&found).unwrap_or(found))
}

/// What ffmpeg reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file on this machine.
    File(PathBuf),
    /// Something behind `http://` or `https://` that answers range requests.
    Url(String),
}

/// Containers and raw streams that hold pictures and sound themselves. Formats
/// that point elsewhere (HLS, DASH, concat lists, image sequences) stay out: a
/// hostile one would have ffmpeg read other files or call other hosts.
const FORMATS: &str = "aac,ac3,aiff,amr,apng,asf,av1,avi,caf,dirac,dnxhd,dts,dv,eac3,flac,flv,gif,gxf,h264,hevc,\
    ivf,live_flv,m4v,matroska,mjpeg,mov,mp3,mpeg,mpegts,mpegvideo,mxf,nut,obu,ogg,rm,truehd,vc1,vvc,w64,wav,wtv,wv,\
    yuv4mpegpipe";

impl Source {
    /// The arguments by which ffmpeg and ffprobe read it: its `-i` and what must stand before.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["-format_whitelist".into(), FORMATS.into()];
        arguments.push("-protocol_whitelist".into());
        match self {
            Self::File(_) => arguments.push("file".into()),
            Self::Url(_) => arguments.extend(
                [
                    "http,https,tcp,tls,crypto",
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
                ]
                .map(OsString::from),
            ),
        }
        arguments.push("-i".into());
        arguments.push(match self {
            Self::File(path) => file(path),
            Self::Url(url) => url.into(),
        });
        arguments
    }

    /// The same to read it as bytes of no format.
    fn bytes_arguments(&self) -> Vec<OsString> {
        let mut arguments = self.arguments();
        for argument in arguments.iter_mut().filter(|argument| *argument == FORMATS) {
            *argument = "data".into();
        }
        arguments.splice(0..0, ["-f", "data"].map(OsString::from));
        arguments
    }

    /// Whether reading it needs the network.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Url(_))
    }
}

/// A path as ffmpeg reads it literally: after `file:`, nothing in a name means
/// an option, a protocol or a pattern.
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
    fn no_name_is_more_than_a_name() {
        for name in ["-dash.mp4", "http:x.mp4", "100%d.mp4", "two\nlines.mp4"] {
            let source = Source::File(Path::new("/media").join(name));
            let last = source.arguments().pop().expect("an input");
            assert_eq!(last, OsString::from(format!("file:/media/{name}")));
        }
    }

    #[test]
    fn a_missing_program_is_named_with_the_way_to_get_it() {
        let error = Tools::find(Some("/nowhere/ffmpeg".into()), None).expect_err("missing");
        let error = error.to_string();
        assert!(error.contains("/nowhere/ffmpeg"), "{error}");
        assert!(error.contains("--ffmpeg"), "{error}");
    }
}
