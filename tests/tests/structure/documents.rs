//! Documents name only what exists: each link leads to a file and a heading, and each named file, folder, type and
//! function is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::tree;

/// The documents of a repository: those at its root, in `docs` and in the guide.
fn documents(repository: &Path) -> Vec<PathBuf> {
    ["", "docs", "docs/guide"]
        .iter()
        .flat_map(|folder| tree::entries(&repository.join(folder)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The links in all documents whose target is missing. Links to other hosts are not followed.
pub(crate) fn broken_links(repository: &Path) -> Vec<String> {
    let mut broken = Vec::new();
    for document in documents(repository) {
        let text = prose(&document);
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => document.clone(),
                file => document.with_file_name(file),
            };
            let is_there = target.exists()
                && (heading.is_empty() || headings(&prose(&target)).contains(heading));
            if !is_there {
                broken.push(format!("{}: {link}", tree::name(repository, &document)));
            }
        }
    }
    broken
}

/// The named files and folders that do not exist: paths that begin with a folder of the repository, and Rust files
/// below `tests/tests`.
pub(crate) fn missing_files(repository: &Path) -> Vec<String> {
    let mut missing = Vec::new();
    for document in documents(repository) {
        for span in code(&prose(&document)) {
            let Some((first, _)) = span.split_once('/') else {
                continue;
            };
            let root = if !first.is_empty() && repository.join(first).is_dir() {
                repository.to_owned()
            } else if span.ends_with(".rs") && !span.contains("://") {
                repository.join("tests/tests")
            } else {
                continue;
            };
            let document = tree::name(repository, &document);
            missing.extend(
                alternatives(&span)
                    .iter()
                    .filter(|path| !root.join(path).exists())
                    .map(|path| format!("{document}: {path}")),
            );
        }
    }
    missing
}

/// The named types and functions that the source code does not define: paths like `Run::spent` in all documents, and
/// the types in the third column of the glossary's tables.
pub(crate) fn missing_names(repository: &Path, sources: &[PathBuf]) -> Vec<String> {
    let defined: BTreeSet<String> = sources
        .iter()
        .flat_map(|folder| tree::files(&repository.join(folder)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| tree::text(&path))
        .flat_map(|text| words(&text).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut missing = Vec::new();
    for document in documents(repository) {
        let text = prose(&document);
        let mut named = code(&text);
        named.retain(|span| span.contains("::"));
        if document.ends_with("GLOSSARY.md") {
            let types = text.lines().filter_map(|line| line.split('|').nth(3));
            named.extend(
                types
                    .flat_map(code)
                    .filter(|span| span.starts_with(char::is_uppercase)),
            );
        }
        let document = tree::name(repository, &document);
        let is_missing = |name: &&String| words(name).any(|word| !defined.contains(word));
        missing.extend(
            named
                .iter()
                .filter(is_missing)
                .map(|name| format!("{document}: {name}")),
        );
    }
    missing
}

/// The identifiers of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// A document without its code blocks.
fn prose(document: &Path) -> String {
    let text = tree::text(document).expect("a document is text");
    text.split("```").step_by(2).collect()
}

/// The targets of links without a scheme, including images.
fn links(text: &str) -> Vec<String> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link.to_owned())
        .filter(|link| !link.contains("://"))
        .collect()
}

/// The anchors of the headings, as GitHub makes them.
fn headings(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect::<String>()
                .to_lowercase()
        })
        .collect()
}

/// The texts of all code spans.
fn code(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The paths that `a/{b,c}.rs` stands for.
fn alternatives(path: &str) -> Vec<String> {
    let braces = path
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (choices, after))) = braces else {
        return vec![path.to_owned()];
    };
    choices
        .split(',')
        .flat_map(|choice| alternatives(&format!("{before}{choice}{after}")))
        .collect()
}

#[test]
fn broken_links_and_missing_files_in_documents_are_found() {
    let folder = tree::made_up(&[
        (
            "README.md",
            "[a](docs/A.md#two-words) [b](docs/B.md) [c](docs/A.md#three) [d](#here)\n",
        ),
        (
            "docs/A.md",
            "# `Two` words\n`common/src/{a,b}.rs`, `flows/a.rs`, `flows/b.rs`, `s3://a/b.rs`\n```\n`common/no`\n```\n",
        ),
        (
            "docs/GLOSSARY.md",
            "| `NoType` | b | `Job`, `Gone`, stream `DEAD` | `NoType` |\n`Job::new`, `Job::lost`\n",
        ),
        (
            "docs/guide/A.md",
            "[a](../A.md) [b](../../README.md) [c](B.md)\n",
        ),
        ("common/src/a.rs", "struct Job; impl Job { fn new() {} }"),
        ("tests/tests/flows/a.rs", ""),
    ]);
    assert_eq!(
        broken_links(folder.path()),
        [
            "README.md: docs/B.md",
            "README.md: docs/A.md#three",
            "README.md: #here",
            "docs/guide/A.md: B.md"
        ]
    );
    assert_eq!(
        missing_files(folder.path()),
        ["docs/A.md: common/src/b.rs", "docs/A.md: flows/b.rs"]
    );
    assert_eq!(
        missing_names(folder.path(), &["common/src".into()]),
        [
            "docs/GLOSSARY.md: Job::lost",
            "docs/GLOSSARY.md: Gone",
            "docs/GLOSSARY.md: DEAD"
        ]
    );
}
