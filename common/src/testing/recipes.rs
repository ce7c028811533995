//! Sound recipes of every kind, for property tests. Each structure is written out with all its fields, so that none can
//! be forgotten.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::str::FromStr;

use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::names::location::Location;
use crate::recipe::encoder::Encoder;
use crate::recipe::loss::Kind;
use crate::recipe::preset::Preset;
use crate::recipe::{
    AudioEncoder, AudioOutput, AudioRule, AudioTracks, BitDepth, Captions, Choice, Chroma,
    Companions, Container, Deinterlace, Downmix, EnsuredTrack, Flagged, Hdr, Outputs, Place,
    Quality, QualityTarget, Rate, Recipe, RecipeDraft, Speed, Strength, SubtitleTracks, Subtitles,
    ToneMap, Video, VideoEncode, Watermark,
};

/// Values that are written as one of these texts.
fn text<T: FromStr<Err: Debug> + Clone + Debug + 'static>(
    texts: &'static [&'static str],
) -> impl Strategy<Value = T> {
    select(texts).prop_map(|text| text.parse().expect("a text of the type"))
}

/// None in most cases, so that single fields are seen alone too.
fn rarely<T: Clone + Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    weighted(0.25, value)
}

fn yes() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.2)
}

fn choice() -> impl Strategy<Value = Choice> {
    let catalogue: Vec<Encoder> = Encoder::catalogue().map(|(encoder, _)| encoder).collect();
    prop_oneof![
        select(crate::recipe::encoder::Codec::ALL.as_slice()).prop_map(Choice::Codec),
        select(catalogue.clone()).prop_map(Choice::Encoder),
        select(catalogue).prop_map(|first| {
            let of = first.codec().map(|codec| Encoder::of(codec).collect());
            let all: Vec<Encoder> = of.unwrap_or_default();
            Choice::FirstOf(all.try_into().expect("all of one codec"))
        }),
    ]
}

fn rate() -> impl Strategy<Value = Rate> {
    prop_oneof![
        Just(Rate::Default),
        Just(Rate::Lossless),
        (0.0..63.0).prop_map(Rate::Crf),
        (1_u8..=100).prop_map(|n| Rate::Quality(Quality::try_from(n).expect("in range"))),
        text(&["4M", "2500k", "128001"]).prop_map(Rate::Bitrate),
        text(&["700M", "9800k", "1234567"]).prop_map(Rate::Size),
        (text(&["vmaf=95", "xpsnr=41.5", "ssim=0.98"]), 1_u32..200)
            .prop_map(|(score, max_percent)| Rate::Target(QualityTarget { score, max_percent })),
    ]
}

prop_compose! {
    fn watermark()(
        picture in text::<Location>(&["s3://media/logo.png", "file:///media/a%20logo.png"]),
        place in select(Place::ALL),
        width_percent in rarely(1_u8..=100),
        opacity_percent in 1_u8..=100,
    ) -> Watermark {
        Watermark { picture, place, width_percent, opacity_percent }
    }
}

/// The fields of an encode, in groups: strategies are tuples of few parts.
fn encode() -> impl Strategy<Value = VideoEncode> {
    let rates = (
        choice(),
        rate(),
        rarely(text(&["8M", "1500k"])),
        yes(),
        rarely(text(&["vmaf=90", "ssim=0.9"])),
        rarely(select(Speed::ALL)),
        rarely(text(&["slow", "medium", "p5", "6"])),
    );
    let colours = (
        rarely(select(vec![BitDepth::Eight, BitDepth::Ten])),
        select(Hdr::ALL),
        select(ToneMap::ALL),
        select(vec![Chroma::Keep, Chroma::Yuv420]),
    );
    let restored = (
        text(&["none", "auto", "loose", "2:4:6:8"]),
        select(Deinterlace::ALL),
        yes(),
        rarely(text(&["medium", "nlmeans:light"])),
        rarely(select(Strength::ALL)),
        yes(),
    );
    let shape = (
        rarely(text(&["90", "hflip", "270:hflip"])),
        text(&["keep", "25", "23.976", "peak:30", "half"]),
        rarely(text(&["720p", "1280x-2", "-2x360", "640x360"])),
        yes(),
        rarely(text(&["1920x1080", "16:9"])),
    );
    let further = (
        rarely(text::<Location>(&["s3://media/film.cube"])),
        rarely(watermark()),
        rarely(text(&["forced", "foreign", "2", "eng"])),
        rarely(text(&["hqdn3d", "unsharp,hflip", "eq=contrast=1.1"])),
        prop::collection::vec(text(&["g=240", "bf=2", "x265-params=aq-mode=3"]), 0..3),
    );
    (rates, colours, restored, shape, further).prop_map(
        |(rates, colours, restored, shape, further)| {
            let (with, rate, max_bitrate, two_pass, floor, speed, preset) = rates;
            let (bit_depth, hdr, tone_map, chroma) = colours;
            let (crop, deinterlace, detelecine, denoise, sharpen, deband) = restored;
            let (rotate, frame_rate, scale, scale_up, pad) = shape;
            let (lut, watermark, burn_in, filters, arguments) = further;
            VideoEncode {
                with,
                rate,
                max_bitrate,
                two_pass,
                floor,
                speed,
                preset,
                bit_depth,
                hdr,
                tone_map,
                chroma,
                crop,
                deinterlace,
                detelecine,
                denoise,
                sharpen,
                deband,
                rotate,
                frame_rate,
                scale,
                scale_up,
                pad,
                lut,
                watermark,
                burn_in,
                filters,
                arguments,
            }
        },
    )
}

fn languages() -> impl Strategy<Value = Vec<crate::recipe::Language>> {
    prop::collection::vec(
        text(&["eng", "deu", "pt-br", "original", "any", "und"]),
        0..3,
    )
}

prop_compose! {
    fn audio_encode()(
        encoder in select(AudioEncoder::ALL.as_slice()),
        bitrate in rarely(text(&["128k", "640k"])),
        downmix in rarely(select(Downmix::ALL)),
        loudness in rarely(text(&["-23/7/-2", "-16.5"])),
        title in rarely(Just("Stereo, \"quoted\" = and #more".to_owned())),
    ) -> AudioOutput {
        AudioOutput::Encode { encoder, bitrate, downmix, loudness, title }
    }
}

prop_compose! {
    fn rule()(
        languages in languages(),
        codecs in prop::collection::vec(Just("ac3".to_owned()), 0..2),
        channels in rarely(text(&["2", "6+", "1-2"])),
        commentary in rarely(any::<bool>()),
        title in rarely(Just("*comment*".to_owned())),
        outputs in prop::collection::vec(prop_oneof![Just(AudioOutput::Copy), audio_encode()], 0..3),
    ) -> AudioRule {
        AudioRule { languages, codecs, channels, commentary, title, outputs }
    }
}

prop_compose! {
    fn ensured()(
        encoder in select(AudioEncoder::ALL.as_slice()),
        channels in select(vec![1_u8, 2, 6]),
        bitrate in rarely(text(&["160k"])),
        language in rarely(text(&["eng"])),
    ) -> EnsuredTrack {
        EnsuredTrack { encoder, channels, bitrate, language }
    }
}

prop_compose! {
    fn audio_tracks()(
        languages in languages(),
        rules in prop::collection::vec(rule(), 0..2),
        ensure in prop::collection::vec(ensured(), 0..2),
        downmix in rarely(select(Downmix::ALL)),
        loudness in rarely(text(&["-23/7/-2"])),
    ) -> AudioTracks {
        AudioTracks { languages, rules, ensure, downmix, loudness }
    }
}

prop_compose! {
    fn subtitle_tracks()(
        languages in languages(),
        forced in select(Flagged::ALL),
        sdh in select(Flagged::ALL),
        mark_foreign in yes(),
        external in yes(),
        extract in yes(),
    ) -> SubtitleTracks {
        SubtitleTracks { languages, forced, sdh, mark_foreign, external, extract }
    }
}

prop_compose! {
    fn companions()(
        thumbnails in prop_oneof![3 => Just(0), 1 => 1..=Companions::MOST_THUMBNAILS],
        contact_sheet in yes(),
        sprites in yes(),
        preview in yes(),
    ) -> Companions {
        Companions { thumbnails, contact_sheet, sprites, preview }
    }
}

prop_compose! {
    fn draft()(
        video in prop_oneof![
            4 => encode().prop_map(|encode| Video::Encode(Box::new(encode))),
            1 => Just(Video::Copy),
            1 => Just(Video::None),
        ],
        audio in text(&["copy", "none", "aac:160k", "opus", "flac", "copy,else=ac3:640k"]),
        audio_tracks in audio_tracks(),
        subtitles in select(vec![Subtitles::Keep, Subtitles::None]),
        subtitle_tracks in subtitle_tracks(),
        captions in select(vec![Captions::Keep, Captions::Srt]),
        trim in rarely(text(&["1:30-2:45.5", "10-", "-20", "0.1-0.3"])),
        container in prop_oneof![
            3 => Just(Container::Mkv),
            2 => select(Container::ALL.as_slice()),
        ],
        segment_seconds in rarely(text(&["2", "6"])),
        // Few recipes have any: an output without video can have none.
        companions in prop_oneof![3 => Just(Companions::default()), 1 => companions()],
        refuse_loss in subsequence(Kind::ALL, 0..3),
        strict_input in yes(),
    ) -> RecipeDraft {
        let refuse_loss: BTreeSet<Kind> = refuse_loss.into_iter().collect();
        // Only ladders have segments.
        let segment_seconds = segment_seconds.filter(|_| container == Container::Cmaf);
        RecipeDraft {
            video, audio, audio_tracks, subtitles, subtitle_tracks, captions, trim, container, segment_seconds,
            companions,
            refuse_loss, strict_input,
        }
    }
}

/// Any sound recipe.
pub fn recipes() -> impl Strategy<Value = Recipe> {
    let sound = |draft| Recipe::new(draft).ok();
    draft().prop_filter_map("the recipe breaks a rule", sound)
}

/// Any sound preset: a recipe with a note, a name template and renditions.
pub fn presets() -> impl Strategy<Value = Preset> {
    let renditions = subsequence(vec!["1080p", "720p:3M", "1280x-2", "640x360:900k"], 0..4);
    let name = rarely(text(&[
        "{stem}-{height}p",
        "{codec}/{stem} {bitrate}",
        "{{x}} {stem}",
    ]));
    let note = rarely(text::<String>(&["For \"all\" = # of us", "Für alle 🎬"]));
    (recipes(), note, name, renditions).prop_map(|(recipe, note, name, renditions)| {
        let renditions = renditions
            .iter()
            .map(|text| text.parse().expect("a rendition"));
        let outputs = Outputs {
            name,
            renditions: renditions.collect(),
        };
        let mut preset = Preset::new(recipe, note.as_deref()).expect("a note of one line");
        // Outputs that do not fit the recipe are left out.
        if outputs.check(&preset.recipe, None).is_ok() {
            preset.outputs = outputs;
        }
        preset
    })
}
