//! Chooses how the pictures of one film are encoded, and reports what changes. Each file handles one property of
//! pictures.
//!
//! More than 12 entries: each is one property of pictures that an encode keeps or converts.

mod alpha;
mod bt2390;
mod captions;
mod clock;
mod colour;
mod conversion;
mod copied;
mod crop;
mod fields;
mod format;
mod hdr;
mod params;
mod pixel_format;
mod size;
mod tones;
mod turn;

use common::farm::card::Proof;
use common::job::changes::Change;
use common::job::failure::Failure;
use common::recipe::encoder::{Encoder, EncoderKind};
use common::recipe::{Captions, Container, Hdr, VideoEncode};

use super::build::Build;
use super::rate;
use super::rate::Pass;
use crate::ffmpeg::probe::media::Stream;

pub(super) use clock::Clock;
pub(super) use copied::copied;
pub(super) use crop::Cut;
pub(super) use fields::Fields;
pub(super) use hdr::UNOFFICIAL;
pub(super) use params::holds as holds_params;
pub use tones::ColourTable;

/// The last filter of an encoder that takes pictures from the memory of its device.
const UPLOAD: &str = ",hwupload";

/// A film to be encoded.
pub(super) struct Task<'a> {
    pub(super) film: &'a Stream,
    pub(super) video: &'a VideoEncode,
    pub(super) fields: Fields,
    pub(super) crop: Cut,
    pub(super) encoder: &'a Encoder,
    pub(super) proof: &'a Proof,
    pub(super) captions: Captions,
    pub(super) container: Container,
    pub(super) build: &'a Build,
}

impl Task<'_> {
    /// Whether both the source and the output are HDR.
    fn stays_hdr(&self) -> bool {
        let has_colour_filters = self
            .video
            .filters
            .as_ref()
            .is_some_and(|filters| filters.touch_colours());
        self.film.colour.is_hdr() && self.video.hdr == Hdr::Keep && !has_colour_filters
    }

    /// The size of the picture as a player shows it, without what is cut off.
    fn shown(&self) -> (u32, u32) {
        let shown = self.film.shown();
        self.crop.rest(shown).unwrap_or(shown)
    }

    /// Whether the recipe changes the picture's size by scaling.
    fn is_scaled(&self) -> bool {
        let Task { film, video, .. } = self;
        video.scale.is_some_and(|scale| {
            scale
                .of(self.shown(), film.shown_aspect(), video.scale_up)
                .is_some()
        })
    }

    fn uploads(&self) -> bool {
        matches!(
            self.encoder.kind(),
            EncoderKind::Vaapi | EncoderKind::Vulkan
        )
    }
}

/// The options of an encode, and their effects on the picture.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// The decoder to use, if ffmpeg's default decoder ignores a part of the picture.
    pub(super) decoder: Option<&'static str>,
    /// Filters, in the order of their use.
    filters: Vec<String>,
    /// The pixel format to encode. `None` leaves the choice to ffmpeg, which keeps the source's format if the encoder
    /// supports it.
    pixel_format: Option<String>,
    /// Options for the encoder, with their values.
    options: Vec<(&'static str, String)>,
    /// Entries for the encoder's own parameter list.
    params: Vec<String>,
    /// The size of the output's picture; `None` if only ffmpeg knows it.
    pub(super) size: Option<(u32, u32)>,
    /// The table that maps tones.
    pub(super) table: Option<ColourTable>,
    /// Whether Dolby Vision is kept.
    pub(super) has_dolby_vision: bool,
    /// Tags of the film that no longer apply.
    cleared: Vec<String>,
    /// Properties that are not kept unchanged.
    pub(super) changes: Vec<Change>,
}

impl Picture {
    /// Chooses the options.
    ///
    /// # Errors
    /// If the encoder cannot do what the recipe asks for; the input is at fault.
    pub(super) fn of(task: &Task<'_>) -> Result<Self, Failure> {
        let mut picture = Self::default();
        hdr::refuse(task)?;
        format::choose(task, &mut picture)?;
        turn::upright(task, &mut picture);
        fields::treat(task, &mut picture);
        crop::cut(task, &mut picture);
        if let Some(filters) = &task.video.filters {
            picture.filters.push(filters.to_string());
        }
        alpha::keep(task, &mut picture);
        colour::convert(task, &mut picture)?;
        hdr::keep(task, &mut picture)?;
        size::scale(task, &mut picture);
        captions::keep(task, task.captions, &mut picture);
        if let Some(format) = &picture.pixel_format
            && task.uploads()
        {
            picture.filters.push(format!("format={format}{UPLOAD}"));
        }
        Ok(picture)
    }

    fn option(&mut self, name: &'static str, value: &str) {
        self.options.push((name, value.to_owned()));
    }

    /// The filters, without the upload to a device.
    pub(super) fn filters(&self) -> String {
        let filters = self.filters.iter();
        let kept: Vec<&str> = filters
            .map(String::as_str)
            .filter(|filter| !filter.ends_with(UPLOAD))
            .collect();
        kept.join(",")
    }

    /// ffmpeg's arguments for the output's video stream of this number.
    pub(super) fn arguments(
        &self,
        task: &Task<'_>,
        number: usize,
        pass: Option<Pass>,
    ) -> Vec<String> {
        let mut list = Vec::new();
        let mut add = |option: &str, value: &str| {
            list.push(format!("-{option}:v:{number}"));
            list.push(value.to_owned());
        };
        for (option, value) in &self.options {
            add(option, value);
        }
        let mut params = self.params.clone();
        params.extend(rate::params(task.encoder, task.video, pass, number));
        if let Some((option, value)) = params::join(task.encoder, &params, &task.video.arguments) {
            add(option, &value);
        }
        if !self.filters.is_empty() {
            add("filter", &self.filters.join(","));
        }
        if let Some(format) = &self.pixel_format
            && !task.uploads()
        {
            add("pix_fmt", format);
        }
        for tag in &self.cleared {
            list.push(format!("-metadata:s:v:{number}"));
            list.push(format!("{tag}="));
        }
        list
    }
}
