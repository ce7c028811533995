//! The rules of ladders for HLS and DASH.

use crate::recipe::arguments::Argument;
use crate::recipe::container::Container;
use crate::recipe::draft::RecipeDraft;
use crate::recipe::encoder::Encoder;
use crate::recipe::ladder_error::LadderError;
use crate::recipe::rate::Rate;
use crate::recipe::segment::Segment;

/// Options of ffmpeg, and keys in encoders' own lists, that move keyframes or make segments depend on each other.
const MOVING: &[&str] = &[
    "g",
    "keyint_min",
    "sc_threshold",
    "forced-idr",
    "tag",
    "keyint",
    "min-keyint",
    "scenecut",
    "no-scenecut",
    "hist-scenecut",
    "intra-refresh",
    "open-gop",
    "no-open-gop",
    "bluray-compat",
    "radl",
    "scd",
    "irefresh-type",
    "enable-open-gop",
    "kf-max-dist",
    "kf-min-dist",
    "kf-mode",
    "key-frame-interval",
    "min-key-frame-interval",
    "force-key-frames",
    "force-idr",
    "intraperiod",
    "refreshtype",
];

impl RecipeDraft {
    /// The length of a ladder's segments; `None` if the output is no rendition of a ladder.
    pub fn segment(&self) -> Option<Segment> {
        let is_ladder = self.container == Container::Cmaf;
        is_ladder.then(|| self.segment_seconds.unwrap_or_default())
    }

    /// Refuses ladders that cannot be, and segments of an output that has none.
    pub(super) fn check_ladder(&self) -> Result<(), LadderError> {
        if self.container != Container::Cmaf {
            return match self.segment_seconds {
                Some(segment) => Err(LadderError::Segment(segment)),
                None => Ok(()),
            };
        }
        let Some(video) = self.video_encode() else {
            return Err(LadderError::NoEncode);
        };
        let mut named = video.with.encoders().iter();
        if let Some(encoder) = named.find(|encoder| !sets_keyframes(encoder)) {
            let encoder = encoder.clone();
            return Err(LadderError::Encoder { encoder });
        }
        let is_bitrate = matches!(video.rate, Rate::Bitrate(_) | Rate::Size(_));
        let svt = |encoder: &&Encoder| encoder.as_str() == "libsvtav1";
        if is_bitrate && video.with.encoders().iter().any(|encoder| svt(&encoder)) {
            return Err(LadderError::Bitrate);
        }
        match video
            .arguments
            .iter()
            .find(|argument| moves_keyframes(argument))
        {
            Some(argument) => Err(LadderError::Argument {
                argument: argument.to_string(),
            }),
            None => Ok(()),
        }
    }
}

/// Whether the encoder is known to set keyframes where it is told to, and its codec is known.
fn sets_keyframes(encoder: &Encoder) -> bool {
    let ignores_orders = matches!(encoder.as_str(), "librav1e" | "libkvazaar" | "h264_omx");
    encoder.codec().is_some() && !ignores_orders
}

fn moves_keyframes(argument: &Argument) -> bool {
    let keys = argument.value().split(':');
    let keys = keys.map(|pair| pair.split('=').next().unwrap_or(pair));
    keys.chain([argument.option()])
        .map(|key| key.to_ascii_lowercase())
        .any(|key| {
            MOVING.contains(&key.as_str()) || MOVING.contains(&key.replace('_', "-").as_str())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Choice, Recipe, Video, VideoEncode};

    fn refusal(encoder: &str, change: impl FnOnce(&mut RecipeDraft)) -> String {
        let with = Choice::Encoder(encoder.parse().expect("a name"));
        let mut draft = RecipeDraft::new(Video::Encode(Box::new(VideoEncode::new(with))));
        draft.container = Container::Cmaf;
        change(&mut draft);
        Recipe::new(draft).map_or_else(|error| error.to_string(), |_| String::new())
    }

    fn with(argument: &str) -> impl FnOnce(&mut RecipeDraft) {
        let argument = argument.parse().expect("allowed");
        move |draft| {
            if let Video::Encode(encode) = &mut draft.video {
                encode.arguments.push(argument);
            }
        }
    }

    #[test]
    fn a_ladder_has_keyframes_of_its_own() {
        for encoder in ["libx264", "libx265", "libsvtav1", "hevc_nvenc"] {
            assert_eq!(refusal(encoder, |_| {}), "");
        }
        for fine in ["bf=2", "x264-params=me=umh:subme=7", "tune=film"] {
            assert_eq!(refusal("libx264", with(fine)), "", "{fine}");
        }
        for moving in [
            "g=240",
            "sc_threshold=40",
            "x264-params=subme=7:keyint=240",
            "x264-params=open_gop=1",
            "svtav1-params=scd=1",
        ] {
            let refused = refusal("libx264", with(moving));
            assert!(refused.contains(moving), "{refused}");
        }
    }

    #[test]
    fn a_ladder_that_cannot_be_is_refused_with_a_way_out() {
        let copied = refusal("libx264", |draft| draft.video = Video::Copy);
        assert!(copied.contains("name an --encoder"), "{copied}");
        let none = refusal("libx264", |draft| draft.video = Video::None);
        assert!(none.contains("name an --encoder"), "{none}");
        let unknown = refusal("my_own", |_| {});
        assert!(unknown.contains("my_own is not known"), "{unknown}");
        let refused = refusal("librav1e", |_| {});
        assert!(
            refused.contains("use libx264, libx265 or libsvtav1"),
            "{refused}"
        );
        let bitrate = refusal("libsvtav1", |draft| {
            if let Video::Encode(encode) = &mut draft.video {
                encode.rate = Rate::Bitrate("2M".parse().expect("a bitrate"));
            }
        });
        assert!(bitrate.contains("--max-bitrate"), "{bitrate}");
        let prores = refusal("prores_ks", |_| {});
        assert!(prores.contains("cmaf cannot hold prores"), "{prores}");
        let mkv = refusal("libx264", |draft| {
            draft.container = Container::Mkv;
            draft.segment_seconds = Some(Segment::default());
        });
        assert!(mkv.contains("give --container cmaf"), "{mkv}");
    }
}
