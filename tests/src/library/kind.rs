//! The kinds of films of a made-up library, and what a farm is to make of each.

use std::path::Path;
use std::process::Command;

use crate::paths;

/// A kind of film. The rule of the library is `video.codec in [hevc, av1]`, its encoder makes HEVC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// H.264 with files beside it: subtitles, a poster, notes.
    Sidecars,
    /// H.264 in Matroska.
    H264,
    /// H.264 with two tracks of sound.
    TwoSounds,
    /// HEVC already.
    Hevc,
    /// So small that HEVC is not smaller.
    Small,
    Mpeg2Stream,
    Mpeg4Avi,
    Vp9,
    /// Cut off in the middle.
    CutOff,
    /// No film at all, with the name of one.
    NoFilm,
    /// A film with two names.
    TwoNames,
    /// A film that only its group may read besides its owner.
    Private,
}

/// What is to become of a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A film of HEVC takes its place.
    Replaced,
    /// It stays, because a rule says so.
    Kept,
    /// It stays, because no film can be made of it.
    Failed,
}

impl Kind {
    pub const ALL: [Self; 12] = [
        Self::Sidecars,
        Self::H264,
        Self::TwoSounds,
        Self::Hevc,
        Self::Small,
        Self::Mpeg2Stream,
        Self::Mpeg4Avi,
        Self::Vp9,
        Self::CutOff,
        Self::NoFilm,
        Self::TwoNames,
        Self::Private,
    ];

    /// Whether a file's name is that of a film of some kind.
    pub fn is_film(name: &Path) -> bool {
        let extension = name.extension();
        let mut kinds = Self::ALL.iter();
        kinds.any(|kind| Path::new(kind.file()).extension() == extension)
    }

    /// What is to become of it.
    pub fn expected(self) -> Expected {
        match self {
            Self::Hevc | Self::Small => Expected::Kept,
            Self::CutOff | Self::NoFilm | Self::TwoNames => Expected::Failed,
            _ => Expected::Replaced,
        }
    }

    /// The name of its master.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Sidecars => "sidecars.mp4",
            Self::H264 => "h264.mkv",
            Self::TwoSounds => "sounds.mkv",
            Self::Hevc => "hevc.mkv",
            Self::Small => "small.mkv",
            Self::Mpeg2Stream => "mpeg2.ts",
            Self::Mpeg4Avi => "mpeg4.avi",
            Self::Vp9 => "vp9.webm",
            Self::CutOff => "cut.mp4",
            Self::NoFilm => "no.mp4",
            Self::TwoNames => "names.mp4",
            Self::Private => "private.mp4",
        }
    }

    /// Its folder below the library; two kinds share one.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Sidecars | Self::TwoSounds => "Shows/Season 1",
            Self::CutOff | Self::NoFilm => "Downloads",
            _ => "Films",
        }
    }

    /// The word of its file's name.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Hevc => "x265",
            Self::Mpeg4Avi => "XviD",
            _ => "x264",
        }
    }

    /// Whether ffmpeg can copy it.
    pub(super) fn is_media(self) -> bool {
        self != Self::NoFilm
    }

    /// The permissions of its files.
    pub(super) fn mode(self) -> u32 {
        match self {
            Self::Private => 0o640,
            _ => 0o644,
        }
    }

    /// The files beside it: the ends of their names and what they hold.
    pub(super) fn sidecars(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Sidecars => &[
                (".en.srt", "1\n00:00:00,000 --> 00:00:00,500\nHello"),
                (".nfo", "<movie/>"),
                ("-poster.jpg", "no picture"),
            ],
            _ => &[],
        }
    }

    /// A second name of the same file, outside of what a scan takes for media.
    pub(super) fn second_name(self, stem: &str, extension: &str) -> Option<String> {
        (self == Self::TwoNames).then(|| format!("{stem}.{extension}.seed"))
    }

    /// Makes its master.
    pub(super) fn make(self, file: &Path) {
        if !self.is_media() {
            return std::fs::write(file, "this is no film\n".repeat(100)).expect("written");
        }
        let [many, few] = ["4", "51"];
        let (video, sound): (&[&str], &[&str]) = match self {
            Self::Small => (&["libx264", "-crf", few, "-preset", "veryslow"], &[]),
            Self::Hevc => (
                &["libx265", "-crf", "30", "-x265-params", "log-level=error"],
                &["libopus"],
            ),
            Self::Mpeg2Stream => (&["mpeg2video", "-q:v", "1"], &["mp2"]),
            Self::Mpeg4Avi => (&["mpeg4", "-q:v", "1"], &["mp2"]),
            Self::Vp9 => (
                &["libvpx-vp9", "-b:v", "2M", "-deadline", "realtime"],
                &["libopus"],
            ),
            Self::TwoSounds => (&["libx264", "-crf", many], &["aac"]),
            _ => (&["libx264", "-crf", many, "-preset", "ultrafast"], &["aac"]),
        };
        let source = match self {
            Self::Small => "color=gray:size=32x32:rate=5:duration=0.6",
            _ => "testsrc2=size=160x96:rate=10:duration=1",
        };
        let mut ffmpeg = Command::new(paths::tool("ffmpeg"));
        ffmpeg.args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", source]);
        if let [encoder, ..] = sound {
            ffmpeg.args(["-f", "lavfi", "-i", "sine=duration=1:sample_rate=48000"]);
            ffmpeg.args(["-map", "0", "-map", "1", "-c:a", encoder]);
            if self == Self::TwoSounds {
                ffmpeg.args(["-map", "1"]);
            }
        }
        ffmpeg
            .arg("-c:v")
            .args(video)
            .args(["-pix_fmt", "yuv420p"])
            .arg(file);
        let status = ffmpeg.status().expect("ffmpeg runs");
        assert!(status.success(), "{}", file.display());
    }

    /// Damages the film if that is its kind. The number makes its bytes differ from those of others.
    pub(super) fn spoil(self, file: &Path, number: usize) {
        if self == Self::CutOff {
            let mut bytes = std::fs::read(file).expect("it is there");
            bytes.truncate(bytes.len() / 2);
            bytes.extend(number.to_be_bytes());
            std::fs::write(file, bytes).expect("it is ours");
        }
    }
}
