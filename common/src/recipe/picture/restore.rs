//! Restoring a picture: deinterlacing, and removing or strengthening detail.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::unknown::UnknownName;
use crate::recipe::named::{named, written_as_text};

/// When interlaced pictures become whole ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Deinterlace {
    /// Never.
    #[default]
    Off,
    /// If pictures from several places of the source are combed, and then combed frames only.
    Auto,
    /// Every frame.
    Always,
}

named!(Deinterlace, "choice of deinterlacing": Off = "off" | "none", Auto = "auto", Always = "always");

/// How strongly a filter works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs)]
pub enum Strength {
    Ultralight,
    Light,
    Medium,
    Strong,
}

named!(Strength, "strength": Ultralight = "ultralight", Light = "light", Medium = "medium", Strong = "strong");

/// The filter that removes noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DenoiseFilter {
    /// `hqdn3d`, which is fast.
    Hqdn3d,
    /// `nlmeans`, which is slow and keeps more detail.
    Nlmeans,
}

named!(DenoiseFilter, "denoise filter": Hqdn3d = "hqdn3d", Nlmeans = "nlmeans");

/// Removal of noise: `medium`, or `nlmeans:light`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Denoise {
    /// The filter.
    pub filter: DenoiseFilter,
    /// How strongly it works.
    pub strength: Strength,
}

impl FromStr for Denoise {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (filter, strength) = text.split_once(':').unwrap_or(("hqdn3d", text));
        Ok(Self {
            filter: filter.parse()?,
            strength: strength.parse()?,
        })
    }
}

impl fmt::Display for Denoise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.filter, self.strength)
    }
}

written_as_text!(Denoise, UnknownName);
