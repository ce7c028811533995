//! The speed of an encode, on one scale for all encoders.

use serde::{Deserialize, Serialize};

use crate::recipe::named::named;

/// How much time an encoder takes to make a file small. `medium` is about libx264's preset of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs)]
pub enum Speed {
    Slowest,
    Slower,
    Slow,
    Medium,
    Fast,
    Faster,
    Fastest,
}

named!(Speed, "speed":
    Slowest = "slowest", Slower = "slower", Slow = "slow", Medium = "medium", Fast = "fast", Faster = "faster",
    Fastest = "fastest");
