//! How sound is encoded so that each channel is heard where it was: the layout that is made, and the mix that makes it.

pub mod layout;

use std::f64::consts::FRAC_1_SQRT_2;

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::{AudioEncoder, Bitrate, Container};

use crate::ffmpeg::probe::media::{Media, Stream};
use crate::ffmpeg::probe::times::is_cut;
use crate::ffmpeg::sound::layout::{Layout, Speaker};

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

/// Whether a track can be kept as it is: the container holds its codec, says where its channels are, and what is not to
/// be heard.
pub fn can_copy(source: &Stream, container: Container) -> bool {
    container.holds_audio(&source.codec)
        && places_channels(source, container)
        && !is_cut(source, container)
}

/// FLAC in MP4 and PCM in Matroska say a number of channels only; their places are those of the usual layout.
fn places_channels(source: &Stream, container: Container) -> bool {
    let Some(layout) = Layout::parse(&source.layout) else {
        return true;
    };
    if container == Container::Mp4 && source.codec == "flac" {
        let mut held = FLAC.iter().filter_map(|name| Layout::parse(name));
        return held.any(|held| held.sounds_like(&layout));
    }
    if container == Container::Mkv && source.codec.starts_with("pcm_") {
        let usual = Layout::usual(source.channels);
        return usual.is_some_and(|usual| usual.sounds_like(&layout));
    }
    true
}

/// The bitstream filter for sound that is kept as it is.
///
/// Broadcasts carry AAC with a header before each frame. The muxer would take it off, but gives up on the first one
/// that is damaged; a filter of its own leaves that packet out.
pub(super) fn filter_of_copy(source: &Stream, media: &Media) -> Option<&'static str> {
    let has_headers = matches!(media.format.as_str(), "mpegts" | "mpeg" | "aac" | "avi");
    (source.codec == "aac" && has_headers).then_some("aac_adtstoasc")
}

/// Why a track cannot be kept as it is, for people.
pub fn why_not(source: &Stream, container: Container) -> String {
    let codec = &source.codec;
    if is_cut(source, container) {
        format!(
            "{container} would let the first {:.1} s be heard, which an edit list hides",
            source.hidden
        )
    } else if container.holds_audio(codec) {
        format!("{container} holds no {codec} of layout {}", source.layout)
    } else {
        format!("{container} holds no {codec}")
    }
}

/// What encodes a track that was to be kept where Matroska, too, would not keep it: no other container is a way out then.
/// Without loss where it had none and the container holds FLAC.
pub fn stand_in(source: &Stream, container: Container) -> Option<AudioEncoder> {
    if can_copy(source, Container::Mkv) {
        return None;
    }
    let same = AudioEncoder::ALL
        .into_iter()
        .find(|encoder| encoder.codec() == source.codec);
    Some(match container {
        Container::Webm => AudioEncoder::Libopus,
        Container::Mkv | Container::Mp4 if is_lossless(&source.codec) => AudioEncoder::Flac,
        _ => same
            .filter(|encoder| container.holds_audio(encoder.codec()))
            .unwrap_or(AudioEncoder::Aac),
    })
}

/// Whether a track can be neither kept nor encoded: ffmpeg knows its codec, but has no decoder of it.
pub fn is_opaque(source: &Stream, container: Container) -> bool {
    let decoded = !matches!(source.codec.as_str(), "ac4" | "mpegh_3d_audio" | "lc3");
    !decoded && !can_copy(source, container)
}

fn is_lossless(codec: &str) -> bool {
    let pcm = codec.starts_with("pcm_") && !matches!(codec, "pcm_alaw" | "pcm_mulaw" | "pcm_vidc");
    let others = [
        "alac",
        "ape",
        "flac",
        "mlp",
        "mp4als",
        "osq",
        "s302m",
        "shorten",
        "tak",
        "truehd",
        "tta",
        "wavpack",
        "wmalossless",
    ];
    pcm || codec.starts_with("dsd_") || others.contains(&codec)
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

/// Layouts that decoders agree on: those of MPEG-4's channel configurations. Others are written by ffmpeg in a form that
/// many players, and ffmpeg 5.1 itself, cannot place.
const AAC: &[&str] = &["mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"];
/// The layouts of the Vorbis specification.
const VORBIS: &[&str] = &["mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"];
/// Opus shares them, but ffmpeg mixes up the channels of 5.0 and 6.1 as it writes them.
const OPUS: &[&str] = &["mono", "stereo", "3.0", "quad", "5.1", "7.1"];
/// The coding modes of ATSC A/52, each with and without LFE, by the names that decoders give.
const AC3: &[&str] = &[
    "mono",
    "stereo",
    "2.1",
    "3.0",
    "3.0(back)",
    "3.1",
    "4.0",
    "4.1",
    "quad(side)",
    "5.0(side)",
    "5.1(side)",
];
/// The layouts that FLAC means by a number of channels.
const FLAC: &[&str] = &[
    "mono",
    "stereo",
    "3.0",
    "quad",
    "5.0(side)",
    "5.1(side)",
    "6.1",
    "7.1",
];
const MP3: &[&str] = &["mono", "stereo"];

/// The layouts that an encoder keeps in every container, the greatest last.
fn names(encoder: AudioEncoder) -> &'static [&'static str] {
    match encoder {
        AudioEncoder::Aac | AudioEncoder::LibfdkAac => AAC,
        AudioEncoder::Libmp3lame => MP3,
        AudioEncoder::Libopus => OPUS,
        AudioEncoder::Libvorbis => VORBIS,
        AudioEncoder::Flac => FLAC,
        AudioEncoder::Ac3 | AudioEncoder::Eac3 => AC3,
    }
}

/// The layouts of which an encoder keeps every channel in its place, in this container.
fn kept(encoder: AudioEncoder, container: Container, taken: &Layout) -> Vec<Layout> {
    let named = names(encoder).iter().filter_map(|name| Layout::parse(name));
    // Matroska keeps FLAC's tag of speakers, one bit for each of the first 18; MP4 has no place for it.
    let masked = Some(taken.sorted()).filter(|layout| {
        let speakers = layout.speakers();
        encoder == AudioEncoder::Flac
            && container == Container::Mkv
            && speakers.len() <= 8
            && speakers.iter().all(|speaker| *speaker <= Speaker::Tbr)
    });
    masked.into_iter().chain(named).collect()
}

/// Samples a second that an encoder makes of so many: as many where it can, else the next more, else its most.
fn rate(encoder: AudioEncoder, source: u32) -> Option<u32> {
    const MPEG: &[u32] = &[
        8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000,
    ];
    let rates = match encoder {
        AudioEncoder::Aac | AudioEncoder::LibfdkAac => MPEG,
        AudioEncoder::Libmp3lame => &MPEG[..9],
        AudioEncoder::Ac3 | AudioEncoder::Eac3 => &MPEG[6..9],
        AudioEncoder::Libopus => &[48000],
        AudioEncoder::Libvorbis => return (source > 0).then(|| source.min(192_000)),
        AudioEncoder::Flac => return (source > 0).then_some(source),
    };
    let fits = || rates.iter().find(|rate| **rate >= source);
    (source > 0).then(|| fits().or(rates.last()).copied())?
}

/// What each channel of an output is made of.
#[derive(Clone, Debug, PartialEq)]
struct Mix {
    from: Layout,
    to: Layout,
    /// For each channel that is made: channels of the input and how loud they are in it, from 0 to 1.
    parts: Vec<Vec<(usize, f64)>>,
}

impl Mix {
    /// `None` where a channel has no place in it.
    fn new(from: &Layout, to: &Layout) -> Option<Self> {
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
        // The loudest input must not clip; all channels are turned down alike, so that their balance stays.
        let sum = |parts: &Vec<(usize, f64)>| parts.iter().map(|(_, gain)| gain).sum::<f64>();
        let loudest = parts.iter().map(sum).fold(1.0, f64::max);
        for (_, gain) in parts.iter_mut().flatten() {
            *gain /= loudest;
        }
        Some(Self {
            from: from.clone(),
            to: to.clone(),
            parts,
        })
    }

    /// What it loses, most important first: pairs of channels that can no longer be told apart, channels that are heard
    /// from two speakers, channels to code, names that change.
    fn cost(&self) -> [usize; 4] {
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

    /// Whether all channels stay as they are, and silent ones come to them at most: what ffmpeg does by itself.
    fn is_addition(&self) -> bool {
        self.from.is_sorted()
            && self
                .from
                .speakers()
                .iter()
                .all(|speaker| self.to.has(*speaker))
    }

    /// ffmpeg's filter for it; the input's channels by number.
    fn filter(&self) -> String {
        let parts = self.to.speakers().iter().zip(&self.parts);
        let parts = parts.filter(|(_, parts)| !parts.is_empty());
        let is_whole = |parts: &[(usize, f64)]| matches!(parts, [(_, gain)] if *gain == 1.0);
        // Where nothing is mixed, `pan` of ffmpeg 5.1 mixes nevertheless if the speakers have other names.
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

/// Where a channel is heard in a layout, and how loud; `None` where nowhere.
fn places(speaker: Speaker, from: &Layout, to: &Layout) -> Option<Vec<(Speaker, f64)>> {
    if to.has(speaker) {
        return Some(vec![(speaker, 1.0)]);
    }
    if let Some(alias) = speaker.alias().filter(|alias| to.has(*alias)) {
        let gain = if from.has(alias) { FRAC_1_SQRT_2 } else { 1.0 };
        return Some(vec![(alias, gain)]);
    }
    let heard =
        |speaker: &Speaker| to.has(*speaker) || speaker.alias().is_some_and(|alias| to.has(alias));
    let nearest = nearest(speaker);
    let (speakers, gain) = nearest
        .iter()
        .find(|(speakers, _)| speakers.iter().all(heard))
        // What stands at the front has no place further on.
        .or_else(|| nearest.last().filter(|_| speaker > Speaker::Fc))?;
    let mut all = Vec::new();
    for speaker in *speakers {
        let found = places(*speaker, from, to)?;
        all.extend(found.into_iter().map(|(place, of)| (place, of * gain)));
    }
    Some(all)
}

/// The speakers nearest to one that is missing, best first; of equal power where there are two.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn track(layout: &str, channels: u32) -> Stream {
        Stream {
            index: 1,
            layout: layout.to_owned(),
            channels,
            sample_rate: 48_000,
            ..Stream::default()
        }
    }

    fn plan(layout: &str, encoder: AudioEncoder, container: Container) -> Sound {
        let channels = Layout::parse(layout).expect(layout).speakers().len();
        Sound::plan(&track(layout, channels as u32), encoder, container).expect(layout)
    }

    fn told(layout: &str, encoder: AudioEncoder) -> String {
        let change = plan(layout, encoder, Container::Mkv).change(1);
        change.map_or_else(String::new, |change| change.to_string())
    }

    /// The table in the docs: what each encoder makes of each layout. `=` stands for the same.
    #[test]
    fn the_documented_layouts_are_made() {
        let text = include_str!("../../../../docs/MEDIA.md");
        let (_, table) = text.split_once("| layout of the input |").expect("a table");
        let columns = [
            (AudioEncoder::Aac, Container::Mkv),
            (AudioEncoder::Libopus, Container::Mkv),
            (AudioEncoder::Libvorbis, Container::Mkv),
            (AudioEncoder::Ac3, Container::Mkv),
            (AudioEncoder::Flac, Container::Mkv),
            (AudioEncoder::Flac, Container::Mp4),
            (AudioEncoder::Libmp3lame, Container::Mkv),
        ];
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let mut count = 0;
        for row in rows {
            let mut cells = row.trim_matches('|').split('|').map(str::trim);
            let layout = cells.next().expect("a layout");
            for ((encoder, container), documented) in columns.iter().zip(cells) {
                let sound = plan(layout, *encoder, *container);
                let mut made = sound.layout().to_string();
                if made == layout {
                    made = "=".to_owned();
                }
                let is_mixed = sound.mix.cost()[..2] != [0, 0];
                assert_eq!(
                    made + if is_mixed { "*" } else { "" },
                    documented,
                    "{layout} by {}",
                    encoder.name()
                );
            }
            count += 1;
        }
        assert_eq!(count, 27);
    }

    #[test]
    fn what_becomes_of_channels_is_told() {
        assert_eq!(told("5.1", AudioEncoder::Aac), "");
        assert_eq!(
            told("5.1(side)", AudioEncoder::Aac),
            "kept: layout of track 1 (5.1(side)) as 5.1: the same speakers by another name"
        );
        assert_eq!(
            told("7.1", AudioEncoder::Ac3),
            "converted: layout of track 1 (7.1) to 5.1(side): ac3 holds at most 5.1(side)"
        );
        assert_eq!(
            told("4.0", AudioEncoder::Libvorbis),
            "kept: layout of track 1 (4.0) as 6.1: all its speakers, and silent ones"
        );
        let unknown = Sound::plan(&track("", 6), AudioEncoder::Aac, Container::Mp4).expect("6");
        let change = unknown.change(1).expect("a guess is told").to_string();
        assert!(change.contains("(6 channels) as 5.1"), "{change}");
    }

    #[test]
    fn nothing_is_mixed_louder_than_it_may_be_and_nothing_is_left_out() {
        for layout in [
            "22.2",
            "hexadecagonal",
            "7.1.4",
            "7.2.3",
            "9.1.6",
            "cube",
            "binaural",
        ] {
            let from = Layout::parse(layout).expect(layout);
            for encoder in AudioEncoder::ALL {
                let mix = plan(layout, encoder, Container::Mp4).mix;
                for channel in 0..from.speakers().len() {
                    let heard = mix
                        .parts
                        .iter()
                        .flatten()
                        .any(|(of, gain)| *of == channel && *gain > 0.01);
                    assert!(heard, "channel {channel} of {layout} by {}", encoder.name());
                }
                for parts in &mix.parts {
                    let sum: f64 = parts.iter().map(|(_, gain)| gain).sum();
                    assert!(sum < 1.0 + 1e-9, "{layout}: {parts:?}");
                }
            }
        }
    }

    #[test]
    fn channels_of_no_known_place_are_refused_with_a_way_out() {
        for (layout, channels) in [("", 11), ("ambisonic 1", 4)] {
            let failure = Sound::plan(&track(layout, channels), AudioEncoder::Aac, Container::Mp4);
            let failure = failure.expect_err(layout);
            assert!(failure.message.contains("--audio copy"), "{failure}");
        }
    }

    #[test]
    fn rates_and_bitrates_are_what_the_encoder_takes() {
        assert_eq!(rate(AudioEncoder::Ac3, 96_000), Some(48_000));
        assert_eq!(rate(AudioEncoder::Libmp3lame, 37_800), Some(44_100));
        assert_eq!(rate(AudioEncoder::Flac, 192_000), Some(192_000));
        assert_eq!(rate(AudioEncoder::Aac, 0), None);
        let mono = plan("mono", AudioEncoder::Libopus, Container::Mkv);
        assert_eq!(mono.bitrate("512k".parse().expect("a rate")), 256_000);
    }
}
