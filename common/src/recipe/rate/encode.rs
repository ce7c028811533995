//! The rules of an encode's rate: what goes together, and with which encoder.

use super::*;
use crate::recipe::video::VideoEncode;

impl VideoEncode {
    /// The rate, with the quality that a maximum of bits per second stands beside if nothing else is asked for.
    pub fn effective_rate(&self) -> Rate {
        match self.rate {
            Rate::Default if self.max_bitrate.is_some() => Rate::Quality(Quality::USUAL),
            rate => rate,
        }
    }

    /// Whether the encoder sees the video twice: if the recipe asks for it, or for a size, which is met better so.
    pub fn wants_two_passes(&self, encoder: &Encoder) -> bool {
        let is_implied = matches!(self.rate, Rate::Size(_)) && two_pass::is_usual(encoder);
        self.two_pass || is_implied
    }

    /// Refuses a rate, a speed or a preset that has no meaning for the encoder.
    ///
    /// # Errors
    /// The first part that the encoder cannot follow, with a way out.
    pub fn check_on(&self, encoder: &Encoder) -> Result<(), RecipeError> {
        self.rate.check(encoder)?;
        if let Some(preset) = &self.preset {
            encoder_preset::check(encoder, preset)?;
        }
        if encoder.codec().is_none() {
            return Ok(());
        }
        if self.preset.is_none()
            && let Some(speed) = self.speed
            && speed.preset(encoder).is_none()
        {
            return Err(RecipeError::Speed(encoder.clone()));
        }
        if self.two_pass && !two_pass::has_two_passes(encoder) {
            return Err(RecipeError::TwoPass {
                encoder: encoder.clone(),
                instead: two_pass::encoders(),
            });
        }
        if self.max_bitrate.is_some() && !Peak::of(encoder).holds_at(self.rate) {
            let instead = match (Peak::of(encoder), self.rate) {
                (_, Rate::Lossless) => "leave --lossless or --max-bitrate out",
                (Peak::Quality, _) => "give --quality or --crf with it",
                (Peak::Bitrate, _) => "give --bitrate with it",
                _ => "use libx264, libx265 or a hardware encoder",
            };
            return Err(RecipeError::Peak {
                encoder: encoder.clone(),
                instead,
            });
        }
        Ok(())
    }

    /// Refuses rates that cannot work with any encoder.
    pub(in crate::recipe) fn check_rate(&self) -> Result<(), RecipeError> {
        if self.two_pass && !matches!(self.rate, Rate::Bitrate(_) | Rate::Size(_)) {
            return Err(RecipeError::TwoPassRate);
        }
        if let (Some(most), Rate::Bitrate(mean)) = (self.max_bitrate, self.rate)
            && most.bits_per_second() < mean.bits_per_second()
        {
            return Err(RecipeError::PeakBelowMean { most, mean });
        }
        self.with
            .encoders()
            .iter()
            .try_for_each(|encoder| self.check_on(encoder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Choice, Recipe};

    #[test]
    fn one_quality_looks_alike_on_unlike_scales() {
        let quality = Quality::try_from(55).expect("in range");
        let on = |encoder: &str| {
            Rate::Quality(quality)
                .constant_quality(&encoder.parse().expect("a name"))
                .map(f64::round)
        };
        assert_eq!(on("libx264"), Some(23.0));
        assert_eq!(on("libx265"), Some(23.0));
        assert_eq!(on("libsvtav1"), Some(38.0));
        assert_eq!(on("hevc_nvenc"), Some(28.0));
        assert_eq!(on("hevc_videotoolbox"), Some(58.0));
        assert_eq!(on("h264_v4l2m2m"), None);
    }

    #[test]
    fn a_number_off_the_scale_is_refused() {
        let encoder: Encoder = "libx265".parse().expect("a name");
        assert!(Rate::Crf(52.0).check(&encoder).is_err());
        assert!(Rate::Crf(f64::NAN).check(&encoder).is_err());
        assert!(Rate::Crf(28.0).check(&encoder).is_ok());
    }

    #[test]
    fn what_an_encoder_cannot_do_is_refused_with_a_way_out() {
        type Edit = fn(&mut VideoEncode);
        let bitrate: Edit = |video| {
            video.rate = Rate::Bitrate("2M".parse().expect("a bitrate"));
            video.two_pass = true;
        };
        let most: Edit = |video| {
            video.rate = Rate::Crf(30.0);
            video.max_bitrate = Some("1M".parse().expect("a bitrate"));
        };
        let below: Edit = |video| {
            video.rate = Rate::Bitrate("2M".parse().expect("a bitrate"));
            video.max_bitrate = Some("1M".parse().expect("a bitrate"));
        };
        let passes: Edit = |video| video.two_pass = true;
        let speed: Edit = |video| video.speed = Some(Speed::Fast);
        let lossless: Edit = |video| video.rate = Rate::Lossless;
        let both: Edit = |video| {
            video.rate = Rate::Lossless;
            video.max_bitrate = Some("1M".parse().expect("a bitrate"));
        };
        let check = |encoder: &str, edit: Edit| {
            let mut video = VideoEncode::new(Choice::Encoder(encoder.parse().expect("a name")));
            edit(&mut video);
            Recipe::encode(video)
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        for (encoder, edit) in [
            ("libx265", bitrate),
            ("libsvtav1", most),
            ("hevc_nvenc", most),
            ("libvvenc", speed),
            ("ffv1", lossless),
        ] {
            assert_eq!(check(encoder, edit), Ok(()), "{encoder}");
        }
        for (encoder, edit, way_out) in [
            ("h264_nvenc", bitrate, "libx264"),
            ("librav1e", bitrate, "libaom-av1"),
            ("libx264", passes, "--bitrate or --target-size"),
            ("libvpx-vp9", most, "libx264"),
            ("h264_amf", most, "--bitrate"),
            ("libx264", below, "at least 2M"),
            ("h264_v4l2m2m", speed, "leave --speed out"),
            ("mpeg4", lossless, "ffv1"),
            ("libx264", both, "--lossless or --max-bitrate"),
        ] {
            let error = check(encoder, edit).expect_err(encoder);
            assert!(error.contains(way_out), "{encoder}: {error}");
        }
    }
}
