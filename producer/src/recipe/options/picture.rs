//! What is done to the picture.

use clap::Args;
use common::names::location::Location;
use common::recipe::{
    BitDepth, Chroma, Crop, Deinterlace, Denoise, Filters, FrameRate, Hdr, Pad, Place, Rotate,
    Scale, Strength, ToneMap, VideoEncode, Watermark,
};

use crate::cli::exit::Error;
use crate::recipe::options::first_given;

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Picture")]
pub(crate) struct PictureOptions {
    /// Cut borders off: auto (black borders), loose (no picture is lost), none, or TOP:BOTTOM:LEFT:RIGHT [default: none]
    #[arg(long, value_name = "HOW")]
    pub crop: Option<Crop>,
    /// Deinterlace: auto (only if combed), always, off [default: off]
    #[arg(long, value_name = "HOW")]
    pub deinterlace: Option<Deinterlace>,
    /// Give film that was stretched for television its own frames back
    #[arg(long)]
    pub detelecine: bool,
    /// Remove noise: ultralight, light, medium, strong; with a filter: nlmeans:light [default if given: medium]
    #[arg(long, value_name = "STRENGTH", num_args = 0..=1, default_missing_value = "medium")]
    pub denoise: Option<Denoise>,
    /// Sharpen: ultralight, light, medium, strong [default if given: medium]
    #[arg(long, value_name = "STRENGTH", num_args = 0..=1, default_missing_value = "medium")]
    pub sharpen: Option<Strength>,
    /// Remove bands in smooth areas
    #[arg(long)]
    pub deband: bool,
    /// Turn clockwise: 90, 180, 270; mirror: hflip, vflip; both: 90:hflip
    #[arg(long, value_name = "HOW")]
    pub rotate: Option<Rotate>,
    /// Maximum picture size: 720p (shorter side), 1280x-2 (width), -2x720 (height); or a size: 1280x720
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub scale: Option<Scale>,
    /// Also enlarge sources that are smaller than --scale
    #[arg(long)]
    pub scale_up: bool,
    /// Black canvas around the picture: 1920x1080, or a shape: 16:9
    #[arg(long, value_name = "SIZE")]
    pub pad: Option<Pad>,
    /// Frame rate: keep, a rate (25, 23.976), peak:RATE (never more), half [default: keep]
    #[arg(long, value_name = "HOW")]
    pub frame_rate: Option<FrameRate>,
    /// HDR: keep, sdr to tone map for standard screens, refuse [default: keep]
    #[arg(long, value_name = "HOW")]
    pub hdr: Option<Hdr>,
    /// Tone map HDR to SDR by this curve: hable, bt2390, mobius, reinhard [default if given: hable]
    #[arg(long, value_name = "CURVE", num_args = 0..=1, default_missing_value = "hable")]
    pub tonemap: Option<ToneMap>,
    /// Bit depth: 8 or 10 [default: as the source]
    #[arg(long, value_name = "BITS")]
    pub bit_depth: Option<BitDepth>,
    /// Chroma subsampling: keep, or 420, which every player supports [default: keep]
    #[arg(long, value_name = "HOW")]
    pub chroma: Option<Chroma>,
    /// A .cube colour table, where workers can read it
    #[arg(long, value_name = "FILE|s3://…", value_parser = Location::from_argument)]
    pub lut: Option<Location>,
    /// A picture over the picture, where workers can read it
    #[arg(long, value_name = "FILE|s3://…", value_parser = Location::from_argument)]
    pub watermark: Option<Location>,
    /// Where the watermark is: top-left, top-right, bottom-left, bottom-right, center [default: bottom-right]
    #[arg(long, value_name = "PLACE")]
    pub watermark_place: Option<Place>,
    /// Width of the watermark in percent of the picture's [default: as it is]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub watermark_width: Option<u8>,
    /// How much the watermark covers, in percent [default: 100]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub watermark_opacity: Option<u8>,
    /// Chain of video filters, e.g. hqdn3d,crop=1280:536
    #[arg(long, value_name = "CHAIN")]
    pub filter: Option<Filters>,
}

impl PictureOptions {
    /// # Errors
    /// An option tells of a watermark, and there is none.
    pub(super) fn override_encode(&self, encode: &mut VideoEncode) -> Result<(), Error> {
        let Self {
            crop,
            deinterlace,
            detelecine,
            denoise,
            sharpen,
            deband,
            rotate,
            scale,
            scale_up,
            pad,
            frame_rate,
            hdr,
            tonemap,
            bit_depth,
            chroma,
            lut,
            watermark,
            watermark_place,
            watermark_width,
            watermark_opacity,
            filter,
        } = self;
        replace(&mut encode.crop, crop);
        replace(&mut encode.deinterlace, deinterlace);
        encode.detelecine |= detelecine;
        replace_some(&mut encode.denoise, denoise);
        replace_some(&mut encode.sharpen, sharpen);
        encode.deband |= deband;
        replace_some(&mut encode.rotate, rotate);
        replace_some(&mut encode.scale, scale);
        encode.scale_up |= scale_up;
        replace_some(&mut encode.pad, pad);
        replace(&mut encode.frame_rate, frame_rate);
        // A curve asks for SDR, and without SDR there is no curve.
        if tonemap.is_some() {
            encode.hdr = Hdr::Sdr;
        } else if hdr.is_some_and(|hdr| hdr != Hdr::Sdr) {
            encode.tone_map = ToneMap::default();
        }
        replace(&mut encode.hdr, hdr);
        replace(&mut encode.tone_map, tonemap);
        replace_some(&mut encode.bit_depth, bit_depth);
        replace(&mut encode.chroma, chroma);
        replace_some(&mut encode.lut, lut);
        if let Some(picture) = watermark {
            encode.watermark = Some(Watermark::new(picture.clone()));
        }
        match (&mut encode.watermark, self.of_watermark()) {
            (Some(watermark), _) => {
                replace(&mut watermark.place, watermark_place);
                replace_some(&mut watermark.width_percent, watermark_width);
                replace(&mut watermark.opacity_percent, watermark_opacity);
            }
            (None, Some(option)) => {
                return Err(Error::usage(format!(
                    "{option} tells of a watermark, and there is none: give its picture, --watermark FILE"
                )));
            }
            (None, None) => {}
        }
        replace_some(&mut encode.filters, filter);
        Ok(())
    }

    /// The first given option that only a watermark can follow.
    fn of_watermark(&self) -> Option<&'static str> {
        first_given([
            ("--watermark-place", self.watermark_place.is_some()),
            ("--watermark-width", self.watermark_width.is_some()),
            ("--watermark-opacity", self.watermark_opacity.is_some()),
        ])
    }

    /// The first given option.
    pub(super) fn given(&self) -> Option<&'static str> {
        first_given([
            ("--crop", self.crop.is_some()),
            ("--deinterlace", self.deinterlace.is_some()),
            ("--detelecine", self.detelecine),
            ("--denoise", self.denoise.is_some()),
            ("--sharpen", self.sharpen.is_some()),
            ("--deband", self.deband),
            ("--rotate", self.rotate.is_some()),
            ("--scale", self.scale.is_some()),
            ("--scale-up", self.scale_up),
            ("--pad", self.pad.is_some()),
            ("--frame-rate", self.frame_rate.is_some()),
            ("--hdr", self.hdr.is_some()),
            ("--tonemap", self.tonemap.is_some()),
            ("--bit-depth", self.bit_depth.is_some()),
            ("--chroma", self.chroma.is_some()),
            ("--lut", self.lut.is_some()),
            ("--watermark", self.watermark.is_some()),
            ("--filter", self.filter.is_some()),
        ])
        .or_else(|| self.of_watermark())
    }
}

fn replace<T: Clone>(field: &mut T, given: &Option<T>) {
    if let Some(given) = given {
        *field = given.clone();
    }
}

fn replace_some<T: Clone>(field: &mut Option<T>, given: &Option<T>) {
    if given.is_some() {
        *field = given.clone();
    }
}
