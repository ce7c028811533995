//! The HLS master playlist (multivariant playlist): the renditions of a film, and its sound and subtitles.

use std::fmt::Write;

use common::job::ladder::{LadderStream, LadderStreamKind, VideoRange};
use common::names::location::Location;

/// The groups of sound and of subtitles.
const AUDIO: &str = "audio";
const SUBTITLES: &str = "subtitles";

/// The text of the master playlist that will lie at `master`, for the streams of all renditions. The same streams make
/// the same text.
pub fn master_playlist(streams: &[LadderStream], master: &Location) -> String {
    let mut text = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n".to_owned();
    let sounds: Vec<&LadderStream> = streams.iter().filter(|one| one.is_sound()).collect();
    let texts: Vec<&LadderStream> = streams.iter().filter(|one| one.is_text()).collect();
    for (group, of_kind) in [(AUDIO, &sounds), (SUBTITLES, &texts)] {
        for line in tracks(group, of_kind, master) {
            text += &line;
        }
    }
    for stream in streams {
        if let LadderStreamKind::Video { .. } = stream.kind {
            text += &variant(stream, &sounds, !texts.is_empty(), master);
        }
    }
    text
}

fn is_forced(stream: &LadderStream) -> bool {
    matches!(
        stream.kind,
        LadderStreamKind::Subtitles { forced: true, .. }
    )
}

/// The lines of the tracks of a group. No two have the same name, and one of sound is the default.
fn tracks(group: &str, streams: &[&LadderStream], master: &Location) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let default = default(streams, group == AUDIO);
    let mut lines = Vec::new();
    for (number, stream) in streams.iter().enumerate() {
        let (language, title) = stream.called();
        let name = title.or(language).map(quotable);
        let name = name.unwrap_or_else(|| format!("{group} {}", number + 1));
        let is_taken = names.contains(&name);
        let name = match is_taken {
            true => format!("{name} {}", number + 1),
            false => name,
        };
        let yes = |is: bool| if is { "YES" } else { "NO" };
        let is_first = streams[..number].iter().all(|earlier| {
            earlier.called().0 != language || is_forced(earlier) != is_forced(stream)
        });
        let kind = group.to_ascii_uppercase();
        let mut line = format!("#EXT-X-MEDIA:TYPE={kind},GROUP-ID=\"{group}\",NAME=\"{name}\"");
        if let Some(language) = language {
            line += &format!(",LANGUAGE=\"{}\"", quotable(language));
        }
        // A player may choose among languages, and between full and forced subtitles, not among tracks of one kind.
        line += &format!(
            ",DEFAULT={},AUTOSELECT={}",
            yes(default == Some(number)),
            yes(is_first || default == Some(number))
        );
        match &stream.kind {
            LadderStreamKind::Sound { channels, .. } => {
                line += &format!(",CHANNELS=\"{channels}\"")
            }
            LadderStreamKind::Subtitles { forced, .. } => {
                line += &format!(",FORCED={}", yes(*forced));
            }
            LadderStreamKind::Video { .. } => {}
        }
        line += &format!(",URI=\"{}\"\n", stream.playlist.linked_from(master));
        lines.push(line);
        names.push(name);
    }
    lines
}

/// The number of the track that players choose by themselves.
fn default(streams: &[&LadderStream], is_needed: bool) -> Option<usize> {
    let marked = streams.iter().position(|stream| match &stream.kind {
        LadderStreamKind::Sound { default, .. } | LadderStreamKind::Subtitles { default, .. } => {
            *default
        }
        LadderStreamKind::Video { .. } => false,
    });
    marked.or((is_needed && !streams.is_empty()).then_some(0))
}

fn variant(
    stream: &LadderStream,
    sounds: &[&LadderStream],
    has_texts: bool,
    master: &Location,
) -> String {
    let LadderStreamKind::Video {
        width,
        height,
        frame_rate,
        range,
    } = stream.kind
    else {
        return String::new();
    };
    // A player loads one track of sound beside the picture.
    let most = |of: fn(&LadderStream) -> u64| sounds.iter().map(|sound| of(sound)).max();
    let peak = stream.peak + most(|sound| sound.peak).unwrap_or(0);
    let average = stream.average + most(|sound| sound.average).unwrap_or(0);
    let mut codecs = vec![stream.codecs.as_str()];
    for sound in sounds {
        if !codecs.contains(&sound.codecs.as_str()) {
            codecs.push(&sound.codecs);
        }
    }
    let range = match range {
        VideoRange::Sdr => "SDR",
        VideoRange::Pq => "PQ",
        VideoRange::Hlg => "HLG",
    };
    let mut line = format!(
        "#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS=\"{}\",RESOLUTION={width}x{height}",
        codecs.join(",")
    );
    if let Some(rate) = frame_rate {
        let rate = f64::from(rate.numerator) / f64::from(rate.denominator);
        // Writing to a string cannot fail.
        let _ = write!(line, ",FRAME-RATE={rate:.3}");
    }
    line += &format!(",VIDEO-RANGE={range}");
    if !sounds.is_empty() {
        line += &format!(",AUDIO=\"{AUDIO}\"");
    }
    if has_texts {
        line += &format!(",SUBTITLES=\"{SUBTITLES}\"");
    }
    format!("{line}\n{}\n", stream.playlist.linked_from(master))
}

/// A text that may stand in quotes.
fn quotable(text: &str) -> String {
    text.replace('"', "'").replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::ladder::samples::{at, sound, text, video};

    #[test]
    fn all_renditions_share_the_sound_and_the_subtitles() {
        let streams = [
            video("film-720p", 720, 4_000_000, VideoRange::Pq),
            video("film-360p", 360, 1_000_000, VideoRange::Pq),
            sound("film.audio-1", "en", Some("The \"director\""), 192_000),
            sound("film.audio-2", "en", None, 128_000),
            text("film.subtitles-1"),
        ];
        let variant = |peak: u64, average: u64, size: &str| {
            format!(
                "#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},CODECS=\"hvc1.2.4.L93.B0,mp4a.40.2\",\
                 RESOLUTION={size},FRAME-RATE=29.970,VIDEO-RANGE=PQ,AUDIO=\"audio\",SUBTITLES=\"subtitles\"\n"
            )
        };
        let expected = [
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n",
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"The 'director'\",LANGUAGE=\"en\",DEFAULT=YES,\
             AUTOSELECT=YES,CHANNELS=\"6\",URI=\"film.audio-1.m3u8\"\n",
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"en\",LANGUAGE=\"en\",DEFAULT=NO,\
             AUTOSELECT=NO,CHANNELS=\"6\",URI=\"film.audio-2.m3u8\"\n",
            "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subtitles\",NAME=\"de\",LANGUAGE=\"de\",DEFAULT=NO,\
             AUTOSELECT=YES,FORCED=YES,URI=\"film.subtitles-1.m3u8\"\n",
            &variant(4_192_000, 2_096_000, "1280x720"),
            "film-720p.m3u8\n",
            &variant(1_192_000, 596_000, "640x360"),
            "film-360p.m3u8\n",
        ];
        let made = master_playlist(&streams, &at("film.m3u8"));
        assert_eq!(made, expected.concat());
        let silent = master_playlist(&streams[..1], &at("film.m3u8"));
        assert!(silent.contains("CODECS=\"hvc1.2.4.L93.B0\",") && !silent.contains("AUDIO"));
    }
}
