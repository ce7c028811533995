//! A recipe in one line, for listings.

use std::fmt;

use crate::recipe::{
    Audio, AudioEncoder, AudioTracks, Bitrate, Captions, Chroma, Companions, Crop, Deinterlace,
    EnsuredTrack, Flagged, FrameRate, Hdr, Language, QualityTarget, Rate, Recipe, Size,
    SubtitleTracks, Subtitles, ToneMap, Trim, Video, VideoEncode, Watermark,
};

/// `any hevc encoder, quality 65, 10 bits, mkv`: all that differs from the defaults, with the encoder first and the
/// container last.
impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = match &self.video {
            Video::Encode(encode) => video(encode),
            Video::Copy => vec!["video as it is".to_owned()],
            Video::None => vec!["no video".to_owned()],
        };
        match &self.audio {
            Audio::Copy => {}
            Audio::None => words.push("no audio".to_owned()),
            Audio::Encode { encoder, bitrate } => words.push(sound(*encoder, *bitrate)),
            Audio::CopyElse { encoder, bitrate } => {
                words.push(format!("audio copied, else {}", sound(*encoder, *bitrate)));
            }
        }
        words.extend(audio_tracks(&self.audio_tracks));
        if self.subtitles == Subtitles::None {
            words.push("no subtitles".to_owned());
        }
        words.extend(subtitle_tracks(&self.subtitle_tracks));
        if self.captions == Captions::Srt {
            words.push("captions as subtitles".to_owned());
        }
        words.extend(self.trim.map(part));
        words.extend(companions(self.companions));
        words.push(self.container.to_string());
        words.extend(
            self.segment_seconds
                .map(|segment| format!("segments of {segment}")),
        );
        if !self.refuse_loss.is_empty() {
            let kinds: Vec<&str> = self.refuse_loss.iter().map(|kind| kind.name()).collect();
            words.push(format!("no loss of {}", kinds.join(" or ")));
        }
        if self.strict_input {
            words.push("undamaged inputs only".to_owned());
        }
        f.pad(&words.join(", "))
    }
}

fn sound(encoder: AudioEncoder, bitrate: Option<Bitrate>) -> String {
    match bitrate {
        Some(bitrate) => format!("{} {}", encoder.name(), bits(bitrate)),
        None => encoder.name().to_owned(),
    }
}

fn companions(companions: Companions) -> Vec<String> {
    let Companions {
        thumbnails,
        contact_sheet,
        sprites,
        preview,
    } = companions;
    let thumbnails = match thumbnails {
        0 => None,
        1 => Some("1 thumbnail".to_owned()),
        many => Some(format!("{many} thumbnails")),
    };
    let words = [
        thumbnails,
        contact_sheet.then(|| "contact sheet".to_owned()),
        sprites.then(|| "sprites".to_owned()),
        preview.then(|| "preview".to_owned()),
    ];
    words.into_iter().flatten().collect()
}

fn languages(languages: &[Language]) -> Option<String> {
    let names: Vec<&str> = languages.iter().map(Language::as_str).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

fn audio_tracks(tracks: &AudioTracks) -> Vec<String> {
    let AudioTracks {
        languages: wanted,
        rules,
        ensure,
        downmix,
        loudness,
    } = tracks;
    let rules = match rules.len() {
        0 => None,
        1 => Some("1 audio rule".to_owned()),
        many => Some(format!("{many} audio rules")),
    };
    let ensured = ensure.iter().map(ensured);
    languages(wanted)
        .map(|names| format!("audio in {names}"))
        .into_iter()
        .chain(rules)
        .chain(ensured)
        .chain(downmix.map(|downmix| format!("downmix {downmix}")))
        .chain(loudness.map(|loudness| format!("loudness {loudness}")))
        .collect()
}

/// `with aac 160 kbit/s of 2 channels in eng`.
fn ensured(track: &EnsuredTrack) -> String {
    let channels = match track.channels {
        1 => "1 channel".to_owned(),
        many => format!("{many} channels"),
    };
    let made = sound(track.encoder, track.bitrate);
    let language = track.language.as_ref();
    let language = language.map(|language| format!(" in {language}"));
    format!("with {made} of {channels}{}", language.unwrap_or_default())
}

fn subtitle_tracks(tracks: &SubtitleTracks) -> Vec<String> {
    let flagged = |what: &str, choice| match choice {
        Flagged::Keep => None,
        Flagged::Drop => Some(format!("no {what} subtitles")),
        Flagged::Only => Some(format!("{what} subtitles only")),
    };
    languages(&tracks.languages)
        .map(|names| format!("subtitles in {names}"))
        .into_iter()
        .chain(flagged("forced", tracks.forced))
        .chain(flagged("SDH", tracks.sdh))
        .chain(
            tracks
                .mark_foreign
                .then(|| "foreign subtitles marked".to_owned()),
        )
        .chain(tracks.external.then(|| "external subtitles".to_owned()))
        .chain(tracks.extract.then(|| "subtitles as files".to_owned()))
        .collect()
}

fn video(encode: &VideoEncode) -> Vec<String> {
    let speed = encode.speed.filter(|_| encode.preset.is_none());
    let words = [
        Some(encode.with.to_string()),
        rate(encode),
        encode
            .max_bitrate
            .map(|most| format!("at most {}", bits(most))),
        encode.two_pass.then(|| "two passes".to_owned()),
        encode.floor.map(|floor| format!("at least {floor}")),
        speed.map(|speed| format!("speed {speed}")),
        encode
            .preset
            .as_ref()
            .map(|preset| format!("preset {preset}")),
        encode
            .bit_depth
            .map(|depth| format!("{} bits", u8::from(depth))),
        (encode.chroma == Chroma::Yuv420).then(|| "4:2:0".to_owned()),
        dynamic_range(encode),
    ];
    let arguments = encode.arguments.iter().map(ToString::to_string);
    words
        .into_iter()
        .flatten()
        .chain(picture(encode))
        .chain(encode.filters.as_ref().map(ToString::to_string))
        .chain(arguments)
        .collect()
}

fn rate(encode: &VideoEncode) -> Option<String> {
    match encode.rate {
        Rate::Default => None,
        Rate::Crf(value) => Some(format!("CRF {value}")),
        Rate::Quality(quality) => Some(format!("quality {}", u8::from(quality))),
        Rate::Bitrate(bitrate) => Some(bits(bitrate)),
        Rate::Size(size) => Some(bytes(size)),
        Rate::Lossless => Some("lossless".to_owned()),
        Rate::Target(target) => Some(match target.max_percent {
            QualityTarget::MAX_PERCENT => format!("target {}", target.score),
            most => format!("target {} with at most {most} % of the bytes", target.score),
        }),
    }
}

/// `4.5 Mbit/s`, `128 kbit/s`.
fn bits(rate: Bitrate) -> String {
    in_units(rate.bits_per_second(), "bit/s")
}

/// `700 MB`, `1.4 GB`.
fn bytes(size: Size) -> String {
    in_units(size.bytes(), "B")
}

/// A number without loss, in the largest unit of which it has one at least.
fn in_units(number: u64, unit: &str) -> String {
    let (prefix, factor) = match number {
        1_000_000_000.. => ("G", 1e9),
        1_000_000.. => ("M", 1e6),
        1_000.. => ("k", 1e3),
        _ => ("", 1.0),
    };
    format!("{} {prefix}{unit}", number as f64 / factor)
}

/// `the first 20 s`, `from 10 s on`, `10 to 20.5 s`.
fn part(trim: Trim) -> String {
    match (trim.from, trim.to) {
        (from, None) => format!("from {from} s on"),
        (0.0, Some(to)) => format!("the first {to} s"),
        (from, Some(to)) => format!("{from} to {to} s"),
    }
}

/// `watermark s3://media/logo.png top-right, 10 % wide`: all that differs from the defaults.
fn watermark(mark: &Watermark) -> String {
    let plain = Watermark::new(mark.picture.clone());
    let mut words = format!("watermark {}", mark.picture);
    if mark.place != plain.place {
        words += &format!(" {}", mark.place);
    }
    let width = mark
        .width_percent
        .map(|percent| format!("{percent} % wide"));
    let is_faint = mark.opacity_percent != plain.opacity_percent;
    let opacity = is_faint.then(|| format!("{} % opaque", mark.opacity_percent));
    let measures: Vec<String> = width.into_iter().chain(opacity).collect();
    if !measures.is_empty() {
        words += &format!(" ({})", measures.join(", "));
    }
    words
}

fn dynamic_range(encode: &VideoEncode) -> Option<String> {
    match (encode.hdr, encode.tone_map) {
        (Hdr::Keep, _) => None,
        (Hdr::Sdr, ToneMap::Hable) => Some("SDR".to_owned()),
        (Hdr::Sdr, curve) => Some(format!("SDR by {curve}")),
        (Hdr::Refuse, _) => Some("no HDR".to_owned()),
    }
}

/// What is done to the picture, in the order in which it is done.
fn picture(encode: &VideoEncode) -> Vec<String> {
    let deinterlace = match encode.deinterlace {
        Deinterlace::Off => None,
        Deinterlace::Auto => Some("deinterlaced if combed".to_owned()),
        Deinterlace::Always => Some("deinterlaced".to_owned()),
    };
    let frame_rate =
        (encode.frame_rate != FrameRate::Keep).then(|| format!("frame rate {}", encode.frame_rate));
    let words = [
        deinterlace,
        encode.detelecine.then(|| "detelecined".to_owned()),
        (encode.crop != Crop::None).then(|| format!("crop {}", encode.crop)),
        encode.rotate.map(|turn| format!("rotated {turn}")),
        encode.denoise.map(|denoise| format!("denoise {denoise}")),
        encode.sharpen.map(|strength| format!("sharpen {strength}")),
        encode.deband.then(|| "debanded".to_owned()),
        encode.scale.map(|scale| scale.to_string()),
        encode.scale_up.then(|| "enlarging".to_owned()),
        encode.pad.map(|pad| format!("padded to {pad}")),
        encode.lut.as_ref().map(|lut| format!("colours of {lut}")),
        encode.watermark.as_ref().map(watermark),
        encode
            .burn_in
            .as_ref()
            .map(|track| format!("subtitles {track} burnt in")),
        frame_rate,
    ];
    words.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Choice;
    use crate::recipe::encoder::Codec;

    #[test]
    fn a_recipe_is_summarised_in_one_line() {
        let mut encode = VideoEncode::new(Choice::Codec(Codec::Hevc));
        encode.rate = Rate::Crf(20.5);
        encode.arguments.push("g=240".parse().expect("allowed"));
        let recipe = Recipe::encode(encode).expect("sound");
        assert_eq!(recipe.to_string(), "any hevc encoder, CRF 20.5, g=240, mkv");
        let edited = recipe.edit(|draft| {
            draft.video = Video::Copy;
            draft.audio = "opus:96k".parse().expect("audio");
            draft.subtitles = Subtitles::None;
        });
        let recipe = edited.expect("sound");
        assert_eq!(
            recipe.to_string(),
            "video as it is, libopus 96 kbit/s, no subtitles, mkv"
        );
    }

    #[test]
    fn numbers_have_units_and_parts_are_told_in_full() {
        let mut encode = VideoEncode::new(Choice::Encoder("libx264".parse().expect("a name")));
        encode.rate = Rate::Size("9800k".parse().expect("a size"));
        encode.max_bitrate = Some("4500k".parse().expect("a bitrate"));
        let logo = "s3://media/logo.png".parse().expect("a location");
        encode.watermark = Some(Watermark {
            width_percent: Some(10),
            opacity_percent: 50,
            ..Watermark::new(logo)
        });
        let recipe = Recipe::encode(encode).expect("sound");
        let edited = |edit: fn(&mut crate::recipe::RecipeDraft)| {
            let edited = recipe.clone().edit(edit);
            edited.expect("sound").to_string()
        };
        assert_eq!(
            edited(|draft| {
                draft.trim = Some("10-".parse().expect("a part"));
                draft.companions.thumbnails = 1;
                draft.audio_tracks.ensure = vec!["aac:2:160k:eng".parse().expect("a track")];
            }),
            "libx264, 9.8 MB, at most 4.5 Mbit/s, watermark s3://media/logo.png (10 % wide, 50 % opaque), \
             with aac 160 kbit/s of 2 channels in eng, from 10 s on, 1 thumbnail, mkv"
        );
        let first = edited(|draft| draft.trim = Some("-20".parse().expect("a part")));
        assert!(first.contains("the first 20 s"), "{first}");
        let between = edited(|draft| draft.trim = Some("1:30-100.5".parse().expect("a part")));
        assert!(between.contains("90 to 100.5 s"), "{between}");
        let target = edited(|draft| {
            if let Video::Encode(video) = &mut draft.video {
                video.rate = Rate::Target(QualityTarget {
                    score: "vmaf=95".parse().expect("a score"),
                    max_percent: 60,
                });
            }
        });
        assert!(
            target.contains("target vmaf=95 with at most 60 % of the bytes"),
            "{target}"
        );
    }
}
