//! The streams of a media file, read by ffprobe.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::paths;
use crate::process::run;

#[derive(Clone, Debug, Deserialize)]
pub struct Media {
    pub streams: Vec<Stream>,
    format: Format,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Stream {
    /// `video`, `audio`, `subtitle` or `attachment`.
    #[serde(rename = "codec_type")]
    pub kind: String,
    /// The codec, by ffmpeg's name.
    #[serde(rename = "codec_name", default)]
    pub codec: String,
    /// The pixel format, by ffmpeg's name.
    #[serde(rename = "pix_fmt", default)]
    pub pixel_format: String,
    /// The number of channels of sound.
    #[serde(default)]
    pub channels: u32,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    #[serde(default)]
    nb_read_frames: Option<String>,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    tags: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Disposition {
    #[serde(default)]
    attached_pic: u8,
}

#[derive(Clone, Debug, Deserialize)]
struct Format {
    duration: Option<String>,
    #[serde(default)]
    tags: std::collections::BTreeMap<String, String>,
}

impl Stream {
    /// Width and height of the picture, in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The value of a tag, e.g. `language`.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.get(name).map(String::as_str)
    }
}

/// The times and digests of all decoded pictures and sounds of a file, and nothing else of it.
///
/// It does not block the thread: other farms of the same test would take their brokers for silent.
pub async fn decoded(file: &Path) -> String {
    let mut ffmpeg = Command::new(paths::tool("ffmpeg"));
    ffmpeg
        .args(["-v", "error", "-i"])
        .arg(file)
        .args("-map 0:v -map 0:a -fps_mode passthrough -f framemd5 -".split(' '));
    let decoded = run(ffmpeg).await.succeeded();
    assert!(decoded.stderr.is_empty(), "{}: {decoded:?}", file.display());
    decoded.stdout
}

impl Media {
    /// Reads a file, and decodes all of its video.
    pub fn of(file: &Path) -> Self {
        let output = Command::new(paths::tool("ffprobe"))
            .args([
                "-v",
                "error",
                "-of",
                "json",
                "-count_frames",
                "-show_streams",
                "-show_format",
            ])
            .arg("-i")
            .arg(format!("file:{}", file.display()))
            .output()
            .expect("ffprobe runs");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !complaints.contains("Invalid"),
            "{}: {complaints}",
            file.display()
        );
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// The first video stream that is no cover.
    pub fn film(&self) -> &Stream {
        self.streams
            .iter()
            .find(|stream| stream.kind == "video" && stream.disposition.attached_pic == 0)
            .expect("a film")
    }

    /// The number of frames of the film, counted by decoding.
    pub fn frames(&self) -> u64 {
        let frames = self.film().nb_read_frames.as_deref().unwrap_or_default();
        frames
            .parse()
            .unwrap_or_else(|_| panic!("no count of frames: {self:?}"))
    }

    /// Streams of one kind.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Stream> {
        self.streams
            .iter()
            .filter(move |stream| stream.kind == kind)
    }

    /// The duration, in seconds.
    pub fn duration(&self) -> f64 {
        let duration = self.format.duration.as_deref().unwrap_or_default();
        duration
            .parse()
            .unwrap_or_else(|_| panic!("no length: {self:?}"))
    }

    /// The value of a tag of the whole file. Upper and lower case are the same.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.format
            .tags
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}
