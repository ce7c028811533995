//! Converts one channel layout to another.

use std::f64::consts::FRAC_1_SQRT_2;

use crate::ffmpeg::sound::layout::{Layout, Speaker};

/// The mix of input channels for every output channel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mix {
    pub(super) from: Layout,
    pub(super) to: Layout,
    /// For each output channel: the numbers of the input channels, and their gains from 0 to 1.
    pub(super) parts: Vec<Vec<(usize, f64)>>,
}

impl Mix {
    /// `None` if an input channel has no place in the output.
    pub(super) fn new(from: &Layout, to: &Layout) -> Option<Self> {
        let mut parts: Vec<Vec<(usize, f64)>> = vec![Vec::new(); to.speakers().len()];
        for (channel, &speaker) in from.speakers().iter().enumerate() {
            for (place, gain) in places(speaker, from, to)? {
                let at = to.speakers().iter().position(|speaker| *speaker == place)?;
                match parts[at].iter_mut().find(|(of, _)| *of == channel) {
                    Some((_, of)) => *of += gain,
                    None => parts[at].push((channel, gain)),
                }
            }
        }
        let mix = Self {
            from: from.clone(),
            to: to.clone(),
            parts,
        };
        Some(if mix.loudest() > 1.0 {
            mix.loudest_without_clipping()
        } else {
            mix
        })
    }

    /// This mix, and then another one.
    pub(super) fn then(&self, next: &Self) -> Self {
        let parts = next.parts.iter().map(|parts| {
            let mut channels: Vec<(usize, f64)> = Vec::new();
            for (between, gain) in parts {
                for (channel, of) in &self.parts[*between] {
                    match channels.iter_mut().find(|(known, _)| known == channel) {
                        Some((_, sum)) => *sum += of * gain,
                        None => channels.push((*channel, of * gain)),
                    }
                }
            }
            channels.sort_by_key(|(channel, _)| *channel);
            channels
        });
        Self {
            from: self.from.clone(),
            to: next.to.clone(),
            parts: parts.collect(),
        }
    }

    /// The gain of all channels together in the loudest output channel.
    fn loudest(&self) -> f64 {
        let sum = |parts: &Vec<(usize, f64)>| parts.iter().map(|(_, gain)| gain).sum::<f64>();
        self.parts.iter().map(sum).fold(0.0, f64::max)
    }

    /// The same balance at the highest level at which even the loudest input does not clip.
    pub(super) fn loudest_without_clipping(mut self) -> Self {
        let loudest = self.loudest();
        if loudest > 0.0 {
            for (_, gain) in self.parts.iter_mut().flatten() {
                *gain /= loudest;
            }
        }
        self
    }

    /// The losses of this mix, the most important first: pairs of channels that share a speaker, channels that are
    /// spread over several speakers, the number of channels to encode, and channels whose speaker gets another name.
    pub(super) fn cost(&self) -> [usize; 4] {
        let speakers = self.from.speakers();
        let is_in = |parts: &[(usize, f64)], channel| parts.iter().any(|(of, _)| *of == channel);
        let mut shared = 0;
        let mut spread = 0;
        for one in 0..speakers.len() {
            let mut others: Vec<usize> = Vec::new();
            let mut places = 0;
            for parts in self.parts.iter().filter(|parts| is_in(parts, one)) {
                others.extend(parts.iter().map(|(of, _)| *of).filter(|of| *of > one));
                places += 1;
            }
            others.sort_unstable();
            others.dedup();
            shared += others.len();
            spread += usize::from(places > 1);
        }
        let renamed = speakers.iter().filter(|speaker| !self.to.has(**speaker));
        [shared, spread, self.to.speakers().len(), renamed.count()]
    }

    /// Whether every channel stays unchanged, and only silent ones are added. ffmpeg does that without a filter.
    pub(super) fn is_addition(&self) -> bool {
        self.from.is_sorted()
            && self
                .from
                .speakers()
                .iter()
                .all(|speaker| self.to.has(*speaker))
    }

    /// ffmpeg's filter for this mix. Input channels go by number.
    pub(super) fn filter(&self) -> String {
        let parts = self.to.speakers().iter().zip(&self.parts);
        let parts = parts.filter(|(_, parts)| !parts.is_empty());
        let is_whole = |parts: &[(usize, f64)]| matches!(parts, [(_, gain)] if *gain == 1.0);
        // If the speakers have other names, `pan` of ffmpeg 5.1 mixes channels even if the mix only moves them.
        if parts.clone().all(|(_, parts)| is_whole(parts)) {
            let renamed = parts.clone().map(|(speaker, _)| *speaker);
            let layout = Layout::of(renamed.collect());
            let map: Vec<String> = parts
                .flat_map(|(speaker, parts)| parts.iter().map(move |(of, _)| (of, speaker)))
                .map(|(of, speaker)| format!("{of}-{}", speaker.name()))
                .collect();
            return format!(
                "channelmap=map={}:channel_layout={}",
                map.join("|"),
                layout.spelled()
            );
        }
        let channels: Vec<String> = parts
            .map(|(speaker, parts)| {
                let parts: Vec<String> = parts
                    .iter()
                    .map(|(of, gain)| format!("{gain:.6}*c{of}"))
                    .collect();
                format!("{}={}", speaker.name(), parts.join("+"))
            })
            .collect();
        format!("pan={}|{}", self.to.spelled(), channels.join("|"))
    }
}

/// The speakers that play a channel in a layout, with their gains. `None` if no speaker does.
fn places(speaker: Speaker, from: &Layout, to: &Layout) -> Option<Vec<(Speaker, f64)>> {
    if to.has(speaker) {
        return Some(vec![(speaker, 1.0)]);
    }
    if let Some(alias) = speaker.alias().filter(|alias| to.has(*alias)) {
        let gain = if from.has(alias) { FRAC_1_SQRT_2 } else { 1.0 };
        return Some(vec![(alias, gain)]);
    }
    let is_audible =
        |speaker: &Speaker| to.has(*speaker) || speaker.alias().is_some_and(|alias| to.has(alias));
    let nearest = nearest(speaker);
    let (speakers, gain) = nearest
        .iter()
        .find(|(speakers, _)| speakers.iter().all(is_audible))
        // A front channel has no further replacement.
        .or_else(|| nearest.last().filter(|_| speaker > Speaker::Fc))?;
    let mut all = Vec::new();
    for speaker in *speakers {
        let found = places(*speaker, from, to)?;
        all.extend(found.into_iter().map(|(place, of)| (place, of * gain)));
    }
    Some(all)
}

/// The replacements for a missing speaker, best first. Two speakers share the power equally.
fn nearest(speaker: Speaker) -> &'static [(&'static [Speaker], f64)] {
    use Speaker::*;
    match speaker {
        Fl | Fr => &[(&[Fc], FRAC_1_SQRT_2)],
        Fc => &[(&[Fl, Fr], FRAC_1_SQRT_2)],
        Lfe => &[(&[Fl, Fr], 0.5), (&[Fc], FRAC_1_SQRT_2)],
        Lfe2 => &[(&[Lfe], FRAC_1_SQRT_2)],
        Bl | Sl => &[(&[Bc], FRAC_1_SQRT_2), (&[Fl], FRAC_1_SQRT_2)],
        Br | Sr => &[(&[Bc], FRAC_1_SQRT_2), (&[Fr], FRAC_1_SQRT_2)],
        Bc => &[
            (&[Bl, Br], FRAC_1_SQRT_2),
            (&[Sl, Sr], FRAC_1_SQRT_2),
            (&[Fl, Fr], 0.5),
        ],
        Dl | Bil => &[(&[Fl], 1.0)],
        Dr | Bir => &[(&[Fr], 1.0)],
        Flc | Tfl | Wl | Bfl => &[(&[Fl], FRAC_1_SQRT_2)],
        Frc | Tfr | Wr | Bfr => &[(&[Fr], FRAC_1_SQRT_2)],
        Tfc | Bfc => &[(&[Fc], FRAC_1_SQRT_2)],
        Tc => &[(&[Fl, Fr], 0.5)],
        Tbl | Ttl => &[(&[Bl], FRAC_1_SQRT_2)],
        Tbr | Ttr => &[(&[Br], FRAC_1_SQRT_2)],
        Tbc => &[(&[Bc], FRAC_1_SQRT_2)],
        Sdl | Ssl | Tsl => &[(&[Sl], FRAC_1_SQRT_2)],
        Sdr | Ssr | Tsr => &[(&[Sr], FRAC_1_SQRT_2)],
    }
}
