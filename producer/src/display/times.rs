//! Times for people: in the local time zone, with its offset.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-11-25 20:46:00 +01:00`.
pub(crate) fn local(moment: Timestamp) -> String {
    within(moment, TimeZone::system())
}

/// A sentence of the farm with its RFC 3339 times replaced by [`local`] ones.
pub(crate) fn sentence(text: &str) -> String {
    each(text, local)
}

/// JSON with times cut to milliseconds: the broker's have nanoseconds, which not every reader takes.
pub(crate) fn in_milliseconds(json: &str) -> String {
    each(json, |moment| {
        let digits = if moment.subsec_millisecond() == 0 {
            0
        } else {
            3
        };
        format!("{moment:.digits$}")
    })
}

fn within(moment: Timestamp, zone: TimeZone) -> String {
    let local = moment.to_zoned(zone);
    local.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// The text with each RFC 3339 time in UTC replaced.
fn each(text: &str, words: impl Fn(Timestamp) -> String) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-:.+".contains(c);
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (token, after) = from.split_at(end);
        made.push_str(before);
        match moment(token) {
            Some((moment, behind)) => made += &(words(moment) + behind),
            None => made.push_str(token),
        }
        rest = after;
    }
    made.push_str(rest);
    made
}

/// A time at the beginning of a token, and the full stop or colon behind it.
fn moment(token: &str) -> Option<(Timestamp, &str)> {
    let end = token.find('Z')? + 1;
    let (text, behind) = token.split_at(end);
    let is_whole =
        text.as_bytes().get(10) == Some(&b'T') && behind.trim_matches(['.', ':']).is_empty();
    Some((text.parse().ok().filter(|_| is_whole)?, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_the_local_date_and_its_offset_and_no_fractions() {
        let moment: Timestamp = "2026-11-25T19:46:00.276687399Z".parse().expect("a time");
        let zone = |offset| TimeZone::fixed(jiff::tz::offset(offset));
        assert_eq!(within(moment, zone(1)), "2026-11-25 20:46:00 +01:00");
        assert_eq!(within(moment, zone(-8)), "2026-11-25 11:46:00 -08:00");
    }

    #[test]
    fn moments_within_a_sentence_are_found_and_nothing_else_is_changed() {
        let mark = |text: &str| each(text, |_| "<then>".to_owned());
        assert_eq!(
            mark("completed by w1 at 2026-11-25T20:04:03Z"),
            "completed by w1 at <then>"
        );
        assert_eq!(
            mark(
                "(w1: away since 2026-11-25T20:04:03Z: 403; w2: off hours until 2026-11-25T20:04:03.25Z)."
            ),
            "(w1: away since <then>: 403; w2: off hours until <then>)."
        );
        for plain in [
            "Z 2026-11-25 20:46:00Z 12:30 – ÄÖ …",
            "film-2026-11-25T20:04:03Zebra.mkv",
            "",
        ] {
            assert_eq!(mark(plain), plain);
        }
    }

    #[test]
    fn json_keeps_milliseconds_at_the_most() {
        assert_eq!(
            in_milliseconds(r#"["2026-11-25T19:46:00.276687399Z", "2026-11-25T19:46:00Z"]"#),
            r#"["2026-11-25T19:46:00.276Z", "2026-11-25T19:46:00Z"]"#
        );
    }
}
