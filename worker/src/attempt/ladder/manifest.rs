//! The DASH manifest: the renditions of a film, and its sound and subtitles, in the profile for files on demand.

use common::job::ladder::{ByteRange, LadderStream, LadderStreamKind, VideoRange};
use common::names::location::Location;

/// The text of the manifest that will lie at `manifest`, for the streams of all renditions. The same streams make the
/// same text.
pub fn manifest(streams: &[LadderStream], manifest: &Location) -> String {
    let lengths = streams.iter().map(|stream| stream.duration);
    let length = lengths.fold(0.0, f64::max);
    let segments = streams.iter().filter_map(|stream| stream.segments);
    let longest = segments.map(|index| index.longest).fold(0.0, f64::max);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\" \
         type=\"static\" mediaPresentationDuration=\"PT{length:.3}S\" maxSubsegmentDuration=\"PT{longest:.3}S\" \
         minBufferTime=\"PT{longest:.3}S\">\n  <Period id=\"0\">\n"
    );
    let represented = |stream: &LadderStream, number: usize| represented(stream, number, manifest);
    let is_film = |stream: &&LadderStream| matches!(stream.kind, LadderStreamKind::Video { .. });
    let films: Vec<&LadderStream> = streams.iter().filter(is_film).collect();
    if let Some(first) = films.first() {
        text += "    <AdaptationSet contentType=\"video\" mimeType=\"video/mp4\" subsegmentAlignment=\"true\" \
                 subsegmentStartsWithSAP=\"1\">\n";
        text += transfer(first);
        for (number, film) in films.iter().enumerate() {
            text += &represented(film, number);
        }
        text += "    </AdaptationSet>\n";
    }
    for (number, stream) in streams.iter().enumerate().filter(|(_, one)| !is_film(one)) {
        text += &set(stream);
        text += &represented(stream, number);
        text += "    </AdaptationSet>\n";
    }
    text + "  </Period>\n</MPD>\n"
}

/// The transfer function of HDR, by its number (ISO/IEC 23091-2).
fn transfer(film: &LadderStream) -> &'static str {
    let LadderStreamKind::Video { range, .. } = film.kind else {
        return "";
    };
    match range {
        VideoRange::Sdr => "",
        VideoRange::Pq => {
            "      <SupplementalProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:TransferCharacteristics\" value=\"16\"/>\n"
        }
        VideoRange::Hlg => {
            "      <SupplementalProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:TransferCharacteristics\" value=\"18\"/>\n"
        }
    }
}

/// The beginning of a set of one track of sound or subtitles.
fn set(stream: &LadderStream) -> String {
    let (language, title) = stream.called();
    let (content, mime, role) = match &stream.kind {
        LadderStreamKind::Sound { default: true, .. } => ("audio", "audio/mp4", "main"),
        LadderStreamKind::Sound { .. } => ("audio", "audio/mp4", "alternate"),
        LadderStreamKind::Subtitles { forced: true, .. } => ("text", "text/vtt", "forced-subtitle"),
        _ => ("text", "text/vtt", "subtitle"),
    };
    let mut text = format!("    <AdaptationSet contentType=\"{content}\" mimeType=\"{mime}\"");
    if let Some(language) = language {
        text += &format!(" lang=\"{}\"", escaped(language));
    }
    if stream.segments.is_some() {
        text += " subsegmentAlignment=\"true\" subsegmentStartsWithSAP=\"1\"";
    }
    text += &format!(">\n      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"{role}\"/>\n");
    if let Some(title) = title {
        text += &format!("      <Label>{}</Label>\n", escaped(title));
    }
    text
}

fn represented(stream: &LadderStream, number: usize, manifest: &Location) -> String {
    let file = escaped(&stream.file.linked_from(manifest));
    // The most that a player loads for each second.
    let bandwidth = stream.peak;
    let (id, details, inside) = match &stream.kind {
        LadderStreamKind::Video {
            width,
            height,
            frame_rate,
            ..
        } => {
            let rate = frame_rate.map(|rate| match rate.denominator {
                1 => format!(" frameRate=\"{}\"", rate.numerator),
                below => format!(" frameRate=\"{}/{below}\"", rate.numerator),
            });
            let rate = rate.unwrap_or_default();
            (
                format!("video-{number}"),
                format!(
                    " codecs=\"{}\" width=\"{width}\" height=\"{height}\"{rate}",
                    stream.codecs
                ),
                String::new(),
            )
        }
        LadderStreamKind::Sound {
            channels,
            sample_rate,
            ..
        } => (
            format!("audio-{number}"),
            format!(
                " codecs=\"{}\" audioSamplingRate=\"{sample_rate}\"",
                stream.codecs
            ),
            format!(
                "        <AudioChannelConfiguration \
                 schemeIdUri=\"urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" value=\"{channels}\"/>\n"
            ),
        ),
        LadderStreamKind::Subtitles { .. } => {
            (format!("text-{number}"), String::new(), String::new())
        }
    };
    let index = stream.segments.map(|index| {
        format!(
            "        <SegmentBase indexRange=\"{}\">\n          <Initialization range=\"{}\"/>\n        </SegmentBase>\n",
            range(index.index),
            range(index.initialization)
        )
    });
    let index = index.unwrap_or_default();
    format!(
        "      <Representation id=\"{id}\" bandwidth=\"{bandwidth}\"{details}>\n{inside}        <BaseURL>{file}</BaseURL>\n{index}      </Representation>\n"
    )
}

/// The first and the last byte.
fn range(bytes: ByteRange) -> String {
    let last = bytes.offset + bytes.length.saturating_sub(1);
    format!("{}-{last}", bytes.offset)
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::ladder::samples::{at, sound, text, video};

    #[test]
    fn each_track_is_a_set_and_the_renditions_are_one() {
        let streams = [
            video("film-720p", 720, 4_000_000, VideoRange::Hlg),
            video("film-360p", 360, 1_000_000, VideoRange::Hlg),
            sound("film & co.audio-1", "en", Some("A < B"), 192_000),
            text("film.subtitles-1"),
        ];
        let made = manifest(&streams, &at("film.mpd"));
        for part in [
            "mediaPresentationDuration=\"PT60.500S\" maxSubsegmentDuration=\"PT6.006S\"",
            "TransferCharacteristics\" value=\"18\"/>",
            "<Representation id=\"video-1\" bandwidth=\"1000000\" codecs=\"hvc1.2.4.L93.B0\" width=\"640\" height=\"360\" \
             frameRate=\"30000/1001\">\n        <BaseURL>film-360p.mp4</BaseURL>\n        \
             <SegmentBase indexRange=\"800-951\">\n          <Initialization range=\"0-799\"/>",
            "mimeType=\"audio/mp4\" lang=\"en\"",
            "<Label>A &lt; B</Label>",
            "<BaseURL>film%20&amp;%20co.audio-1.mp4</BaseURL>",
            "audioSamplingRate=\"48000\"",
            "mimeType=\"text/vtt\" lang=\"de\">\n      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" \
             value=\"forced-subtitle\"/>",
        ] {
            assert!(made.contains(part), "{part}\n{made}");
        }
        assert_eq!(made.matches("<AdaptationSet").count(), 3);
        assert_eq!(made.matches("</AdaptationSet>").count(), 3);
    }
}
