//! Rules: which one decides about a track.

use common::recipe::AudioRule;

use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::tracks::audio::commentary::is_commentary;
use crate::ffmpeg::tracks::audio::select;
use crate::ffmpeg::tracks::tags;

/// The first rule that a track matches. `sounds` are all audio tracks of the input.
pub(super) fn find<'a>(
    rules: &'a [AudioRule],
    sound: &Stream,
    sounds: &[&Stream],
) -> Option<&'a AudioRule> {
    rules.iter().find(|rule| matches(rule, sound, sounds))
}

fn matches(rule: &AudioRule, sound: &Stream, sounds: &[&Stream]) -> bool {
    let AudioRule {
        languages,
        codecs,
        channels,
        commentary,
        title,
        outputs: _,
    } = rule;
    let has_language = |language| select::has(sound, language, sounds);
    let has_title = |pattern: &str| is_like(tags::title(sound).unwrap_or_default(), pattern);
    (languages.is_empty() || languages.iter().any(has_language))
        && (codecs.is_empty()
            || codecs
                .iter()
                .any(|codec| codec.eq_ignore_ascii_case(&sound.codec)))
        && channels.is_none_or(|channels| channels.hold(sound.channels))
        && commentary.is_none_or(|commentary| commentary == is_commentary(sound))
        && title.as_deref().is_none_or(has_title)
}

/// Whether a text is like a pattern in which `*` stands for any text. Capital letters do not count.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (text, pattern) in [
            ("Director's Commentary", "*COMMENT*"),
            ("", "*"),
            ("", ""),
            ("Surround 5.1", "surround*"),
            ("Surround 5.1", "*5.1"),
            ("a-b-c", "a*b*c"),
            ("abab", "*ab"),
        ] {
            assert!(is_like(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [
            ("Commentary", "comment"),
            ("ab", "ab*ab"),
            ("", "?*a"),
            ("abc", "*b"),
            ("a-c", "a*b*c"),
        ] {
            assert!(!is_like(text, pattern), "{text} {pattern}");
        }
    }
}
