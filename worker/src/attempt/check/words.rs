//! What the words of an error say about a file.

use crate::attempt::check::reading::Spoken;

/// Errors that healthy files cause too.
const HARMLESS: &[&str] = &[
    // A reference that a stream announces and does not use.
    "mmco: unref short failure",
    "number of reference frames",
    "Last message repeated",
    // Streams of another kind than video, sound and subtitles.
    "timescale not set",
];

/// Whether healthy files cause this error, too.
pub(super) fn is_harmless(error: &Spoken) -> bool {
    HARMLESS.iter().any(|words| error.words.contains(words))
}

/// The position in the file that a demuxer's message names: `0x00 at pos 9381 (0x24a5) invalid as first byte`,
/// `Element at 0x1a5c ending at …`, `Read error at pos. 9381 (0x24a5)`.
pub(super) fn position(words: &str) -> Option<u64> {
    let number = |text: &str| {
        let digits = |text: &str| {
            let end = text.find(|c: char| !c.is_ascii_hexdigit());
            text[..end.unwrap_or(text.len())].to_owned()
        };
        match text.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(&digits(hex), 16).ok(),
            None => digits(text).parse().ok(),
        }
    };
    let after = |key: &str| words.split_once(key).and_then(|(_, rest)| number(rest));
    after("pos ")
        .or_else(|| after("pos. "))
        .or_else(|| after("at "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demuxer_names_positions_in_several_ways() {
        for (words, at) in [
            ("0x00 at pos 9381 (0x24a5) invalid", Some(9381)),
            ("Element at 0x67 ending at 0x83ec exceeds", Some(0x67)),
            ("Read error at pos. 12 (0xc)", Some(12)),
            ("moov atom not found", None),
        ] {
            assert_eq!(position(words), at, "{words}");
        }
    }
}
