//! A recipe in one line, for listings.

use std::fmt;

use crate::recipe::{
    Audio, AudioEncoder, AudioTracks, Bitrate, Captions, Chroma, Companions, Crop, Deinterlace,
    Flagged, FrameRate, Hdr, Language, Rate, Recipe, SubtitleTracks, Subtitles, ToneMap, Video,
    VideoEncode,
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
        words.extend(self.trim.map(|trim| format!("{trim} s only")));
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
        Some(bitrate) => format!("{} {bitrate}", encoder.name()),
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
    let words = [
        (thumbnails > 0).then(|| format!("{thumbnails} thumbnails")),
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
    let ensured = ensure.iter().map(|track| {
        format!(
            "with {} of {} channels",
            track.encoder.name(),
            track.channels
        )
    });
    languages(wanted)
        .map(|names| format!("audio in {names}"))
        .into_iter()
        .chain(rules)
        .chain(ensured)
        .chain(downmix.map(|downmix| format!("downmix {downmix}")))
        .chain(loudness.map(|loudness| format!("loudness {loudness}")))
        .collect()
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
        .collect()
}

fn video(encode: &VideoEncode) -> Vec<String> {
    let mut words = vec![encode.with.to_string()];
    words.extend(rate(encode));
    words.extend(
        encode
            .max_bitrate
            .map(|most| format!("at most {most} bit/s")),
    );
    words.extend(encode.two_pass.then(|| "two passes".to_owned()));
    words.extend(encode.floor.map(|floor| format!("at least {floor}")));
    words.extend(encode.speed.map(|speed| format!("speed {speed}")));
    words.extend(
        encode
            .preset
            .as_ref()
            .map(|preset| format!("preset {preset}")),
    );
    words.extend(
        encode
            .bit_depth
            .map(|depth| format!("{} bits", u8::from(depth))),
    );
    words.extend((encode.chroma == Chroma::Yuv420).then(|| "4:2:0".to_owned()));
    words.extend(dynamic_range(encode));
    words.extend(picture(encode));
    words.extend(encode.filters.as_ref().map(ToString::to_string));
    words.extend(encode.arguments.iter().map(ToString::to_string));
    words
}

fn rate(encode: &VideoEncode) -> Option<String> {
    match encode.rate {
        Rate::Default => None,
        Rate::Crf(value) => Some(format!("CRF {value}")),
        Rate::Quality(quality) => Some(format!("quality {}", u8::from(quality))),
        Rate::Bitrate(bitrate) => Some(format!("{bitrate} bit/s")),
        Rate::Size(size) => Some(format!("{size} bytes")),
        Rate::Lossless => Some("lossless".to_owned()),
        Rate::Target(target) => Some(format!("target {}", target.score)),
    }
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
        encode
            .watermark
            .as_ref()
            .map(|watermark| format!("watermark {}", watermark.picture)),
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
            "video as it is, libopus 96k, no subtitles, mkv"
        );
    }
}
