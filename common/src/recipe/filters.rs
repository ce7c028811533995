//! Video filters that a recipe may use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Filters that read and write pictures only: none of them opens a file, a socket or a device, with any option that
/// is allowed.
const ALLOWED: &[&str] = &[
    "atadenoise",
    "bbox",
    "bm3d",
    "boxblur",
    "bwdif",
    "cas",
    "chromanr",
    "colorbalance",
    "colorchannelmixer",
    "colorlevels",
    "colorspace",
    "colortemperature",
    "convolution",
    "crop",
    "curves",
    "deband",
    "deblock",
    "decimate",
    "dedot",
    "deflicker",
    "dejudder",
    "detelecine",
    "edgedetect",
    "eq",
    "estdif",
    "exposure",
    "fade",
    "fftdnoiz",
    "field",
    "fieldmatch",
    "fieldorder",
    "fillborders",
    "format",
    "fps",
    "framerate",
    "framestep",
    "gblur",
    "gradfun",
    "hflip",
    "histeq",
    "hqdn3d",
    "hue",
    "idet",
    "interlace",
    "kerndeint",
    "limiter",
    "minterpolate",
    "monochrome",
    "mpdecimate",
    "negate",
    "nlmeans",
    "noise",
    "normalize",
    "null",
    "pad",
    "pp7",
    "pullup",
    "removegrain",
    "rotate",
    "sab",
    "scale",
    "select",
    "setdar",
    "setfield",
    "setparams",
    "setpts",
    "setsar",
    "shuffleplanes",
    "smartblur",
    "spp",
    "telecine",
    "tinterlace",
    "tmix",
    "tonemap",
    "tpad",
    "transpose",
    "trim",
    "unsharp",
    "vaguedenoiser",
    "vflip",
    "vibrance",
    "vignette",
    "w3fdif",
    "xbr",
    "yadif",
    "zscale",
];

/// Filters after which frames need not correspond to the input's one to one.
const CHANGE_FRAMES: &[&str] = &[
    "decimate",
    "detelecine",
    "fps",
    "framerate",
    "framestep",
    "interlace",
    "minterpolate",
    "mpdecimate",
    "pullup",
    "select",
    "setpts",
    "telecine",
    "tinterlace",
    "tmix",
    "tpad",
    "trim",
    "fieldmatch",
];

/// Filters that make whole frames of fields: one of each field, or one of each pair of fields.
const DEINTERLACERS: &[Deinterlacer] = &[
    Deinterlacer::new("bwdif", 0, "send_field"),
    Deinterlacer::new("estdif", 0, "field"),
    Deinterlacer::new("w3fdif", 1, "field"),
    Deinterlacer::new("yadif", 0, "send_frame"),
];

/// A deinterlacer; its option `mode` says how many frames it makes.
struct Deinterlacer {
    name: &'static str,
    /// The option's position if options are given without names.
    place: usize,
    /// The option's default.
    default: &'static str,
}

impl Deinterlacer {
    /// Modes of any deinterlacer that make one frame of each pair of fields.
    const A_FRAME_A_PAIR: &[&str] = &["0", "2", "frame", "send_frame", "send_frame_nospatial"];

    const fn new(name: &'static str, place: usize, default: &'static str) -> Self {
        Self {
            name,
            place,
            default,
        }
    }

    /// Whether it makes as many frames as the input has, with these options in ffmpeg's syntax.
    fn keeps_frames(&self, options: &str) -> bool {
        let mode = options.split(':').enumerate().find_map(|(place, option)| {
            match option.split_once('=') {
                Some((name, value)) => (name.trim() == "mode").then_some(value),
                None => (place == self.place && !option.is_empty()).then_some(option),
            }
        });
        Self::A_FRAME_A_PAIR.contains(&mode.unwrap_or(self.default).trim())
    }
}

/// Filters that change when frames are shown, or how long the video is.
const RETIME: &[&str] = &["setpts", "tpad", "trim"];

/// Filters that make frames of fields, or fields of frames.
const FIELDS: &[&str] = &[
    "bwdif",
    "detelecine",
    "estdif",
    "field",
    "fieldmatch",
    "fieldorder",
    "interlace",
    "kerndeint",
    "pullup",
    "setfield",
    "telecine",
    "tinterlace",
    "w3fdif",
    "yadif",
];

/// Filters that may change the size of the picture, or the shape of its pixels.
const SHAPES: &[&str] = &[
    "crop",
    "field",
    "pad",
    "rotate",
    "scale",
    "setdar",
    "setsar",
    "tinterlace",
    "transpose",
    "xbr",
    "zscale",
];

/// Filters that change the meaning of colours.
const COLOURS: &[&str] = &["colorspace", "setparams", "tonemap", "zscale"];

/// Options by which an allowed filter would read a file.
const FORBIDDEN_OPTIONS: &[&str] = &["psfile", "plot", "file", "filename"];

/// A chain of video filters in ffmpeg's syntax, e.g. `hqdn3d,crop=1280:536`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Filters(String);

/// Why a chain of filters is not allowed.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// The text is more than a chain, or has quotes that could hide its meaning.
    #[error(
        "filter '{0}' may only be a chain of name=options joined by commas, without [ ] ; ' or \\"
    )]
    Syntax(String),
    /// The filter is not on the allowlist.
    #[error(
        "filter '{0}' is not allowed: recipes may use filters that touch pictures only, no files or devices"
    )]
    Name(String),
    /// The option opens a file.
    #[error("option '{option}' of filter '{filter}' is not allowed: it would read or write a file")]
    Option {
        /// The filter.
        filter: String,
        /// Its option.
        option: String,
    },
}

impl FromStr for Filters {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let syntax = || FilterError::Syntax(text.to_owned());
        let printable = |c: char| c.is_ascii_graphic() || c == ' ';
        if text.is_empty()
            || text.contains(['[', ']', ';', '\'', '\\'])
            || !text.chars().all(printable)
        {
            return Err(syntax());
        }
        for (name, options) in chain(text) {
            if name.is_empty() {
                return Err(syntax());
            }
            if !ALLOWED.contains(&name) {
                return Err(FilterError::Name(name.to_owned()));
            }
            let forbidden = options
                .split(':')
                .map(|option| option.split_once('=').unwrap_or((option, "")))
                .find(|(key, value)| opens_a_file(name, key.trim(), value))
                .map(|(key, _)| key.trim());
            if let Some(option) = forbidden {
                return Err(FilterError::Option {
                    filter: name.to_owned(),
                    option: option.to_owned(),
                });
            }
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether an option of an allowed filter would read or write a file.
fn opens_a_file(filter: &str, key: &str, value: &str) -> bool {
    // Newer versions of ffmpeg read the value of `/key=file` from a file.
    key.starts_with('/')
        || FORBIDDEN_OPTIONS.contains(&key)
        // `curves` also takes files by position.
        || (filter == "curves" && value.is_empty())
}

/// The filters of a chain, as names and options. As in ffmpeg, every comma ends a filter, inside parentheses too.
fn chain(text: &str) -> Vec<(&str, &str)> {
    text.split(',')
        .map(|filter| filter.split_once('=').unwrap_or((filter, "")))
        .map(|(name, options)| (name.trim(), options))
        .collect()
}

impl Filters {
    /// The filters that may be used.
    pub fn allowed() -> impl Iterator<Item = &'static str> {
        ALLOWED.iter().copied()
    }

    /// The chain in ffmpeg's syntax.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The filters, as names and options in ffmpeg's syntax, in order.
    pub(super) fn chain(&self) -> Vec<(&str, &str)> {
        chain(&self.0)
    }

    /// The names of the filters, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        chain(&self.0).into_iter().map(|(name, _)| name)
    }

    fn first_of(&self, names: &[&str]) -> Option<&str> {
        self.names().find(|name| names.contains(name))
    }

    /// The first filter that changes when frames are shown.
    pub fn retiming(&self) -> Option<&str> {
        self.first_of(RETIME)
    }

    /// Whether a filter makes frames of fields, or fields of frames.
    pub fn touch_fields(&self) -> bool {
        self.first_of(FIELDS).is_some()
    }

    /// Whether a filter changes the meaning of colours.
    pub fn touch_colours(&self) -> bool {
        self.first_of(COLOURS).is_some()
    }

    /// The first filter that may change the size of the picture, or the shape of its pixels.
    pub fn reshaping(&self) -> Option<&str> {
        self.first_of(SHAPES)
    }

    /// Whether a filter maps tones of a picture that is not in linear light.
    pub fn map_tones_of_no_light(&self) -> bool {
        self.first_of(&["tonemap", "zscale"]) == Some("tonemap")
    }

    /// Whether the output has each frame of the input once, and no other.
    pub fn keep_frames(&self) -> bool {
        chain(&self.0).into_iter().all(|(name, options)| {
            let deinterlacer = DEINTERLACERS.iter().find(|filter| filter.name == name);
            let keeps = deinterlacer.is_none_or(|filter| filter.keeps_frames(options));
            keeps && !CHANGE_FRAMES.contains(&name)
        })
    }
}

impl TryFrom<String> for Filters {
    type Error = FilterError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Filters> for String {
    fn from(filters: Filters) -> Self {
        filters.0
    }
}

impl fmt::Display for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_open_files_are_refused() {
        for bad in [
            "movie=/etc/passwd",
            "scale=640:360,drawtext=textfile=/etc/passwd",
            "subtitles=/etc/passwd",
            "metadata=print:file=/tmp/x",
            "curves=psfile=/etc/passwd",
            "curves=plot=/tmp/x",
            "[in]scale=2:2[out]",
            "scale=2:2;movie=x",
            "scale='2,movie=x'",
            "scale=2\\,movie=x",
            "lut3d=/etc/passwd",
            "",
            ",",
            "crop=10,",
            "sendcmd=f=/etc/passwd",
            "convolution=0m=0 0 0 0 1 0 0 0 0(,frei0r=/tmp/x.so,null",
            "scale=(2,movie=x)",
            "curves=none:0/0 1/1:0/0 1/1:0/0 1/1:0/0 1/1:0/0 1/1:/any/file:/any/plot",
            "eq=/contrast=/etc/passwd",
        ] {
            assert!(bad.parse::<Filters>().is_err(), "{bad}");
        }
    }

    #[test]
    fn plain_chains_are_allowed_and_known_to_keep_frames_or_not() {
        let keeps = |text: &str| text.parse::<Filters>().expect(text).keep_frames();
        assert!(keeps("hqdn3d=4:3:6,crop=1280:536"));
        assert!(keeps("curves=preset=vintage"));
        for kept in [
            "yadif",
            "yadif=2",
            "yadif=deint=interlaced",
            "bwdif=0",
            "bwdif=mode=send_frame",
            "bwdif=parity=tff:mode=send_frame",
            "w3fdif=complex:frame",
            "w3fdif=mode=frame",
            "estdif=frame",
            "kerndeint",
        ] {
            assert!(keeps(kept), "{kept}");
        }
        for doubled in [
            "yadif=mode=send_field",
            "yadif=1",
            "yadif=3:-1:0",
            "bwdif",
            "bwdif=parity=tff",
            "w3fdif",
            "w3fdif=simple",
            "w3fdif=complex:field",
            "estdif",
            "hqdn3d,estdif=field",
        ] {
            assert!(!keeps(doubled), "{doubled}");
        }
        assert!(!keeps("fps=30"));
    }
}
