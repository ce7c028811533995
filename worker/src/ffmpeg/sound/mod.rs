//! Encoding audio so that each channel keeps its speaker: the choice of the layout, and the mix for it.

mod copy;
mod encoders;
pub mod layout;
mod mix;

pub(super) use copy::filter_of_copy;
pub use copy::{can_copy, is_opaque, stand_in, why_not};

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::{AudioEncoder, Bitrate, Container};

use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::sound::encoders::{kept, names, rate};
use crate::ffmpeg::sound::layout::Layout;
use crate::ffmpeg::sound::mix::Mix;

/// The plan for one encoded track.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// The input's layout. `None` if the input has only a number of channels.
    from: Option<Layout>,
    /// Channels of the input.
    channels: u32,
    mix: Mix,
    encoder: AudioEncoder,
    /// The output's sample rate. `None` if the input's rate is unknown.
    rate: Option<u32>,
}

impl Sound {
    /// Chooses the layout that loses least.
    ///
    /// # Errors
    /// If some channels have no known speaker, and too many of them for a guess; the input is at fault.
    pub fn plan(
        source: &Stream,
        encoder: AudioEncoder,
        container: Container,
    ) -> Result<Self, Failure> {
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
        let mix = kept(encoder, container, &taken)
            .iter()
            .filter_map(|to| Mix::new(&taken, to))
            .min_by_key(Mix::cost)
            .ok_or_else(|| unknown_layout(source, encoder))?;
        Ok(Self {
            from,
            channels: source.channels,
            mix,
            encoder,
            rate: rate(encoder, source.sample_rate),
        })
    }

    /// The output's layout.
    pub fn layout(&self) -> &Layout {
        &self.mix.to
    }

    /// The filters that make the output's layout and sample rate. They fix the input's layout at the start and the
    /// output's at the end, so that an input may change its layout or rate in the middle.
    pub fn filter(&self) -> String {
        let to = &self.mix.to;
        let mut filters = Vec::new();
        if self.from.is_none() || !self.mix.is_addition() {
            // Channels in an unusual order must be taken by number from the start.
            if let Some(from) = self.from.as_ref().filter(|from| from.is_sorted()) {
                filters.push(format!("aformat=channel_layouts={}", from.spelled()));
            }
            filters.push(self.mix.filter());
        }
        let rate = self.rate.map(|rate| format!(":sample_rates={rate}"));
        let rate = rate.unwrap_or_default();
        filters.push(format!("aformat=channel_layouts={}{rate}", to.spelled()));
        filters.join(",")
    }

    /// The bits per second to request: the recipe's value, limited to what the encoder accepts for this number of
    /// channels.
    pub fn bitrate(&self, requested: Bitrate) -> u64 {
        let channels = self.mix.to.speakers().len() as u64;
        let requested = requested.bits_per_second();
        match self.encoder {
            AudioEncoder::Libopus => requested.clamp(500, 256_000 * channels),
            AudioEncoder::Libvorbis => requested.min(240_000 * channels),
            AudioEncoder::Ac3 => requested.min(640_000),
            AudioEncoder::Eac3 => requested.min(6_144_000),
            _ => requested,
        }
    }

    /// The change of the layout, for the input's stream of this index. `None` if the layout stays.
    pub fn change(&self, index: usize) -> Option<Change> {
        let to = &self.mix.to;
        let Some(from) = &self.from else {
            return guessed(self.channels, to, index);
        };
        if from.sorted() == *to {
            return None;
        }
        if to.holds(from) {
            return Some(held(from, to, index));
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
