//! Text from strangers (file names, logs, tags), made safe to print.

/// The text as one line, with every character escaped that a terminal would obey instead of show: control characters,
/// line breaks, and marks that change the reading direction.
pub fn printable(text: &str) -> String {
    escaped(text, |c, clean| clean.extend(c.escape_default()))
}

/// As [`printable`], with its line breaks and tabs kept.
pub fn printable_lines(text: &str) -> String {
    escaped(text, |c, clean| match c {
        '\n' | '\t' => clean.push(c),
        c => clean.extend(c.escape_default()),
    })
}

/// As [`printable_lines`], for JSON: what is escaped is still the same JSON.
pub fn printable_json(json: &str) -> String {
    escaped(json, |c, clean| match c {
        '\n' => clean.push(c),
        // None of these characters needs two units.
        c => *clean += &format!("\\u{:04x}", u32::from(c)),
    })
}

fn escaped(text: &str, escape: impl Fn(char, &mut String)) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || turns_direction(c) {
            escape(c, &mut clean);
        } else {
            clean.push(c);
        }
    }
    clean
}

/// Marks of direction, and the line breaks that are no control characters.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(printable("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
        assert_eq!(printable("🎬 it's \"fine\".mp4"), "🎬 it's \"fine\".mp4");
        assert_eq!(printable_lines("a\r\n\tb\u{9b}c"), "a\\r\n\tb\\u{9b}c");
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "name": "a\u{1b}b\u{9b}c\u{202e}d\u{7f}\né" });
        let text = printable_json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(text.is_ascii() || !text.chars().any(|c| c != '\n' && c.is_control()));
        assert!(
            !text.contains('\u{202e}') && !text.contains('\u{9b}'),
            "{text}"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).expect("JSON"),
            value
        );
    }
}
