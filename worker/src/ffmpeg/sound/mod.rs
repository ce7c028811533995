//! How sound is encoded so that each channel is heard where it was: the layout that is made, and the mix that makes it.

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

/// How one track is encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// What the input says of it; `None` where it says a number of channels only.
    from: Option<Layout>,
    /// Channels of the input.
    channels: u32,
    /// What is mixed into what.
    mix: Mix,
    encoder: AudioEncoder,
    /// Samples a second that are made; `None` where the input does not say its own.
    rate: Option<u32>,
}

impl Sound {
    /// Chooses the layout that keeps the most.
    ///
    /// # Errors
    /// The input's fault where it has channels that no speaker stands for, too many to guess.
    pub fn plan(
        source: &Stream,
        encoder: AudioEncoder,
        container: Container,
    ) -> Result<Self, Failure> {
        let from = Layout::parse(&source.layout)
            .filter(|layout| layout.speakers().len() == source.channels as usize);
        let taken = match &from {
            Some(layout) => layout.clone(),
            // Ambisonics are no speakers: a guess would be wrong.
            None if source.layout.contains("ambisonic") => return Err(unheard(source, encoder)),
            None => Layout::usual(source.channels).ok_or_else(|| unheard(source, encoder))?,
        };
        let mix = kept(encoder, container, &taken)
            .iter()
            .filter_map(|to| Mix::new(&taken, to))
            .min_by_key(Mix::cost)
            .ok_or_else(|| unheard(source, encoder))?;
        Ok(Self {
            from,
            channels: source.channels,
            mix,
            encoder,
            rate: rate(encoder, source.sample_rate),
        })
    }

    /// The layout that is made.
    pub fn layout(&self) -> &Layout {
        &self.mix.to
    }

    /// The filters that make it. They begin with the layout that the input had when it was looked at, and end in a fixed
    /// layout and rate: an input that changes either in the middle goes on.
    pub fn filter(&self) -> String {
        let to = &self.mix.to;
        let mut filters = Vec::new();
        if self.from.is_none() || !self.mix.is_addition() {
            // A layout in an order of its own has to be taken by numbers from the start.
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

    /// The bits per second to ask for: what is told, within what the encoder takes for so many channels.
    pub fn bitrate(&self, told: Bitrate) -> u64 {
        let channels = self.mix.to.speakers().len() as u64;
        let told = told.bits_per_second();
        match self.encoder {
            AudioEncoder::Libopus => told.clamp(500, 256_000 * channels),
            AudioEncoder::Libvorbis => told.min(240_000 * channels),
            AudioEncoder::Ac3 => told.min(640_000),
            AudioEncoder::Eac3 => told.min(6_144_000),
            _ => told,
        }
    }

    /// What becomes of the layout, by the index of the input's stream; `None` where it stays as it is.
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

/// All channels of a layout, each heard where it was, in another.
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

/// Channels that the input says no place of, where they were taken to be; `None` where there is no doubt.
pub fn guessed(channels: u32, to: &Layout, index: usize) -> Option<Change> {
    (channels > 2).then(|| Change {
        to: Some(to.to_string()),
        why: Some("the input does not say where they are: taken as usual".to_owned()),
        ..Change::kept(Kind::Layout, index, format!("{channels} channels"))
    })
}

fn unheard(source: &Stream, encoder: AudioEncoder) -> Failure {
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
