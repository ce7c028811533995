//! Chooses how the pictures of one film are encoded, and reports what changes. Each file handles one property of
//! pictures.
//!
//! The filters come in this order, which [`Picture::of`] is:
//!
//! 1. what a player would turn is turned upright (by ffmpeg itself), so that all that follows means the picture as shown,
//! 2. fields become frames, because every other filter works on whole frames,
//! 3. frames are dropped or repeated for the frame rate, so that nothing is done to frames that go,
//! 4. borders are cut off, so that nothing is done to pixels that go, and no filter smears black into the picture,
//! 5. noise and then bands are removed, before scaling makes them coarser,
//! 6. the recipe's own filters see a clean picture of the source's size and colours,
//! 7. transparency and colours are converted,
//! 8. the picture is turned, so that a size means that of the output,
//! 9. it is scaled, given its colours by a table, and then sharpened, because scaling softens,
//! 10. it is put on a canvas, whose black stays black,
//! 11. a watermark is laid over it, which is as sharp and as bright as its file,
//! 12. the frames of a chunk are taken, because all filters before may need those around it,
//! 13. the result is converted to the encoder's pixel format, and uploaded.
//!
//! More than 12 entries: each is one property of pictures that an encode keeps or converts.

mod alpha;
mod bt2390;
mod burn_in;
mod canvas;
mod captions;
mod clock;
mod colour;
mod conversion;
mod copied;
mod crop;
mod fields;
mod format;
mod frames;
mod hdr;
mod overlay;
mod pace;
mod params;
mod pixel_format;
mod restore;
mod shape;
mod size;
pub(crate) mod still;
mod tones;
mod turn;

use common::farm::card::Proof;
use common::job::changes::{Change, Fate, Kind};
use common::job::failure::Failure;
use common::recipe::encoder::{Encoder, EncoderKind};
use common::recipe::{Captions, Container, FrameRate, Hdr, PictureForm, Segment, VideoEncode};

use super::build::Build;
use super::rate;
use super::rate::Pass;
use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::tracks::subtitles::Burnt;

pub(super) use clock::Clock;
pub(super) use copied::copied;
pub(super) use crop::Cut;
pub(super) use fields::Fields;
pub(super) use frames::Frames;
pub(super) use hdr::UNOFFICIAL;
pub(crate) use overlay::{LUT, WATERMARK};
pub(crate) use pace::Pace;
pub(super) use params::holds as holds_params;
use shape::Shape;
pub use tones::ColourTable;

/// The last filter of an encoder that takes pictures from the memory of its device.
const UPLOAD: &str = ",hwupload";

/// A film to be encoded.
pub(super) struct Task<'a> {
    pub(super) film: &'a Stream,
    pub(super) video: &'a VideoEncode,
    pub(super) fields: Fields,
    pub(super) crop: Cut,
    /// The form of the watermark, if there is one and it is known.
    pub(super) watermark: Option<PictureForm>,
    /// The subtitle track that is drawn into the picture.
    pub(super) burnt: Option<&'a Burnt>,
    pub(super) encoder: &'a Encoder,
    pub(super) proof: &'a Proof,
    pub(super) captions: Captions,
    pub(super) container: Container,
    /// The length of a ladder's segments, if the output is a rendition of one.
    pub(super) segment: Option<Segment>,
    /// The frames that become the output; `None` for all.
    pub(super) frames: Option<Frames>,
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

    /// Whether the recipe changes the picture in any way that metadata about its brightness would not know of.
    fn is_altered(&self) -> bool {
        let video = self.video;
        self.is_scaled()
            || !self.crop.is_empty()
            || self.needs_whole_frames()
            || video.filters.is_some()
            || video.lut.is_some()
            || video.watermark.is_some()
            || video.burn_in.is_some()
            || video.frame_rate != FrameRate::Keep
    }

    /// Whether the recipe does what would mix the lines of two fields.
    fn needs_whole_frames(&self) -> bool {
        let video = self.video;
        let mirrors_only = |quarters| quarters == 0;
        video.denoise.is_some()
            || video.deband
            || video.sharpen.is_some()
            || video.pad.is_some()
            || video
                .rotate
                .is_some_and(|rotate| !mirrors_only(rotate.quarters))
    }

    /// The shape of the picture before the recipe's filters; `None` if nothing says how large it is.
    fn shape(&self) -> Option<Shape> {
        let shape = Shape::of(self.film)?;
        let (width, height) = self.shown();
        Some(Shape {
            width,
            height,
            ..shape
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
    /// Subtitles that are put on the picture between two of these filters.
    overlay: Option<burn_in::Overlay>,
    /// The pixel format to encode. `None` leaves the choice to ffmpeg, which keeps the source's format if the encoder
    /// supports it.
    pixel_format: Option<String>,
    /// Options for the encoder, with their values.
    options: Vec<(&'static str, String)>,
    /// Entries for the encoder's own parameter list.
    params: Vec<String>,
    /// The shape of the picture after these filters; `None` if only ffmpeg knows it.
    shape: Option<Shape>,
    /// Whether the picture is RGB after these filters.
    is_rgb: bool,
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
        picture.is_rgb = pixel_format::is_rgb(&task.film.pixel_format);
        turn::upright(task, &mut picture);
        fields::treat(task, &mut picture);
        pace::keep(task, &mut picture);
        crop::cut(task, &mut picture);
        picture.shape = task.shape();
        restore::denoise(task, &mut picture)?;
        restore::deband(task, &mut picture);
        let is_early = burn_in::comes_before_own_filters(task);
        if is_early {
            burn_in::draw(task, &mut picture)?;
        }
        if let Some(filters) = &task.video.filters {
            picture.filters.push(filters.to_string());
            picture.shape = picture.shape.filter(|_| filters.reshaping().is_none());
        }
        alpha::keep(task, &mut picture);
        colour::convert(task, &mut picture)?;
        hdr::keep(task, &mut picture)?;
        canvas::rotate(task, &mut picture);
        if !is_early {
            burn_in::draw(task, &mut picture)?;
        }
        size::scale(task, &mut picture);
        overlay::look_up(task, &mut picture);
        restore::sharpen(task, &mut picture)?;
        canvas::pad(task, &mut picture);
        size::make_even(task, &mut picture);
        overlay::mark(task, &mut picture)?;
        captions::keep(task, task.captions, &mut picture);
        frames::take(task, &mut picture);
        if let Some(format) = &picture.pixel_format
            && task.uploads()
        {
            picture.filters.push(format!("format={format}{UPLOAD}"));
        }
        Ok(picture)
    }

    /// The width and height of the output's picture; `None` if only ffmpeg knows them.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        self.shape.map(|shape| (shape.width, shape.height))
    }

    /// Reports that the picture has the current shape now. All that happens to the shape is one change.
    fn reshaped(&mut self, film: &Stream, why: String, is_wanted: bool) {
        let Some(shape) = self.shape else { return };
        let to = format!("{}x{}", shape.width, shape.height);
        let earlier = self
            .changes
            .iter_mut()
            .find(|change| change.kind == Kind::Aspect && change.fate == Fate::Converted);
        if let Some(earlier) = earlier {
            earlier.to = Some(to);
            earlier.why = Some(match earlier.why.take() {
                Some(before) => format!("{before}; {why}"),
                None => why,
            });
            return;
        }
        let (width, height) = film.shown();
        if (width, height) == (shape.width, shape.height) {
            return;
        }
        let change = Change::converted(
            Kind::Aspect,
            film.index,
            format!("{width}x{height}"),
            to,
            why,
        );
        self.changes
            .push(if is_wanted { change.wanted() } else { change });
    }

    fn option(&mut self, name: &'static str, value: &str) {
        self.options.push((name, value.to_owned()));
    }

    /// The tags of the film that no longer apply.
    pub(super) fn cleared(&self) -> &[String] {
        &self.cleared
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

    /// The graph that makes the output's video stream of this number, if one filter after the other does not.
    /// `input` is the number of the input that holds the subtitles to be drawn. `part` is the filter that leaves the part
    /// of the film that becomes the output.
    pub(super) fn graph(
        &self,
        task: &Task<'_>,
        number: usize,
        input: usize,
        part: Option<&str>,
    ) -> Option<String> {
        let overlay = self.overlay.as_ref()?;
        Some(overlay.graph((task.film.index, part), &self.filters, number, input))
    }

    /// The end of that graph, in the syntax of `-map`.
    pub(super) fn end(&self, number: usize) -> Option<String> {
        let is_graph = self.overlay.is_some();
        is_graph.then(|| format!("[film{number}]"))
    }

    /// ffmpeg's arguments for the output's video stream of this number. `part` is the filter that leaves the part of
    /// the film that becomes the output.
    pub(super) fn arguments(
        &self,
        task: &Task<'_>,
        number: usize,
        part: Option<String>,
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
        let is_ladder = task.segment.is_some();
        params.extend(rate::params(
            task.encoder,
            task.video,
            pass,
            number,
            is_ladder,
        ));
        if let Some((option, value)) = params::join(task.encoder, &params, &task.video.arguments) {
            add(option, &value);
        }
        let filters: Vec<&str> = part
            .iter()
            .chain(&self.filters)
            .map(String::as_str)
            .collect();
        if self.overlay.is_none() && !filters.is_empty() {
            add("filter", &filters.join(","));
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
