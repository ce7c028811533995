//! Speakers and channel layouts, by ffmpeg's names.

use std::fmt;

macro_rules! speakers {
    ($($speaker:ident = $name:literal,)+) => {
        /// A speaker, by ffmpeg's name. The order is that of the channels in ffmpeg's layouts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Speaker {
            $($speaker,)+
        }

        impl Speaker {
            /// ffmpeg's name, such as `LFE`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$speaker => $name,)+
                }
            }

            fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$speaker),)+
                    _ => None,
                }
            }
        }
    };
}

speakers! {
    Fl = "FL", Fr = "FR", Fc = "FC", Lfe = "LFE", Bl = "BL", Br = "BR", Flc = "FLC", Frc = "FRC", Bc = "BC",
    Sl = "SL", Sr = "SR", Tc = "TC", Tfl = "TFL", Tfc = "TFC", Tfr = "TFR", Tbl = "TBL", Tbc = "TBC", Tbr = "TBR",
    Dl = "DL", Dr = "DR", Wl = "WL", Wr = "WR", Sdl = "SDL", Sdr = "SDR", Lfe2 = "LFE2", Tsl = "TSL", Tsr = "TSR",
    Bfc = "BFC", Bfl = "BFL", Bfr = "BFR", Ssl = "SSL", Ssr = "SSR", Ttl = "TTL", Ttr = "TTR", Bil = "BIL", Bir = "BIR",
}

impl Speaker {
    /// The speaker that replaces this one in layouts of other formats. The surround speakers of 5.1 are at the side
    /// for AC-3 and at the back for AAC. A finished stereo downmix is played left and right.
    pub fn alias(self) -> Option<Self> {
        Some(match self {
            Self::Sl => Self::Bl,
            Self::Sr => Self::Br,
            Self::Bl => Self::Sl,
            Self::Br => Self::Sr,
            Self::Dl => Self::Fl,
            Self::Dr => Self::Fr,
            _ => return None,
        })
    }
}

/// The layouts with names. For a number of channels, ffmpeg takes the first one that fits.
const NAMED: [(&str, &str); 40] = [
    ("mono", "FC"),
    ("stereo", "FL+FR"),
    ("2.1", "FL+FR+LFE"),
    ("3.0", "FL+FR+FC"),
    ("3.0(back)", "FL+FR+BC"),
    ("4.0", "FL+FR+FC+BC"),
    ("quad", "FL+FR+BL+BR"),
    ("quad(side)", "FL+FR+SL+SR"),
    ("3.1", "FL+FR+FC+LFE"),
    ("5.0", "FL+FR+FC+BL+BR"),
    ("5.0(side)", "FL+FR+FC+SL+SR"),
    ("4.1", "FL+FR+FC+LFE+BC"),
    ("5.1", "FL+FR+FC+LFE+BL+BR"),
    ("5.1(side)", "FL+FR+FC+LFE+SL+SR"),
    ("6.0", "FL+FR+FC+BC+SL+SR"),
    ("6.0(front)", "FL+FR+FLC+FRC+SL+SR"),
    ("3.1.2", "FL+FR+FC+LFE+TFL+TFR"),
    ("hexagonal", "FL+FR+FC+BL+BR+BC"),
    ("6.1", "FL+FR+FC+LFE+BC+SL+SR"),
    ("6.1(back)", "FL+FR+FC+LFE+BL+BR+BC"),
    ("6.1(front)", "FL+FR+LFE+FLC+FRC+SL+SR"),
    ("7.0", "FL+FR+FC+BL+BR+SL+SR"),
    ("7.0(front)", "FL+FR+FC+FLC+FRC+SL+SR"),
    ("7.1", "FL+FR+FC+LFE+BL+BR+SL+SR"),
    ("7.1(wide)", "FL+FR+FC+LFE+BL+BR+FLC+FRC"),
    ("7.1(wide-side)", "FL+FR+FC+LFE+FLC+FRC+SL+SR"),
    ("5.1.2", "FL+FR+FC+LFE+SL+SR+TFL+TFR"),
    ("5.1.2(back)", "FL+FR+FC+LFE+BL+BR+TFL+TFR"),
    ("octagonal", "FL+FR+FC+BL+BR+BC+SL+SR"),
    ("cube", "FL+FR+BL+BR+TFL+TFR+TBL+TBR"),
    ("5.1.4", "FL+FR+FC+LFE+SL+SR+TFL+TFR+TBL+TBR"),
    ("7.1.2", "FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR"),
    ("7.1.4", "FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR+TBL+TBR"),
    ("7.2.3", "FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR+TBC+LFE2"),
    ("9.1.4", "FL+FR+FC+LFE+BL+BR+FLC+FRC+SL+SR+TFL+TFR+TBL+TBR"),
    (
        "9.1.6",
        "FL+FR+FC+LFE+BL+BR+FLC+FRC+SL+SR+TFL+TFR+TBL+TBR+TSL+TSR",
    ),
    (
        "hexadecagonal",
        "FL+FR+FC+BL+BR+BC+SL+SR+TFL+TFC+TFR+TBL+TBC+TBR+WL+WR",
    ),
    ("binaural", "BIL+BIR"),
    ("downmix", "DL+DR"),
    (
        "22.2",
        "FL+FR+FC+LFE+BL+BR+FLC+FRC+BC+SL+SR+TC+TFL+TFC+TFR+TBL+TBC+TBR+LFE2+TSL+TSR+BFC+BFL+BFR",
    ),
];

/// The speakers of a track's channels, in the order of the channels. No speaker occurs twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout(Vec<Speaker>);

impl Layout {
    /// Parses ffprobe's text, such as `5.1(side)` or `3 channels (FL+FR+TC)`. `None` if the text names no speakers.
    pub fn parse(text: &str) -> Option<Self> {
        let named = NAMED.iter().find(|(name, _)| *name == text);
        let speakers = match (named, text.split_once(" channels (")) {
            (Some((_, speakers)), _) => speakers,
            (None, Some((_, rest))) => rest.strip_suffix(')')?,
            (None, None) => text,
        };
        let speakers: Vec<Speaker> = speakers
            .split('+')
            .map(Speaker::parse)
            .collect::<Option<_>>()?;
        let layout = Self(speakers);
        let mut sorted = layout.sorted().0;
        sorted.dedup();
        (sorted.len() == layout.0.len()).then_some(layout)
    }

    /// A layout of these speakers, which must all differ.
    pub fn of(speakers: Vec<Speaker>) -> Self {
        Self(speakers)
    }

    /// The layout that ffmpeg assumes if a track has only a number of channels.
    pub fn usual(channels: u32) -> Option<Self> {
        NAMED
            .iter()
            .filter_map(|(name, _)| Self::parse(name))
            .find(|layout| layout.0.len() == channels as usize)
    }

    /// The speakers, in the order of the channels.
    pub fn speakers(&self) -> &[Speaker] {
        &self.0
    }

    /// Whether one of the channels belongs to this speaker.
    pub fn has(&self, speaker: Speaker) -> bool {
        self.0.contains(&speaker)
    }

    /// Whether the channels are in ffmpeg's order.
    pub fn is_sorted(&self) -> bool {
        self.0.is_sorted()
    }

    /// The same speakers in ffmpeg's order.
    pub fn sorted(&self) -> Self {
        let mut speakers = self.0.clone();
        speakers.sort_unstable();
        Self(speakers)
    }

    /// Whether every channel of the other layout has its own speaker in this one. Side and back speakers replace each
    /// other.
    pub fn holds(&self, other: &Self) -> bool {
        other.0.iter().all(|&speaker| {
            let alias = speaker.alias().filter(|&alias| !other.has(alias));
            self.has(speaker) || alias.is_some_and(|alias| self.has(alias))
        })
    }

    /// Whether both layouts have the same speakers. Side and back speakers replace each other.
    pub fn sounds_like(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && (self.holds(other) || other.holds(self))
    }

    /// The names of the speakers, which every version of ffmpeg can read: `FL+FR+LFE`.
    pub fn spelled(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|speaker| speaker.name()).collect();
        names.join("+")
    }
}

/// ffmpeg's name of the layout, or else the names of the speakers.
impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spelled = self.spelled();
        let named = NAMED.iter().find(|(_, speakers)| *speakers == spelled);
        f.pad(named.map_or(&spelled, |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> Layout {
        Layout::parse(text).expect(text)
    }

    #[test]
    fn names_and_lists_of_speakers_are_parsed() {
        for (name, speakers) in NAMED {
            assert_eq!(layout(name), layout(speakers));
            assert_eq!(layout(name).sorted(), layout(name), "{name} is in order");
            assert_eq!(layout(name).to_string(), name);
        }
        let odd = layout("7 channels (FL+FR+FC+LFE+SL+SR+BC)");
        assert_eq!(odd.sorted().to_string(), "6.1");
        for none in [
            "",
            "unknown",
            "6 channels",
            "ambisonic 1",
            "2 channels (FC+FC)",
        ] {
            assert_eq!(Layout::parse(none), None, "{none}");
        }
    }

    #[test]
    fn a_number_of_channels_has_a_usual_layout() {
        let usual = |channels| Layout::usual(channels).map(|layout| layout.to_string());
        assert_eq!(usual(1).as_deref(), Some("mono"));
        assert_eq!(usual(6).as_deref(), Some("5.1"));
        assert_eq!(usual(8).as_deref(), Some("7.1"));
        assert_eq!(usual(11), None);
    }

    #[test]
    fn side_and_back_replace_each_other_if_there_is_one_pair() {
        assert!(layout("5.1(side)").sounds_like(&layout("5.1")));
        assert!(layout("downmix").sounds_like(&layout("stereo")));
        assert!(!layout("7.1").sounds_like(&layout("7.1(wide)")));
        assert!(!layout("4.0").sounds_like(&layout("quad")));
        assert!(layout("6.1").holds(&layout("hexagonal")));
        assert!(!layout("7.1").holds(&layout("4.0")));
    }
}
