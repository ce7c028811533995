//! Messages that documents quote are messages of the programs.

use std::path::Path;

/// The quoted messages of a document that no source holds. They stand in the first column of its tables, in backticks;
/// `…` stands for what the program fills in.
pub(crate) fn unknown(document: &str, sources: &str) -> Vec<String> {
    document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(message, _)| message)
        .filter(|message| {
            let mut pieces = message.split(['…', '\'']).map(str::trim);
            !pieces.all(|piece| sources.contains(piece))
        })
        .map(str::to_owned)
        .collect()
}

/// The text of all sources of the programs, with messages that span lines in one piece.
pub(crate) fn sources(repository: &Path) -> String {
    let mut text = String::new();
    for program in ["common", "producer", "worker", "monitor"] {
        read(&repository.join(program).join("src"), &mut text);
    }
    text
}

fn read(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).expect("a source");
            // A string goes on in the next line after a backslash.
            let mut lines = source.split("\\\n");
            text.push_str(lines.next().unwrap_or_default());
            for line in lines {
                text.push_str(line.trim_start());
            }
        }
    }
}

#[test]
fn a_message_that_no_program_has_is_found() {
    let document = "| it says | because |\n| `cannot open … now` | a |\n| `never said` | b |\n";
    let sources = "format!(\"cannot open {path} now\")";
    assert_eq!(unknown(document, sources), ["never said"]);
}
