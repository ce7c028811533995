//! The subtitle formats that a container can hold.

use common::recipe::Container;

use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::tracks::TrackMethod;

/// How a subtitle track is made, and what a conversion loses. The error says why the container cannot hold the track.
pub(crate) fn form_for(
    subtitle: &Stream,
    container: Container,
) -> Result<(TrackMethod, Option<Cost>), String> {
    let codec = subtitle.codec.as_str();
    if codec.is_empty() {
        return Err("ffmpeg does not know its form".to_owned());
    }
    if holds(container, codec) && subtitle.reader.is_none() {
        return Ok((TrackMethod::Copy, None));
    }
    match Form::of(codec) {
        Form::Text => {
            let form = text_of(container);
            Ok((TrackMethod::Subtitles(form), cost(codec, form)))
        }
        Form::Bitmap => Err(format!(
            "{container} holds no pictures as subtitles: --container mkv does"
        )),
        Form::Unknown => Err(format!(
            "{container} does not hold {codec}, and ffmpeg cannot make text of it"
        )),
    }
}

/// The part of the content that a conversion loses.
pub(crate) type Cost = &'static str;

fn cost(from: &str, to: &str) -> Option<Cost> {
    match from {
        "ass" | "ssa" if to != from => Some("styles and places of the text are not kept"),
        "webvtt" if to != from => Some("places of the text are not kept"),
        "eia_608" => Some("places and colours of the text are not kept"),
        _ => None,
    }
}

/// The text format that a container holds.
pub(crate) fn text_of(container: Container) -> &'static str {
    match container {
        Container::Mkv | Container::Mka => "subrip",
        Container::Mp4 | Container::Mov | Container::M4a | Container::Cmaf => "mov_text",
        Container::Webm | Container::Mp3 | Container::Flac | Container::Opus => "webvtt",
    }
}

/// Whether ffmpeg can copy subtitles of this codec into a container.
fn holds(container: Container, codec: &str) -> bool {
    match container {
        Container::Mkv => matches!(
            codec,
            "subrip"
                | "ass"
                | "ssa"
                | "webvtt"
                | "hdmv_pgs_subtitle"
                | "hdmv_text_subtitle"
                | "dvd_subtitle"
                | "dvb_subtitle"
                | "arib_caption"
        ),
        Container::Mp4 | Container::Mov | Container::Cmaf => codec == "mov_text",
        Container::Mka | Container::M4a | Container::Mp3 | Container::Flac | Container::Opus => {
            false
        }
        Container::Webm => codec == "webvtt",
    }
}

/// Whether a track of subtitles holds text, and not pictures.
pub(crate) fn is_text(subtitle: &Stream) -> bool {
    Form::of(&subtitle.codec) == Form::Text
}

/// The kind of content of subtitles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Bitmap,
    Unknown,
}

impl Form {
    pub(crate) fn of(codec: &str) -> Self {
        match codec {
            "subrip" | "srt" | "ass" | "ssa" | "webvtt" | "mov_text" | "text" | "microdvd"
            | "mpl2" | "jacosub" | "sami" | "realtext" | "stl" | "subviewer" | "subviewer1"
            | "pjs" | "vplayer" | "eia_608" => Self::Text,
            "hdmv_pgs_subtitle" | "dvd_subtitle" | "dvb_subtitle" | "xsub" => Self::Bitmap,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_takes_the_form_of_its_container_and_pictures_need_matroska() {
        let of = |codec: &str, container| {
            let subtitle = Stream {
                codec: codec.to_owned(),
                ..Stream::default()
            };
            form_for(&subtitle, container)
        };
        assert_eq!(of("ass", Container::Mkv), Ok((TrackMethod::Copy, None)));
        let (by, cost) = of("ass", Container::Mp4).expect("text");
        assert_eq!(by, TrackMethod::Subtitles("mov_text"));
        assert!(cost.is_some());
        let plain = Ok((TrackMethod::Subtitles("webvtt"), None));
        assert_eq!(of("subrip", Container::Webm), plain);
        assert_eq!(
            of("dvd_subtitle", Container::Mkv),
            Ok((TrackMethod::Copy, None))
        );
        let why = of("hdmv_pgs_subtitle", Container::Mp4).expect_err("pictures");
        assert!(why.contains("--container mkv"), "{why}");
        assert!(of("ttml", Container::Mkv).is_err());
        assert!(of("", Container::Mkv).is_err());
    }
}
