//! Pictures over the picture: a watermark.

use serde::{Deserialize, Serialize};

use crate::names::location::Location;
use crate::recipe::named::named;

/// A picture that is drawn over every frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Watermark {
    /// The picture (PNG, JPEG or WebP), where workers can read it.
    pub picture: Location,
    /// The corner, or the middle.
    #[serde(default)]
    pub place: Place,
    /// The width of the picture in percent of the frame's width; as it is if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width_percent: Option<u8>,
    /// How much the picture covers, in percent.
    #[serde(default = "Watermark::default_opacity")]
    pub opacity_percent: u8,
}

impl Watermark {
    /// A watermark at the default place.
    pub fn new(picture: Location) -> Self {
        Self {
            picture,
            place: Place::default(),
            width_percent: None,
            opacity_percent: Self::default_opacity(),
        }
    }

    fn default_opacity() -> u8 {
        100
    }
}

/// A place in the frame. Corners have a margin of 2 % of the frame's height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs)]
pub enum Place {
    TopLeft,
    TopRight,
    BottomLeft,
    #[default]
    BottomRight,
    Center,
}

named!(Place, "place": TopLeft = "top-left", TopRight = "top-right", BottomLeft = "bottom-left",
    BottomRight = "bottom-right", Center = "center");
