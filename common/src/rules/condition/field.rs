//! The fields of a condition: what can be asked about a file.

use crate::names::similar::most_similar;
use crate::rules::condition::unit::Unit;
use crate::rules::condition::words::{AUDIO, CONTAINERS, HDR, SUBTITLES, VIDEO, Vocabulary};

/// What a field can be compared with.
pub(super) enum Kind {
    /// Yes or no.
    Flag,
    Number(Unit),
    Word(&'static Vocabulary),
    /// A tag of a language.
    Language,
    /// A text: a name or a path.
    Text,
}

/// How many values a file has for a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    One,
    /// One, or none if the file does not have it.
    AtMostOne,
    /// One for each track.
    Any,
}

/// Makes the enum of all fields, with the names that people type and what they mean.
macro_rules! fields {
    ($($field:ident $name:literal $(| $alias:literal)*, $kind:expr, $count:ident, $meaning:literal;)+) => {
        /// A field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(super) enum Field {
            $($field),+
        }

        impl Field {
            pub(super) const ALL: &[Self] = &[$(Self::$field),+];

            /// The name as a condition is shown.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name),+
                }
            }

            /// Other names.
            pub(super) fn aliases(self) -> &'static [&'static str] {
                match self {
                    $(Self::$field => &[$($alias),*]),+
                }
            }

            pub(super) fn kind(self) -> Kind {
                match self {
                    $(Self::$field => $kind),+
                }
            }

            pub(super) fn count(self) -> Count {
                match self {
                    $(Self::$field => Count::$count),+
                }
            }

            /// What the field is, for people.
            pub(super) fn meaning(self) -> &'static str {
                match self {
                    $(Self::$field => $meaning),+
                }
            }
        }
    };
}

fields! {
    VideoCodec "video.codec" | "codec", Kind::Word(&VIDEO), AtMostOne, "codec of the video";
    Width "width" | "video.width", Kind::Number(Unit::Pixels), AtMostOne, "width of the video as shown, in pixels";
    Height "height" | "video.height", Kind::Number(Unit::Pixels), AtMostOne, "height of the video as shown, in pixels";
    VideoBitrate "video.bitrate", Kind::Number(Unit::Bitrate), AtMostOne, "bitrate of the video";
    Bitrate "bitrate", Kind::Number(Unit::Bitrate), AtMostOne, "bitrate of the whole file: its size by its duration";
    Fps "fps" | "video.fps", Kind::Number(Unit::Fps), AtMostOne, "mean frames per second";
    Depth "depth" | "video.depth", Kind::Number(Unit::Bits), AtMostOne, "bits per sample of the video";
    Hdr "hdr", Kind::Flag, One, "whether the video has a high dynamic range, of any kind";
    HdrKind "video.hdr", Kind::Word(&HDR), Any, "kinds of HDR that the video has";
    Interlaced "interlaced" | "video.interlaced", Kind::Flag, One, "whether the first frames are interlaced";
    Size "size", Kind::Number(Unit::Size), One, "size of the file";
    Duration "duration", Kind::Number(Unit::Duration), AtMostOne, "length of the film";
    Container "container" | "format", Kind::Word(&CONTAINERS), AtMostOne, "container of the file";
    AudioCodec "audio.codec", Kind::Word(&AUDIO), Any, "codec of each audio track";
    AudioChannels "audio.channels", Kind::Number(Unit::Count), Any, "channels of each audio track";
    AudioLanguage "audio.language", Kind::Language, Any, "language of each audio track";
    AudioTracks "audio.tracks", Kind::Number(Unit::Count), One, "how many audio tracks there are";
    SubtitleCodec "subtitle.codec", Kind::Word(&SUBTITLES), Any, "format of each subtitle track";
    SubtitleLanguage "subtitle.language", Kind::Language, Any, "language of each subtitle track";
    SubtitleTracks "subtitle.tracks", Kind::Number(Unit::Count), One, "how many subtitle tracks there are";
    Name "name", Kind::Text, One, "name of the file, without its folder";
    Path "path", Kind::Text, One, "path of the file, or its key in a bucket";
    Age "age", Kind::Number(Unit::Age), AtMostOne, "time since the last change of the file";
    HardLinks "hard_links", Kind::Number(Unit::Count), AtMostOne, "names that the file has on its disk";
}

impl Field {
    /// The field of a name, in any case.
    pub(super) fn find(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let mut fields = Self::ALL.iter();
        fields
            .find(|field| field.name() == name || field.aliases().contains(&name.as_str()))
            .copied()
    }

    /// The name of a field that may have been meant.
    pub(super) fn similar(name: &str) -> Option<&'static str> {
        let names = Self::ALL.iter();
        let names: Vec<_> = names
            .flat_map(|field| {
                [field.name()]
                    .into_iter()
                    .chain(field.aliases().iter().copied())
            })
            .collect();
        let plain = name.to_ascii_lowercase().replace('-', "_");
        let last = names.iter().find(|known| {
            let mut parts = known.rsplit('.');
            parts.next() == Some(plain.as_str())
        });
        most_similar(&plain, &names).or(last.copied())
    }

    /// A comparison of the field, for people.
    pub(super) fn example(self) -> String {
        let name = self.name();
        match self.kind() {
            Kind::Flag => name.to_owned(),
            Kind::Number(Unit::Count) => format!("{name} = 2"),
            Kind::Number(unit) => format!("{name} <= {}", unit.example()),
            Kind::Word(vocabulary) => format!("{name} = {}", vocabulary.first()),
            Kind::Language => format!("{name} = eng"),
            Kind::Text => format!("{name} like '*.ts'"),
        }
    }
}
