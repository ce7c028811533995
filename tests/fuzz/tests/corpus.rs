//! Each file of the corpus, and changes of it, against what must hold for any bytes.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What is put into a file in place of something else. Each once broke a reader of media files somewhere.
const HOSTILE: [&str; 16] = [
    "",
    "0",
    "-1",
    "\"\"",
    "null",
    "NaN",
    "inf",
    "1/0",
    "0/0",
    "N/A",
    "9223372036854775808",
    "1e308",
    "-9e999",
    "[]",
    "{}",
    "\u{202e}\0",
];

/// A change of a file.
#[derive(Clone, Debug)]
enum Edit {
    /// Puts a hostile value in place of a number, a word or a string.
    Replace(Index, &'static str),
    /// Takes a line out.
    Drop(Index),
    /// Puts a copy of a line elsewhere.
    Copy(Index, Index),
    /// Sets a byte.
    Byte(Index, u8),
    /// Cuts the file off.
    Cut(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        6 => (any::<Index>(), select(&HOSTILE[..])).prop_map(|(at, with)| Edit::Replace(at, with)),
        2 => any::<Index>().prop_map(Edit::Drop),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::Copy(from, to)),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        1 => any::<Index>().prop_map(Edit::Cut),
    ]
}

fn edited(text: &str, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits {
        if bytes.is_empty() {
            break;
        }
        bytes = match edit {
            Edit::Replace(at, with) => replaced(&bytes, *at, with),
            Edit::Drop(at) => with_lines(&bytes, |lines| drop(lines.remove(at.index(lines.len())))),
            Edit::Copy(from, to) => with_lines(&bytes, |lines| {
                let line = lines[from.index(lines.len())].clone();
                lines.insert(to.index(lines.len()), line);
            }),
            Edit::Byte(at, byte) => {
                let mut bytes = bytes.clone();
                let at = at.index(bytes.len());
                bytes[at] = *byte;
                bytes
            }
            Edit::Cut(at) => bytes[..at.index(bytes.len())].to_vec(),
        };
    }
    bytes
}

fn with_lines(bytes: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    change(&mut lines);
    lines.join(&b'\n')
}

/// Replaces the value at or after a place: the run of letters, digits, signs and dots.
fn replaced(bytes: &[u8], at: Index, with: &str) -> Vec<u8> {
    let is_value = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._/:".contains(byte);
    let at = at.index(bytes.len());
    let Some(skipped) = bytes[at..].iter().position(is_value) else {
        return bytes.to_vec();
    };
    let begin = bytes[..at + skipped]
        .iter()
        .rposition(|byte| !is_value(byte))
        .map_or(0, |before| before + 1);
    let end = bytes[begin..]
        .iter()
        .position(|byte| !is_value(byte))
        .map_or(bytes.len(), |length| begin + length);
    [&bytes[..begin], with.as_bytes(), &bytes[end..]].concat()
}

/// The files for a target.
fn corpus(target: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let files = fs::read_dir(folder).expect("the corpus is there");
    let mut texts: Vec<String> = files
        .map(|file| fs::read_to_string(file.expect("an entry").path()).expect("text"))
        .collect();
    texts.sort();
    assert!(!texts.is_empty());
    texts
}

/// Holds a target against its corpus, and against this many changed files.
fn hold(target: fn(&[u8]), name: &str, cases: u32) {
    let texts = corpus(name);
    for text in &texts {
        target(text.as_bytes());
    }
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    };
    proptest!(config, |(text in select(texts), edits in vec(edit(), 1..6))| {
        target(&edited(&text, &edits));
    });
}

#[test]
fn any_answer_of_ffprobe_is_read_or_refused() {
    hold(fuzz::ffprobe, "ffprobe", 2000);
}

#[test]
fn any_progress_report_gives_figures_or_none() {
    hold(fuzz::progress, "progress", 5000);
}

#[test]
fn any_recipe_file_is_read_or_refused() {
    hold(fuzz::recipe, "recipe", 3000);
}

/// A corpus that is refused from its first byte would show little.
#[test]
fn the_corpus_is_sound() {
    for text in corpus("ffprobe") {
        let whole = text.split(fuzz::FRAMES).next().expect("a first part");
        let media = worker::ffmpeg::probe::answer::parse(whole.as_bytes());
        assert!(media.is_ok(), "{media:?}");
    }
    for text in corpus("recipe") {
        let read = common::recipe::RecipeFile::read(&text, common::recipe::FileFormat::Toml);
        assert!(read.is_ok(), "{read:?}");
    }
}
