//! The form and the character encoding of a subtitle file, found by its content.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

/// Languages whose texts are in other encodings than those of Western Europe, and the top-level domain by which the
/// detector knows such a language.
const DOMAINS: &[(&str, &str)] = &[
    ("ar", "sa"),
    ("bg", "bg"),
    ("cs", "cz"),
    ("el", "gr"),
    ("he", "il"),
    ("hr", "hr"),
    ("hu", "hu"),
    ("ja", "jp"),
    ("ko", "kr"),
    ("lt", "lt"),
    ("lv", "lv"),
    ("pl", "pl"),
    ("ro", "ro"),
    ("ru", "ru"),
    ("sk", "sk"),
    ("sl", "si"),
    ("sr", "rs"),
    ("th", "th"),
    ("tr", "tr"),
    ("uk", "ua"),
    ("vi", "vn"),
    ("zh", "cn"),
];

/// The beginning of the subtitles of a Blu-ray disc.
const BLURAY: &[u8] = b"PG";

/// A form of subtitle files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileForm {
    /// ffmpeg's name of the demuxer.
    pub(crate) format: &'static str,
    /// ffmpeg's name of the codec.
    pub(crate) codec: &'static str,
}

/// Whether the file holds pictures, by its first bytes.
pub(crate) fn of_pictures(bytes: &[u8]) -> Option<FileForm> {
    bytes.starts_with(BLURAY).then_some(FileForm {
        format: "sup",
        codec: "hdmv_pgs_subtitle",
    })
}

/// The form that a name promises.
pub(crate) fn of_name(name: &str) -> FileForm {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let (format, codec) = match extension.to_ascii_lowercase().as_str() {
        "sup" => ("sup", "hdmv_pgs_subtitle"),
        "ass" | "ssa" => ("ass", "ass"),
        "vtt" => ("webvtt", "webvtt"),
        _ => ("srt", "subrip"),
    };
    FileForm { format, codec }
}

/// The form of a text. `None` if it is none that ffmpeg reads.
pub(crate) fn of_text(text: &str) -> Option<FileForm> {
    let start = text.trim_start();
    let (format, codec) = if start.starts_with("WEBVTT") {
        ("webvtt", "webvtt")
    } else if start.starts_with("[Script Info]") {
        ("ass", "ass")
    } else if start.lines().take(50).any(|line| line.contains("-->")) {
        ("srt", "subrip")
    } else {
        return None;
    };
    Some(FileForm { format, codec })
}

/// The bytes as text. A byte order mark decides; then UTF-8, if the bytes are valid as such; else the most likely
/// encoding for the language.
pub(crate) fn decode(bytes: &[u8], language: Option<&str>) -> String {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let domain = language.and_then(|language| {
        let known = DOMAINS
            .iter()
            .find(|(code, _)| crate::ffmpeg::tracks::language::matches(code, language));
        known.map(|(_, domain)| domain.as_bytes())
    });
    let encoding = detector.guess(domain, Utf8Detection::Allow);
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_encodings_are_recognised() {
        let german = "1\n00:00:01,000 --> 00:00:02,000\nGrüße aus Köln, schöne Straße.\n";
        let russian = "1\n00:00:01,000 --> 00:00:02,000\nПривет, как дела? Всё хорошо.\n";
        let japanese = "1\n00:00:01,000 --> 00:00:02,000\nおはようございます。元気ですか。\n";
        for (text, encoding, language) in [
            (german, encoding_rs::WINDOWS_1252, Some("deu")),
            (german, encoding_rs::WINDOWS_1252, None),
            (russian, encoding_rs::WINDOWS_1251, Some("rus")),
            (russian, encoding_rs::KOI8_R, Some("ru")),
            (japanese, encoding_rs::SHIFT_JIS, Some("jpn")),
        ] {
            let bytes = encoding.encode(text).0;
            assert_eq!(decode(&bytes, language), text, "{}", encoding.name());
        }
        let wide: Vec<u8> = german.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(
            decode(&[&[0xFF, 0xFE], wide.as_slice()].concat(), None),
            german
        );
        let wide: Vec<u8> = german.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(
            decode(&[&[0xFE, 0xFF], wide.as_slice()].concat(), None),
            german
        );
        let marked = format!("\u{feff}{german}");
        assert_eq!(decode(marked.as_bytes(), None), german);
    }

    #[test]
    fn the_form_is_told_by_the_content() {
        let format = |text| of_text(text).map(|form| form.format);
        assert_eq!(
            format("WEBVTT\n\n00:01.000 --> 00:02.000\na"),
            Some("webvtt")
        );
        assert_eq!(format("1\n00:00:01,000 --> 00:00:02,000\na"), Some("srt"));
        assert_eq!(format("[Script Info]\nTitle: a"), Some("ass"));
        assert_eq!(format("{0}{25}Hello"), None);
        assert_eq!(of_pictures(b"PG\0\0").map(|form| form.format), Some("sup"));
    }
}
