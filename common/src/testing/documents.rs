//! The commands in the documents of the repository, so that tests can hold them against the programs.

use std::path::{Path, PathBuf};

/// A fenced block of a document.
#[derive(Clone, Debug)]
pub struct Block {
    /// The document, as a path from the root of the repository.
    pub document: String,
    /// The number of the line behind the opening fence, from 1.
    pub line: usize,
    /// What stands behind the opening fence, e.g. `sh on attic`.
    pub info: String,
    /// Its lines, without the fences.
    pub text: String,
}

/// One command of a program: its words, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The document and the number of the line.
    pub place: String,
    /// The words as a shell reads them; the first is the program.
    pub words: Vec<String>,
}

/// The documents that people read: those at the root of the repository, and all below `docs`.
pub fn documents() -> Vec<PathBuf> {
    let root = root();
    let mut found: Vec<PathBuf> = entries(&root)
        .into_iter()
        .filter(|path| is_document(path))
        .collect();
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        let (inner, files): (Vec<_>, Vec<_>) =
            entries(&folder).into_iter().partition(|path| path.is_dir());
        folders.extend(inner);
        found.extend(files.into_iter().filter(|path| is_document(path)));
    }
    found.sort();
    found
}

/// The text of a document.
pub fn text(document: &Path) -> String {
    std::fs::read_to_string(document).expect("a document of the repository")
}

/// The path of a document from the root of the repository.
pub fn name(document: &Path) -> String {
    let inner = document.strip_prefix(root()).unwrap_or(document);
    inner.display().to_string().replace('\\', "/")
}

/// The fenced blocks of all documents.
pub fn blocks() -> Vec<Block> {
    let documents = documents();
    documents
        .iter()
        .flat_map(|document| blocks_of(&name(document), &text(document)))
        .collect()
}

/// The fenced blocks of a text.
pub fn blocks_of(document: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                open = Some(Block {
                    document: document.to_owned(),
                    line: index + 2,
                    info: info.trim().to_owned(),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    blocks
}

/// The commands of this program in all documents: in their blocks ` ```sh `.
pub fn command_lines(program: &str) -> Vec<CommandLine> {
    blocks()
        .iter()
        .filter(|block| block.info.starts_with("sh"))
        .flat_map(|block| command_lines_of(program, &block.document, block.line, &block.text))
        .collect()
}

/// The commands of this program in a text that a shell could read, the first line of which has this number.
pub fn command_lines_of(
    program: &str,
    document: &str,
    first: usize,
    text: &str,
) -> Vec<CommandLine> {
    let mut found = Vec::new();
    for (index, line) in lines(text) {
        let line = substituted(line);
        // A parser refuses the words of quotes that do not match.
        let words = shlex::split(&line)
            .unwrap_or_else(|| line.split_whitespace().map(str::to_owned).collect());
        for words in commands(words) {
            if words.first().is_some_and(|first| first == program) {
                let place = format!("{document}:{}", first + index);
                found.push(CommandLine { place, words });
            }
        }
    }
    found
}

/// The lines of a text, from 0. A line that ends with a backslash goes on in the next one.
pub fn lines(text: &str) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (index, line) in text.lines().enumerate() {
        let (part, more) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match joined.last_mut().filter(|_| goes_on) {
            Some((_, begun)) => *begun += part.trim_start(),
            None => joined.push((index, part.to_owned())),
        }
        goes_on = more;
    }
    joined
}

/// A line with `1` in the place of what other commands print: of each `$(…)`.
fn substituted(mut line: String) -> String {
    while let Some(begin) = line.find("$(") {
        let length = line[begin..].find(')').map_or(2, |end| end + 1);
        line.replace_range(begin..begin + length, "1");
    }
    line
}

/// The commands of a line: what stands between its operators, without redirections and variables in front.
fn commands(words: Vec<String>) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if ["|", "||", "&&", "&", ";", "{", "}"].contains(&word.as_str()) {
            commands.push(Vec::new());
        } else if [">", ">>", "<", "2>"].contains(&word.as_str()) {
            let target = words.next();
            if target.is_some_and(|target| target.ends_with(';')) {
                commands.push(Vec::new());
            }
        } else if let Some(word) = word.strip_suffix(';') {
            commands.last_mut().expect("one").push(word.to_owned());
            commands.push(Vec::new());
        } else {
            commands.last_mut().expect("one").push(word);
        }
    }
    for command in &mut commands {
        let is_variable = |word: &String| {
            let name = word.split_once('=').map(|(name, _)| name);
            name.is_some_and(|name| {
                !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
            })
        };
        let variables = command.iter().take_while(|&word| is_variable(word)).count();
        command.drain(..variables);
    }
    commands
}

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .expect("the package lies in the repository")
        .to_owned()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder)
        .expect("a folder of the repository")
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

fn is_document(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_their_commands_are_found_as_a_shell_reads_them() {
        let text = "# A\n```sh on attic\nexport A=b\nproducer jobs \\\n    --state failed   # a word\n```\n\n```\nA=b producer workers $(date +%F) | sort > list; monitor\n{ printf x | monitor password reader; } > file &\n```\n";
        let blocks = blocks_of("A.md", text);
        let infos: Vec<(&str, usize)> = blocks
            .iter()
            .map(|block| (block.info.as_str(), block.line))
            .collect();
        assert_eq!(infos, [("sh on attic", 3), ("", 9)]);
        let found = |program| {
            let found = blocks
                .iter()
                .flat_map(|block| command_lines_of(program, "A.md", block.line, &block.text));
            found
                .map(|line| format!("{} {}", line.place, line.words.join(" ")))
                .collect::<Vec<_>>()
        };
        let producer = [
            "A.md:4 producer jobs --state failed",
            "A.md:9 producer workers 1",
        ];
        assert_eq!(found("producer"), producer);
        assert_eq!(
            found("monitor"),
            ["A.md:9 monitor", "A.md:10 monitor password reader"]
        );
    }

    #[test]
    fn the_documents_of_the_repository_are_found() {
        let documents: Vec<String> = documents().iter().map(|path| name(path)).collect();
        for document in ["README.md", "docs/DESIGN.md", "docs/guide/SETUP.md"] {
            assert!(documents.contains(&document.to_owned()), "{documents:?}");
        }
    }
}
