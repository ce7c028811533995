//! What is done to one film's pictures: what of them is kept, and how. One concept a file, and each tells what it
//! changes.
//!
//! More than 12 entries: each is one property of pictures that an encode keeps or converts.

mod alpha;
mod captions;
mod clock;
mod colour;
mod copied;
mod fields;
mod format;
mod hdr;
mod params;
mod pixel_format;
mod size;
mod turn;

use common::farm::card::Proof;
use common::job::changes::Change;
use common::job::failure::Failure;
use common::recipe::encoder::{Encoder, EncoderKind};
use common::recipe::{Captions, Container, Hdr, VideoEncode};

use super::build::Build;
use crate::ffmpeg::probe::media::Stream;

pub(super) use clock::Clock;
pub(super) use copied::copied;
pub(super) use hdr::UNOFFICIAL;
pub(super) use params::holds as holds_params;

/// A film that is to be encoded.
pub(super) struct Task<'a> {
    pub(super) film: &'a Stream,
    pub(super) video: &'a VideoEncode,
    pub(super) encoder: &'a Encoder,
    pub(super) proof: &'a Proof,
    pub(super) captions: Captions,
    pub(super) container: Container,
    pub(super) build: &'a Build,
}

impl Task<'_> {
    /// Whether the source is of high dynamic range and the output is, too.
    fn stays_hdr(&self) -> bool {
        let is_told = self
            .video
            .filters
            .as_ref()
            .is_some_and(|filters| filters.touch_colours());
        self.film.colour.is_hdr() && self.video.hdr == Hdr::Keep && !is_told
    }

    /// Whether the recipe changes the picture's size.
    fn is_scaled(&self) -> bool {
        let Task { film, video, .. } = self;
        video.scale.is_some_and(|scale| {
            scale
                .of(film.shown(), film.shown_aspect(), video.scale_up)
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

/// What is done to a film, and what becomes of its picture by it.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// The decoder to name, where ffmpeg's choice would not see all of it.
    pub(super) decoder: Option<&'static str>,
    /// Filters, in their order.
    filters: Vec<String>,
    /// ffmpeg's name of the format to encode; `None` leaves it to ffmpeg, which keeps the source's as far as the
    /// encoder knows it.
    pixel_format: Option<String>,
    /// Options for the encoder, and their values.
    options: Vec<(&'static str, String)>,
    /// For the encoder's own list.
    params: Vec<String>,
    /// Whether Dolby Vision is kept.
    pub(super) has_dolby_vision: bool,
    /// Tags of the film that hold no longer.
    cleared: Vec<String>,
    /// What is not kept as it is.
    pub(super) changes: Vec<Change>,
}

impl Picture {
    /// What is to be done.
    ///
    /// # Errors
    /// The input's fault where the encoder cannot make of it what the recipe asks for.
    pub(super) fn of(task: &Task<'_>) -> Result<Self, Failure> {
        let mut picture = Self::default();
        format::choose(task, &mut picture)?;
        turn::upright(task, &mut picture);
        fields::keep(task, &mut picture);
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
            picture.filters.push(format!("format={format},hwupload"));
        }
        Ok(picture)
    }

    fn option(&mut self, name: &'static str, value: &str) {
        self.options.push((name, value.to_owned()));
    }

    /// ffmpeg's arguments for the output's video stream of this number.
    pub(super) fn arguments(&self, task: &Task<'_>, number: usize) -> Vec<String> {
        let mut list = Vec::new();
        let mut add = |option: &str, value: &str| {
            list.push(format!("-{option}:v:{number}"));
            list.push(value.to_owned());
        };
        for (option, value) in &self.options {
            add(option, value);
        }
        if let Some((option, value)) =
            params::join(task.encoder, &self.params, &task.video.arguments)
        {
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
