//! How much quality, or how many bits, and in how much time.

use clap::Args;
use common::names::token::Token;
use common::recipe::{Bitrate, Quality, QualityTarget, Rate, Score, Size, Speed, VideoEncode};

use crate::cli::exit::Error;
use crate::recipe::options::first_given;

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Rate")]
pub(crate) struct RateOptions {
    /// Constant quality on one scale for all encoders, 1 (smallest) to 100 (best)
    #[arg(long, value_name = "1..100", group = "rate")]
    pub quality: Option<Quality>,
    /// Constant quality on the encoder's own scale; lower is better
    #[arg(long, value_name = "N", value_parser = crf, group = "rate")]
    pub crf: Option<f64>,
    /// Average video bitrate, e.g. 4M or 2500k
    #[arg(long, value_name = "RATE", group = "rate")]
    pub bitrate: Option<Bitrate>,
    /// Size of the whole output, e.g. 700M
    #[arg(long, value_name = "SIZE", group = "rate")]
    pub target_size: Option<Size>,
    /// The smallest file of this measured quality: vmaf=95, xpsnr=42 or ssim=0.98
    #[arg(long, value_name = "METRIC=N", group = "rate")]
    pub target: Option<Score>,
    /// Encode without loss
    #[arg(long, group = "rate")]
    pub lossless: bool,
    /// With a --target: the most bytes of the encoded video, in percent of the source's [default: 80]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub max_percent: Option<u32>,
    /// The most bits per second, e.g. 8M
    #[arg(long, value_name = "RATE")]
    pub max_bitrate: Option<Bitrate>,
    /// Let the encoder see the video twice, to spread the bits better
    #[arg(long)]
    pub two_pass: bool,
    /// Refuse an output of less measured quality, e.g. vmaf=90
    #[arg(long, value_name = "METRIC=N")]
    pub floor: Option<Score>,
    /// Time to make files small, for all encoders: slowest, slower, slow, medium, fast, faster, fastest
    #[arg(long, value_name = "NAME", conflicts_with = "encoder_preset")]
    pub speed: Option<Speed>,
    /// The encoder's own preset, e.g. slow, p5, 8
    #[arg(long, value_name = "NAME")]
    pub encoder_preset: Option<Token>,
}

/// The largest CRF of any encoder.
const LARGEST_CRF: f64 = 255.0;

fn crf(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|value: &f64| (0.0..=LARGEST_CRF).contains(value))
        .ok_or_else(|| format!("'{text}' is not a quality: expected a number, e.g. 23"))
}

impl RateOptions {
    /// # Errors
    /// A limit is given for something that the encode does not have.
    pub(super) fn override_encode(&self, encode: &mut VideoEncode) -> Result<(), Error> {
        if let Some(rate) = self.rate(encode.rate.target()) {
            encode.rate = rate;
        }
        match (&mut encode.rate, self.max_percent) {
            (Rate::Target(target), Some(percent)) => target.max_percent = percent,
            (_, Some(_)) => {
                return Err(Error::usage(
                    "--max-percent limits the search for a measured quality: give a --target, too, e.g. --target vmaf=95",
                ));
            }
            (_, None) => {}
        }
        if let Some(most) = self.max_bitrate {
            encode.max_bitrate = Some(most);
        }
        encode.two_pass |= self.two_pass;
        if let Some(floor) = self.floor {
            encode.floor = Some(floor);
        }
        if let Some(speed) = self.speed {
            encode.speed = Some(speed);
            encode.preset = None;
        }
        if let Some(preset) = &self.encoder_preset {
            encode.preset = Some(preset.clone());
            encode.speed = None;
        }
        Ok(())
    }

    /// The rate that is given. A target has the limit of the one `before`.
    fn rate(&self, before: Option<QualityTarget>) -> Option<Rate> {
        let limit = before.map_or(QualityTarget::MAX_PERCENT, |target| target.max_percent);
        let target = self.target.map(|score| QualityTarget {
            score,
            max_percent: limit,
        });
        self.crf
            .map(Rate::Crf)
            .or(self.bitrate.map(Rate::Bitrate))
            .or(self.quality.map(Rate::Quality))
            .or(self.target_size.map(Rate::Size))
            .or(target.map(Rate::Target))
            .or(self.lossless.then_some(Rate::Lossless))
    }

    /// The first given option.
    pub(super) fn given(&self) -> Option<&'static str> {
        first_given([
            ("--crf", self.crf.is_some()),
            ("--bitrate", self.bitrate.is_some()),
            ("--quality", self.quality.is_some()),
            ("--target-size", self.target_size.is_some()),
            ("--target", self.target.is_some()),
            ("--lossless", self.lossless),
            ("--max-percent", self.max_percent.is_some()),
            ("--max-bitrate", self.max_bitrate.is_some()),
            ("--two-pass", self.two_pass),
            ("--floor", self.floor.is_some()),
            ("--speed", self.speed.is_some()),
            ("--encoder-preset", self.encoder_preset.is_some()),
        ])
    }
}
