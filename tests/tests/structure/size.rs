//! Files and folders that are too large to be read in one go.
//!
//! A file's header may give the reason why it is longer, a folder's header the
//! reason why it holds more. The header of a folder is that of its `mod.rs`,
//! `main.rs` or `lib.rs`, of the module named after it, or its README:
//!
//! ```text
//! //! Over 400 lines: REASON
//! //! More than 12 entries: REASON
//! ```

use std::path::{Path, PathBuf};

use super::tree;

const LINES: usize = 400;
const ENTRIES: usize = 12;

const LINES_REASON: &str = "Over 400 lines: ";
const ENTRIES_REASON: &str = "More than 12 entries: ";

/// How many characters a reason has at least.
const REASON: usize = 20;

/// How a kind of source code marks its comments.
struct Comments {
    line: &'static str,
    block: Option<(&'static str, &'static str)>,
}

/// None where a file holds no source code.
fn comments(path: &Path, text: &str) -> Option<Comments> {
    let (line, block) = match path.extension().and_then(|extension| extension.to_str()) {
        Some("rs" | "js" | "mjs" | "ts") => ("//", Some(("/*", "*/"))),
        Some("css") => ("/*", Some(("/*", "*/"))),
        Some("html") => ("<!--", Some(("<!--", "-->"))),
        Some("py" | "sh" | "yaml" | "yml" | "toml" | "conf") => ("#", None),
        None if text.starts_with("#!") || path.ends_with("Makefile") => ("#", None),
        _ => return None,
    };
    Some(Comments { line, block })
}

/// The lines that are neither blank nor a comment.
fn lines_of_code(text: &str, comments: &Comments) -> usize {
    let mut inside = false;
    let mut count = 0;
    for line in text.lines().map(str::trim) {
        if let Some((begin, end)) = comments.block {
            if inside {
                inside = !line.contains(end);
                continue;
            }
            if line.starts_with(begin) {
                inside = !line.contains(end);
                continue;
            }
        }
        if !line.is_empty() && !line.starts_with(comments.line) {
            count += 1;
        }
    }
    count
}

/// The comment that a file begins with, or the whole of a README, gives a
/// reason.
fn gives(path: &Path, text: &str, reason: &str) -> bool {
    let is_prose = path.extension().is_some_and(|extension| extension == "md");
    text.lines()
        .map(str::trim)
        .take_while(|line| is_prose || line.is_empty() || line.starts_with(['/', '#', '*', '<']))
        .filter_map(|line| {
            line.trim_start_matches(['/', '!', '#', '*', '<', '-', ' '])
                .strip_prefix(reason)
        })
        .any(|given| given.trim().chars().count() >= REASON)
}

/// A finding for each file that is too long without a reason.
pub(crate) fn long_files(repository: &Path) -> Vec<String> {
    tree::files(repository)
        .iter()
        .filter_map(|path| {
            let text = tree::text(path)?;
            let lines = lines_of_code(&text, &comments(path, &text)?);
            (lines > LINES && !gives(path, &text, LINES_REASON))
                .then(|| format!("{}: {lines} lines of code", tree::name(repository, path)))
        })
        .collect()
}

/// The files that may give the reason for a folder.
fn headers(folder: &Path) -> Vec<PathBuf> {
    let inside = ["mod.rs", "main.rs", "lib.rs", "README.md"];
    inside
        .iter()
        .map(|name| folder.join(name))
        .chain(std::iter::once(folder.with_extension("rs")))
        .filter(|path| path.is_file())
        .collect()
}

/// A finding for each folder that is too full without a reason. The root is
/// none of them: tools decide which files lie there.
pub(crate) fn full_folders(repository: &Path) -> Vec<String> {
    tree::folders(repository)
        .iter()
        .filter(|folder| folder.as_path() != repository)
        .filter_map(|folder| {
            let entries = tree::entries(folder).len();
            let is_reasoned = headers(folder).iter().any(|path| {
                tree::text(path).is_some_and(|text| gives(path, &text, ENTRIES_REASON))
            });
            (entries > ENTRIES && !is_reasoned)
                .then(|| format!("{}: {entries} entries", tree::name(repository, folder)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(lines: usize) -> String {
        "let a = 1;\n".repeat(lines)
    }

    #[test]
    fn a_file_of_401_lines_is_found_and_its_blank_lines_and_comments_do_not_count() {
        let commented = format!("//! Header.\n\n/* of\nmany */\n{}  // end\n", code(400));
        let folder = tree::made_up(&[
            ("src/short.rs", &commented),
            ("src/long.rs", &code(401)),
            ("run", &format!("#!/bin/sh\n{}", "true\n".repeat(401))),
            ("data.json", &"1\n".repeat(500)),
            ("page.css", &format!("/* a */\n{}", "a {}\n".repeat(401))),
        ]);
        assert_eq!(
            long_files(folder.path()),
            [
                "page.css: 401 lines of code",
                "run: 401 lines of code",
                "src/long.rs: 401 lines of code"
            ]
        );
    }

    #[test]
    fn a_reason_counts_only_where_it_is_one_and_in_the_header() {
        let reason = "//! Over 400 lines: one table, a row for each kind of picture.\n";
        let folder = tree::made_up(&[
            (
                "a.rs",
                &format!("//! A table.\n//!\n{reason}\n{}", code(401)),
            ),
            (
                "b.rs",
                &format!("//! Over 400 lines: because.\n{}", code(401)),
            ),
            ("c.rs", &format!("{}{reason}", code(401))),
        ]);
        assert_eq!(
            long_files(folder.path()),
            ["b.rs: 401 lines of code", "c.rs: 401 lines of code"]
        );
    }

    #[test]
    fn a_folder_of_13_entries_is_found_unless_a_header_gives_the_reason() {
        let reason = "More than 12 entries: each is one kind of message.";
        let mut files: Vec<(String, String)> = Vec::new();
        for folder in ["full", "reasoned", "module", "fits"] {
            let entries = if folder == "fits" { 12 } else { 13 };
            files.extend((1..entries).map(|n| (format!("src/{folder}/{n}.rs"), String::new())));
        }
        files.push(("src/full/mod.rs".into(), "mod a;\n".into()));
        files.push(("src/fits/mod.rs".into(), "mod a;\n".into()));
        files.push((
            "src/reasoned/README.md".into(),
            format!("# Messages\n\n{reason}\n"),
        ));
        files.push(("src/module/13.rs".into(), String::new()));
        files.push(("src/module.rs".into(), format!("//! {reason}\n")));
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let folder = tree::made_up(&files);
        assert_eq!(full_folders(folder.path()), ["src/full: 13 entries"]);
    }
}
