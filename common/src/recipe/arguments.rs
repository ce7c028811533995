//! Further ffmpeg arguments that a recipe may carry.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::encoder_lists;

/// Options of ffmpeg and its encoders that take a number or a word and cannot make ffmpeg read or write another file.
const ALLOWED: &[&str] = &[
    "aq-mode",
    "aq-strength",
    "b_ref_mode",
    "b_strategy",
    "bf",
    "bluray-compat",
    "bufsize",
    "coder",
    "color_primaries",
    "color_range",
    "color_trc",
    "colorspace",
    "cpu-used",
    "deadline",
    "field_order",
    "forced-idr",
    "g",
    "global_quality",
    "keyint_min",
    "lag-in-frames",
    "level",
    "look_ahead",
    "look_ahead_depth",
    "max_b_frames",
    "maxrate",
    "me_range",
    "minrate",
    "mbtree",
    "multipass",
    "nonref_p",
    "pix_fmt",
    "profile",
    "psy-rd",
    "qcomp",
    "qmax",
    "qmin",
    "quality",
    "r",
    "rc-lookahead",
    "refs",
    "row-mt",
    "sc_threshold",
    "slices",
    "spatial-aq",
    "surfaces",
    "tag",
    "temporal-aq",
    "threads",
    "tile-columns",
    "tile-rows",
    "tiles",
    "tier",
    "tune",
    "vendor",
    "weightb",
    "weightp",
    "zerolatency",
    "auto-alt-ref",
    "arnr-maxframes",
    "arnr-strength",
    "qpa",
    "usage",
    "rc",
];

/// One further argument: an option of the allowlist and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Argument {
    option: String,
    value: String,
}

/// Why an argument is not allowed.
#[derive(Debug, thiserror::Error)]
pub enum ArgumentError {
    /// It is not in the form `option=value`.
    #[error("argument '{0}' must have the form option=value, e.g. g=240 or tune=grain")]
    Syntax(String),
    /// The option is not on the allowlist.
    #[error(
        "argument '{0}' is not allowed: recipes may set an encoder's numbers and modes, nothing that reads or writes other files"
    )]
    Option(String),
    /// The value holds characters other than those of numbers, words and ratios.
    #[error(
        "value '{value}' of argument '{option}' is not allowed: only letters, digits and . , : = + - _ /"
    )]
    Value {
        /// The option.
        option: String,
        /// Its value.
        value: String,
    },
    /// A key in an encoder's own list is not known to be harmless.
    #[error(
        "'{key}' in {option} is not allowed: recipes may set keys that take numbers and modes, and none that names a file"
    )]
    Nested {
        /// The option that holds the list.
        option: String,
        /// The key.
        key: String,
    },
}

impl Argument {
    /// The options that may be set.
    pub fn allowed() -> impl Iterator<Item = &'static str> {
        ALLOWED.iter().copied().chain(encoder_lists::options())
    }

    /// ffmpeg's name of the option, without the dash.
    pub fn option(&self) -> &str {
        &self.option
    }

    /// The option's value.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether the output's frames still correspond to the input's one to one.
    pub fn keeps_frames(&self) -> bool {
        self.option != "r"
    }
}

impl FromStr for Argument {
    type Err = ArgumentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let argument = Self::read(text)?;
        if let Some(key) = encoder_lists::refused(&argument.option, &argument.value) {
            let option = argument.option;
            return Err(ArgumentError::Nested { option, key });
        }
        Ok(argument)
    }
}

impl Argument {
    /// An argument of a stored recipe. The keys of encoders' lists are not checked: keys that were allowed once must
    /// not make a job unreadable.
    fn read(text: &str) -> Result<Self, ArgumentError> {
        let (option, value) = text
            .split_once('=')
            .ok_or_else(|| ArgumentError::Syntax(text.to_owned()))?;
        let option = option.trim_start_matches('-');
        // `profile:v` is the same as `profile`: arguments are for video only.
        let base = option.strip_suffix(":v").unwrap_or(option);
        let is_list = encoder_lists::options().any(|list| list == base);
        if !is_list && !ALLOWED.contains(&base) {
            return Err(ArgumentError::Option(option.to_owned()));
        }
        // The slash of a path is at the start or behind a dot; the slash of a ratio (`30000/1001`) is between digits.
        let harmless = |c: char| c.is_ascii_alphanumeric() || ".,:=+-_/".contains(c);
        let ratio = |(at, _): (usize, &str)| {
            value[..at].ends_with(|c: char| c.is_ascii_digit())
                && value[at + 1..].starts_with(|c: char| c.is_ascii_digit())
        };
        if value.is_empty() || !value.chars().all(harmless) || !value.match_indices('/').all(ratio)
        {
            return Err(ArgumentError::Value {
                option: option.to_owned(),
                value: value.to_owned(),
            });
        }
        Ok(Self {
            option: base.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl TryFrom<String> for Argument {
    type Error = ArgumentError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(&text)
    }
}

impl From<Argument> for String {
    fn from(argument: Argument) -> Self {
        argument.to_string()
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.option, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_pass() {
        for good in [
            "g=240",
            "-tune=grain",
            "profile:v=high",
            "r=30000/1001",
            "x265-params=aq-mode=3:psy-rd=2.0",
            "svtav1-params=tune=0:film-grain=8:film-grain-denoise=1",
        ] {
            assert!(good.parse::<Argument>().is_ok(), "{good}");
        }
    }

    #[test]
    fn values_that_open_files_are_refused() {
        for bad in [
            "i=/etc/passwd",
            "f=tee",
            "passlogfile=/tmp/x",
            "x264-params=stats=/tmp/x",
            "x264-params=qpfile=list",
            "x265-params=csv=out.csv",
            "x265-params=film-grain=model.bin",
            "svtav1-params=film-grain=8:fgs-table=x",
            "x265-params=analysis_save=x",
            "tune=/etc/passwd",
            "g",
            "g=",
            "g=1 -y out",
            "dump_attachment:t=x",
            "attach=/etc/passwd",
            "filter_complex=movie=x",
            "vf=movie=x",
            "report=1",
        ] {
            assert!(bad.parse::<Argument>().is_err(), "{bad}");
        }
    }
}
