//! Words in file names that say how a video is encoded, such as `x264` and `H.265`.

use crate::recipe::encoder::Codec;

/// The words, in lower case and without a dot, each with the codec that it says.
const WORDS: [(&str, Option<Codec>); 17] = [
    ("h264", Some(Codec::H264)),
    ("x264", Some(Codec::H264)),
    ("avc", Some(Codec::H264)),
    ("h265", Some(Codec::Hevc)),
    ("x265", Some(Codec::Hevc)),
    ("hevc", Some(Codec::Hevc)),
    ("av1", Some(Codec::Av1)),
    ("vp8", Some(Codec::Vp8)),
    ("vp9", Some(Codec::Vp9)),
    ("mpeg2", Some(Codec::Mpeg2video)),
    ("mpeg4", None),
    ("xvid", None),
    ("divx", None),
    ("vc1", None),
    ("h263", None),
    ("prores", None),
    ("wmv", None),
];

/// The separators of words in file names.
const SEPARATORS: [char; 4] = ['.', ' ', '_', '-'];

/// A word of a stem: where it stands, and how it is spelt.
struct Word {
    from: usize,
    to: usize,
    has_dot: bool,
}

/// The words of a stem, in its order.
fn words(stem: &str) -> Vec<Word> {
    let lower = stem.to_ascii_lowercase();
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let mut found: Vec<Word> = Vec::new();
    for (from, _) in lower.char_indices() {
        let rest = &lower[from..];
        if !is_edge(lower[..from].chars().next_back())
            || found.last().is_some_and(|word| word.to > from)
        {
            continue;
        }
        let length = WORDS
            .iter()
            .find_map(|(word, _)| match rest.strip_prefix(word) {
                Some(_) => Some((word.len(), false)),
                None => Some((dotted(rest, word)?, true)),
            });
        if let Some((length, has_dot)) = length
            && is_edge(rest[length..].chars().next())
        {
            found.push(Word {
                from,
                to: from + length,
                has_dot,
            });
        }
    }
    found
}

/// The length of a word such as `h.264` or `vc-1` at the beginning of `rest`: the digits of `word` follow a dot or a
/// dash.
fn dotted(rest: &str, word: &str) -> Option<usize> {
    let digits = word
        .find(|c: char| c.is_ascii_digit())
        .filter(|at| *at > 0)?;
    let (letters, digits) = word.split_at(digits);
    let rest = rest.strip_prefix(letters)?.strip_prefix(['.', '-'])?;
    rest.starts_with(digits).then_some(word.len() + 1)
}

/// The stem without these words, and without the brackets and the separator that a word leaves behind. The stem itself
/// if nothing else is in it.
pub(super) fn dropped(stem: &str) -> String {
    let mut left = stem.to_owned();
    for word in words(stem).into_iter().rev() {
        let (mut from, mut to) = (word.from, word.to);
        let before = left[..from].chars().next_back();
        let after = left[to..].chars().next();
        if matches!(
            (before, after),
            (Some('['), Some(']')) | (Some('('), Some(')')) | (Some('{'), Some('}'))
        ) {
            (from, to) = (from - 1, to + 1);
        }
        // One of the two separators goes with the word.
        let before = left[..from].chars().next_back();
        let after = left[to..].chars().next();
        let is_separator = |c: Option<char>| c.is_some_and(|c| SEPARATORS.contains(&c));
        if is_separator(before)
            && (after.is_none() || !matches!(after, Some('[' | '(' | '{')) || before == Some(' '))
        {
            from -= 1;
        } else if is_separator(after)
            && (before.is_none() || matches!(before, Some('[' | '(' | '{')))
        {
            to += 1;
        }
        left.replace_range(from..to, "");
    }
    let left = left.trim();
    if left.chars().any(char::is_alphanumeric) {
        left.to_owned()
    } else {
        stem.to_owned()
    }
}

/// The stem in which each of these words says `codec`, spelt like the word in its place.
pub(super) fn rewritten(stem: &str, codec: Codec) -> String {
    let mut new = stem.to_owned();
    for word in words(stem).into_iter().rev() {
        let old = &stem[word.from..word.to];
        new.replace_range(word.from..word.to, &said(old, word.has_dot, codec));
    }
    new
}

/// The word for a codec, in the style of another word.
fn said(old: &str, has_dot: bool, codec: Codec) -> String {
    let plain: String = old.chars().filter(char::is_ascii_alphanumeric).collect();
    let lower = plain.to_ascii_lowercase();
    if WORDS
        .iter()
        .any(|(word, says)| *word == lower && *says == Some(codec))
    {
        return old.to_owned();
    }
    let dot = if has_dot { "." } else { "" };
    let numbered = lower.starts_with(['h', 'x']) && lower != "hevc" && lower != "xvid";
    let word = match codec {
        Codec::H264 if numbered => format!("{}{dot}264", &lower[..1]),
        Codec::Hevc if numbered => format!("{}{dot}265", &lower[..1]),
        other => other.to_string(),
    };
    let is_lower = !plain.chars().any(|c| c.is_ascii_uppercase());
    if is_lower {
        word
    } else {
        word.to_ascii_uppercase()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_dropped_with_what_belongs_to_them() {
        for (stem, left) in [
            (
                "Show.S01E01.1080p.WEB-DL.h264-GROUP",
                "Show.S01E01.1080p.WEB-DL-GROUP",
            ),
            (
                "Show.S01E01.1080p.WEB-DL.H.264-GROUP",
                "Show.S01E01.1080p.WEB-DL-GROUP",
            ),
            (
                "Film (2019) [1080p][AAC 2.0][h264]-GROUP",
                "Film (2019) [1080p][AAC 2.0]-GROUP",
            ),
            ("Film (2019) [x265]", "Film (2019)"),
            ("Film (2019) [1080p x264]", "Film (2019) [1080p]"),
            ("Film [x264 1080p]", "Film [1080p]"),
            ("x264 Film", "Film"),
            ("Film_XviD_AC3", "Film_AC3"),
            ("Film VC-1 DTS", "Film DTS"),
            ("Film HEVC", "Film"),
            ("AV1", "AV1"),
            (
                "Avcon and the xvideo of h2640",
                "Avcon and the xvideo of h2640",
            ),
            ("Émile h264 ü", "Émile ü"),
        ] {
            assert_eq!(dropped(stem), left, "{stem}");
        }
    }

    #[test]
    fn words_are_rewritten_in_their_own_style() {
        for (stem, codec, new) in [
            (
                "Show.1080p.x264-GROUP",
                Codec::Hevc,
                "Show.1080p.x265-GROUP",
            ),
            (
                "Show.1080p.H.264-GROUP",
                Codec::Hevc,
                "Show.1080p.H.265-GROUP",
            ),
            ("Show.1080p.H.264-GROUP", Codec::Av1, "Show.1080p.AV1-GROUP"),
            ("Show [AVC]", Codec::Hevc, "Show [HEVC]"),
            ("Show xvid", Codec::H264, "Show h264"),
            ("Show [x264][h.264]", Codec::Hevc, "Show [x265][h.265]"),
            ("Show x265", Codec::Hevc, "Show x265"),
            ("Show", Codec::Hevc, "Show"),
        ] {
            assert_eq!(rewritten(stem, codec), new, "{stem}");
        }
    }

    proptest! {
        #[test]
        fn any_stem_stays_a_stem(stem in "[a-zA-Z0-9 ._\\-\\[\\]()éü]{0,12}(h264|x265|AVC|h\\.264|)[a-z0-9 ._\\-\\])]{0,8}") {
            let left = dropped(&stem);
            prop_assert!(stem.trim().is_empty() || !left.is_empty());
            prop_assert_eq!(dropped(&left.clone()).is_empty(), left.is_empty());
            let new = rewritten(&stem, Codec::Hevc);
            prop_assert_eq!(rewritten(&new, Codec::Hevc), new);
        }
    }
}
