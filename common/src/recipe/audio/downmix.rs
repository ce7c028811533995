//! Named downmixes: how many channels become few.

use serde::{Deserialize, Serialize};

use crate::recipe::named::named;

/// How the channels of a track become fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Downmix {
    /// One channel.
    Mono,
    /// Two channels, by the gains of ITU-R BS.775.
    Stereo,
    /// Two channels with the center louder, so that speech is clear.
    Dialogue,
    /// Two channels with the center louder and a smaller range of loudness, to be played softly.
    Night,
    /// Two channels by the gains of RFC 7845, which include the low frequencies.
    Rfc7845,
    /// Six channels.
    #[serde(rename = "5.1", alias = "surround")]
    Surround,
}

named!(Downmix, "downmix": Mono = "mono", Stereo = "stereo", Dialogue = "dialogue", Night = "night",
    Rfc7845 = "rfc7845", Surround = "5.1" | "surround");

impl Downmix {
    /// The number of channels that it makes.
    pub fn channels(self) -> u32 {
        match self {
            Self::Mono => 1,
            Self::Stereo | Self::Dialogue | Self::Night | Self::Rfc7845 => 2,
            Self::Surround => 6,
        }
    }
}
