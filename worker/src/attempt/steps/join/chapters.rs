//! The chapters of a joined film: one where each part begins, or the part's own ones.

use crate::attempt::steps::join::part::Part;

/// The chapters as ffmpeg's metadata format. The chapters of a part that has some are kept, moved to where the part
/// begins; any other part is a chapter with its own name.
pub(super) fn metadata(parts: &[Part]) -> String {
    let mut text = ";FFMETADATA1\n".to_owned();
    let mut at = 0.0;
    for part in parts {
        let own = &part.media.chapters;
        if own.is_empty() {
            add(&mut text, at, at + part.length, &part.title);
        }
        for chapter in own {
            let within = |time: f64| at + (time - part.start.max(0.0)).clamp(0.0, part.length);
            let title = match (chapter.title.as_str(), own.len()) {
                ("", 1) => &part.title,
                (title, _) => title,
            };
            add(&mut text, within(chapter.start), within(chapter.end), title);
        }
        at += part.length;
    }
    text
}

fn add(text: &mut String, start: f64, end: f64, title: &str) {
    let ms = |seconds: f64| (seconds * 1000.0).round() as i64;
    let (start, end) = (ms(start), ms(end));
    let title = escaped(title);
    *text += &format!("[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n");
}

fn escaped(title: &str) -> String {
    let mut text = String::new();
    for c in title.chars() {
        if matches!(c, '=' | ';' | '#' | '\\' | '\n') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_cannot_add_chapters() {
        let mut text = String::new();
        add(&mut text, 0.0, 1.5, "a=b;\n[CHAPTER]#\\");
        let lines =
            "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1500\ntitle=a\\=b\\;\\\n[CHAPTER]\\#\\\\\n";
        assert_eq!(text, lines);
    }
}
