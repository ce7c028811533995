//! Long names, cut to fit a column. The parts in which they differ are kept.

use std::collections::HashMap;

/// Characters at the end of a name that are kept: they show the kind of the file.
const END: usize = 6;

/// The text cut in its middle to at most `most` characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let head = (most.saturating_sub(1)) / 2;
    let tail = most.saturating_sub(1) - head;
    text.chars()
        .take(head)
        .chain(['…'])
        .chain(text.chars().skip(count - tail))
        .collect()
}

/// The names, each with its form of at most `most` characters. A cut name keeps the part in which it differs from the
/// other names.
pub(crate) fn distinct<'a>(
    names: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> HashMap<&'a str, String> {
    let mut sorted: Vec<(Vec<char>, &str)> = names
        .into_iter()
        .map(|name| (name.chars().collect(), name))
        .collect();
    sorted.sort_unstable();
    sorted.dedup();
    let shared = |a: usize, b: usize| common_prefix(&sorted[a].0, &sorted[b].0);
    (0..sorted.len())
        .map(|at| {
            // In a sorted list, the most similar name is a neighbour.
            let before = at.checked_sub(1).map_or(0, |before| shared(before, at));
            let after = if at + 1 < sorted.len() {
                shared(at, at + 1)
            } else {
                0
            };
            let (name, whole) = &sorted[at];
            (*whole, around(name, before.max(after), most))
        })
        .collect()
}

/// The length of the beginning that two names have in common.
fn common_prefix(a: &[char], b: &[char]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// A name, cut to at most `most` characters. The part at the index `differs` is kept.
fn around(name: &[char], differs: usize, most: usize) -> String {
    if name.len() <= most {
        return name.iter().collect();
    }
    if most < 4 * END || differs < most / 2 {
        return shortened(&name.iter().collect::<String>(), most);
    }
    // The kept part begins with the word: a number is read from its first digit.
    let is_word = |c: &&char| c.is_alphanumeric();
    let word = name[..differs.min(name.len())]
        .iter()
        .rev()
        .take_while(is_word)
        .count();
    let head = most / 4;
    let from = differs.saturating_sub(word.min(END));
    let room = most - head - END - 2;
    let from = from.min(name.len() - END - room).max(head);
    let part = |from: usize, to: usize| name[from..to].iter();
    let last = name.len() - END;
    part(0, head)
        .chain(&['…'])
        .chain(part(from, from + room))
        .chain(&['…'])
        .chain(part(last, name.len()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_both_ends() {
        assert_eq!(shortened("abcdefghij", 5), "ab…ij");
        assert_eq!(shortened("abc", 5), "abc");
    }

    #[test]
    fn names_that_begin_and_end_alike_keep_where_they_differ() {
        let names: Vec<String> = (1..=12)
            .map(|episode| {
                format!(
                    "Planet of the Very Long Titles - S02E{episode:02} - 1080p DTS-HD.MA.5.1.mkv"
                )
            })
            .collect();
        let cut = distinct(names.iter().map(String::as_str), 32);
        for (nth, name) in names.iter().enumerate() {
            let short = &cut[name.as_str()];
            assert!(short.contains(&format!("S02E{:02}", nth + 1)), "{short}");
            assert!(
                short.starts_with("Planet o") && short.ends_with(".1.mkv"),
                "{short}"
            );
            assert!(short.chars().count() <= 32, "{short}");
        }
    }

    #[test]
    fn every_name_that_differs_is_short_and_its_own() {
        let groups = [
            vec![
                "The Long Dark Show (2019) - S01E01 - Pilot [1080p][AAC 2.0][h264]-GROUP.mkv"
                    .to_owned(),
                "The Long Dark Show (2019) - S01E02 - Other [1080p][AAC 2.0][h264]-GROUP.mkv"
                    .to_owned(),
            ],
            (0..40)
                .map(|n| format!("{}{n:03}", "a".repeat(100)))
                .collect(),
            (0..40)
                .map(|n| format!("{n:03}{}", "ä".repeat(100)))
                .collect(),
            (0..40)
                .map(|n| format!("{}{n:03}{}", "б".repeat(50), "x".repeat(50)))
                .collect(),
            vec!["short.mkv".to_owned(), "a".repeat(400)],
        ];
        for most in [24, 32, 60] {
            for names in &groups {
                let cut = distinct(names.iter().map(String::as_str), most);
                let mut shorts: Vec<&String> = cut.values().collect();
                assert!(
                    shorts.iter().all(|short| short.chars().count() <= most),
                    "{shorts:#?}"
                );
                shorts.sort();
                shorts.dedup();
                assert_eq!(shorts.len(), names.len(), "{shorts:#?}");
            }
        }
        assert_eq!(distinct(["short.mkv"], 24)["short.mkv"], "short.mkv");
    }
}
