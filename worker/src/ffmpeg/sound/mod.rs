//! Encoding audio so that each channel keeps its speaker: the choice of the layout, and the mix for it.

mod copy;
mod downmix;
mod encoders;
pub mod layout;
pub mod loudness;
mod mix;

pub(super) use copy::filter_of_copy;
pub use copy::{can_copy, is_opaque, stand_in, why_not};

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::{AudioEncoder, Bitrate, Container, Downmix, Loudness};

use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::sound::encoders::{kept, names, rate};
use crate::ffmpeg::sound::layout::Layout;
use crate::ffmpeg::sound::loudness::{Correction, Measured};
use crate::ffmpeg::sound::mix::Mix;

/// How a recipe wants one track to be encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct SoundTask {
    pub encoder: AudioEncoder,
    /// Bits per second; ffmpeg's default if not given.
    pub bitrate: Option<Bitrate>,
    pub downmix: Option<Downmix>,
    pub loudness: Option<Loudness>,
}

/// The plan for one encoded track.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// The input's layout. `None` if the input has only a number of channels.
    from: Option<Layout>,
    /// Channels of the input.
    channels: u32,
    /// The downmix; `None` if the input has no more channels than it makes.
    downmix: Option<Downmix>,
    /// Whether loud sound is turned down.
    is_night: bool,
    mix: Mix,
    encoder: AudioEncoder,
    bitrate: Option<Bitrate>,
    /// The output's sample rate. `None` if the input's rate is unknown.
    rate: Option<u32>,
    /// The wanted loudness.
    loudness: Option<Loudness>,
    correction: Option<Correction>,
}

impl Sound {
    /// Chooses the layout that loses least, after the downmix that the task asks for.
    ///
    /// # Errors
    /// If some channels have no known speaker, and too many of them for a guess; the input is at fault.
    pub fn plan(source: &Stream, task: &SoundTask, container: Container) -> Result<Self, Failure> {
        let encoder = task.encoder;
        let from = Layout::parse(&source.layout)
            .filter(|layout| layout.speakers().len() == source.channels as usize);
        let taken = match &from {
            Some(layout) => layout.clone(),
            // Ambisonic channels are not speakers, so a guess would be wrong.
            None if source.layout.contains("ambisonic") => {
                return Err(unknown_layout(source, encoder));
            }
            None => {
                Layout::usual(source.channels).ok_or_else(|| unknown_layout(source, encoder))?
            }
        };
        let downmix = task
            .downmix
            .filter(|downmix| source.channels > downmix.channels());
        let fewer = downmix.and_then(|downmix| downmix::mix(&taken, downmix));
        let given = fewer.as_ref().map_or(&taken, |fewer| &fewer.to);
        let mix = kept(encoder, container, given)
            .iter()
            .filter_map(|to| Mix::new(given, to))
            .min_by_key(Mix::cost)
            .ok_or_else(|| unknown_layout(source, encoder))?;
        Ok(Self {
            from,
            channels: source.channels,
            downmix: downmix.filter(|_| fewer.is_some()),
            is_night: task.downmix == Some(Downmix::Night),
            mix: fewer.map_or(mix.clone(), |fewer| fewer.then(&mix)),
            encoder,
            bitrate: task.bitrate,
            rate: rate(encoder, source.sample_rate),
            loudness: task.loudness,
            correction: None,
        })
    }

    /// The output's layout.
    pub fn layout(&self) -> &Layout {
        &self.mix.to
    }

    /// The number of the output's channels.
    pub fn channels(&self) -> u32 {
        self.mix.to.speakers().len() as u32
    }

    /// The output's codec, by ffmpeg's name.
    pub fn codec(&self) -> &'static str {
        self.encoder.codec()
    }

    /// The output's layout, as people name it.
    pub fn layout_in_words(&self) -> String {
        match self.mix.to.to_string().as_str() {
            "mono" => "Mono".to_owned(),
            "stereo" => "Stereo".to_owned(),
            other => other.split('(').next().unwrap_or(other).to_owned(),
        }
    }

    /// The output's codec, as people name it.
    pub fn codec_in_words(&self) -> String {
        match self.codec() {
            "ac3" => "AC-3".to_owned(),
            "eac3" => "E-AC-3".to_owned(),
            "opus" => "Opus".to_owned(),
            "vorbis" => "Vorbis".to_owned(),
            other => other.to_uppercase(),
        }
    }

    /// The filters that make the output's layout, loudness and sample rate. They fix the input's layout at the start
    /// and the output's at the end, so that an input may change its layout or rate in the middle.
    pub fn filter(&self) -> String {
        let rate = self.rate.map(|rate| format!(":sample_rates={rate}"));
        let rate = rate.unwrap_or_default();
        let correction = self.correction.as_ref().map(Correction::filter);
        let to = self.mix.to.spelled();
        let made = self.mixing().into_iter().chain(correction);
        let filters: Vec<String> = made
            .chain([format!("aformat=channel_layouts={to}{rate}")])
            .collect();
        filters.join(",")
    }

    /// The filters that make the sound whose loudness is measured: those of [`Self::filter`] before the correction.
    pub fn unlevelled(&self) -> String {
        let to = format!("aformat=channel_layouts={}", self.mix.to.spelled());
        let filters: Vec<String> = self.mixing().into_iter().chain([to]).collect();
        filters.join(",")
    }

    fn mixing(&self) -> Vec<String> {
        let mut filters = Vec::new();
        if self.from.is_none() || !self.mix.is_addition() {
            // Channels in an unusual order must be taken by number from the start.
            if let Some(from) = self.from.as_ref().filter(|from| from.is_sorted()) {
                filters.push(format!("aformat=channel_layouts={}", from.spelled()));
            }
            filters.push(self.mix.filter());
        }
        if self.is_night {
            filters.push(downmix::COMPRESSOR.to_owned());
        }
        filters
    }

    /// The wanted loudness.
    pub fn loudness(&self) -> Option<&Loudness> {
        self.loudness.as_ref()
    }

    /// Corrects the loudness of the input's stream of this index, by what was measured of it. `None` if it was not
    /// measured yet. Returns what becomes of the loudness.
    pub fn level(&mut self, measured: Option<&Measured>, index: usize) -> Option<Change> {
        let wanted = self.loudness?;
        let Some(measured) = measured else {
            return Some(loudness::unmeasured(&wanted, index));
        };
        let (correction, change) = loudness::correct(&wanted, measured, index);
        self.correction = correction;
        Some(change)
    }

    /// The change of loud sound where no channels are mixed, for the input's stream of this index.
    pub fn night(&self, index: usize) -> Option<Change> {
        let is_told = self.downmix.is_some() || !self.is_night;
        let why = "downmix night, as asked for";
        let (from, to) = ("loud sound", "turned down above -24 dBFS");
        (!is_told).then(|| Change::converted(Kind::Loudness, index, from, to, why).wanted())
    }

    /// The bits per second to request: the recipe's value, limited to what the encoder accepts for this number of
    /// channels. `None` for ffmpeg's default.
    pub fn bitrate(&self) -> Option<u64> {
        let channels = u64::from(self.channels());
        let requested = self.bitrate?.bits_per_second();
        Some(match self.encoder {
            AudioEncoder::Libopus => requested.clamp(500, 256_000 * channels),
            AudioEncoder::Libvorbis => requested.min(240_000 * channels),
            AudioEncoder::Ac3 => requested.min(640_000),
            AudioEncoder::Eac3 => requested.min(6_144_000),
            _ => requested,
        })
    }

    /// The change of the layout, for the input's stream of this index. `None` if the layout stays.
    pub fn change(&self, index: usize) -> Option<Change> {
        let to = &self.mix.to;
        let Some(from) = &self.from else {
            return match self.downmix {
                Some(downmix) => {
                    let why = format!("downmix {downmix}, as asked for");
                    let from = format!("{} channels", self.channels);
                    Some(Change::converted(Kind::Layout, index, from, to.to_string(), why).wanted())
                }
                None => guessed(self.channels, to, index),
            };
        };
        if from.sorted() == *to {
            return None;
        }
        if to.holds(from) {
            return Some(held(from, to, index));
        }
        if let Some(downmix) = self.downmix
            && self.channels() == downmix.channels()
        {
            let why = format!("downmix {downmix}, as asked for");
            let (from, to) = (from.to_string(), to.to_string());
            return Some(Change::converted(Kind::Layout, index, from, to, why).wanted());
        }
        let encoder = self.encoder.name();
        let most = names(self.encoder)
            .last()
            .and_then(|name| Layout::parse(name));
        let why = match most {
            Some(most) if from.speakers().len() > most.speakers().len() => {
                format!("{encoder} holds at most {most}")
            }
            _ => format!("{encoder} holds no {from}"),
        };
        Some(Change::converted(
            Kind::Layout,
            index,
            from.to_string(),
            to.to_string(),
            why,
        ))
    }
}

/// A change that keeps every channel at its place in another layout.
pub fn held(from: &Layout, to: &Layout, index: usize) -> Change {
    let why = if from.sounds_like(to) {
        "the same speakers by another name"
    } else {
        "all its speakers, and silent ones"
    };
    Change {
        to: Some(to.to_string()),
        why: Some(why.to_owned()),
        ..Change::kept(Kind::Layout, index, from.to_string())
    }
}

/// A change that assumes the usual layout, because the input has only a number of channels. `None` for one or two
/// channels, which have only one layout.
pub fn guessed(channels: u32, to: &Layout, index: usize) -> Option<Change> {
    (channels > 2).then(|| Change {
        to: Some(to.to_string()),
        why: Some("the input does not say where they are: taken as usual".to_owned()),
        ..Change::kept(Kind::Layout, index, format!("{channels} channels"))
    })
}

fn unknown_layout(source: &Stream, encoder: AudioEncoder) -> Failure {
    let layout = match source.layout.as_str() {
        "" => format!("{} channels of no known place", source.channels),
        layout => format!("channels of no known place ({layout})"),
    };
    Failure::input(format!(
        "audio track {} has {layout}, which {} cannot hold: keep it, by --audio copy --container mkv",
        source.index,
        encoder.name(),
    ))
}

#[cfg(test)]
mod tests;
