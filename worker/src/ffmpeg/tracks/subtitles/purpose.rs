//! What a subtitle track is for, judged by its dispositions and by the words of its title.

use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::tracks::tags;

/// Words in titles of tracks that show only what is said in another language.
const FORCED: &[&str] = &[
    "forced",
    "forcé",
    "forcés",
    "forces",
    "forzado",
    "forzados",
    "forzati",
    "erzwungen",
];

/// Words in titles of tracks for the deaf and hard of hearing.
const SDH: &[&str] = &[
    "sdh",
    "cc",
    "hoh",
    "deaf",
    "hörgeschädigte",
    "gehörlose",
    "malentendants",
    "sordos",
];

/// Two words in a row in titles of such tracks.
const SDH_PAIRS: &[(&str, &str)] = &[
    ("closed", "captions"),
    ("hearing", "impaired"),
    ("hard", "of"),
];

/// Words that make the next word mean its opposite: `non-SDH`.
const NEGATIONS: &[&str] = &["non", "not", "no", "without"];

/// Whether the track shows only what is said in another language.
pub(crate) fn is_forced(subtitle: &Stream) -> bool {
    subtitle.dispositions.contains("forced") || says(subtitle, FORCED, &[])
}

/// Whether the track is for the deaf and hard of hearing.
pub(crate) fn is_sdh(subtitle: &Stream) -> bool {
    let marks = ["hearing_impaired", "captions"];
    marks
        .iter()
        .any(|mark| subtitle.dispositions.contains(*mark))
        || says(subtitle, SDH, SDH_PAIRS)
}

fn says(subtitle: &Stream, words: &[&str], pairs: &[(&str, &str)]) -> bool {
    let title = tags::title(subtitle).unwrap_or_default().to_lowercase();
    let said: Vec<&str> = title
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    said.iter().enumerate().any(|(at, word)| {
        let is_negated = at > 0 && NEGATIONS.contains(&said[at - 1]);
        let next = said.get(at + 1);
        let is_pair = next.is_some_and(|next| pairs.contains(&(*word, *next)));
        !is_negated && (words.contains(word) || is_pair)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titled(title: &str) -> Stream {
        Stream {
            tags: [("title".to_owned(), title.to_owned())].into(),
            ..Stream::default()
        }
    }

    #[test]
    fn titles_say_what_a_track_is_for() {
        for title in ["English [Forced]", "Deutsch (forced)", "Français forcés"] {
            assert!(is_forced(&titled(title)), "{title}");
        }
        for title in [
            "English SDH",
            "English (CC)",
            "Closed Captions",
            "for the hard of hearing",
            "Deutsch für Hörgeschädigte",
        ] {
            assert!(is_sdh(&titled(title)), "{title}");
            assert!(!is_forced(&titled(title)), "{title}");
        }
        for title in [
            "",
            "English",
            "non-SDH",
            "Not forced",
            "Account",
            "Unforced",
        ] {
            assert!(
                !is_sdh(&titled(title)) && !is_forced(&titled(title)),
                "{title}"
            );
        }
    }
}
