//! Options that documents name, alone in a code span, are options of a program.

use std::collections::BTreeSet;

use common::testing::documents;
use harness::{paths, process, programs};

#[tokio::test]
async fn options_that_documents_name_exist() {
    let home = paths::test_folder();
    let mut known = BTreeSet::new();
    for program in ["producer", "worker", "monitor"] {
        let mut calls = vec![Vec::new()];
        while let Some(call) = calls.pop() {
            let mut command = programs::command(program, home.path());
            command.args(&call).arg("--help");
            let help = process::run(command).await.succeeded().stdout;
            known.extend(options(&help));
            calls.extend(commands(&help).into_iter().map(|word| {
                let mut call = call.clone();
                call.push(word);
                call
            }));
        }
    }
    assert!(known.len() > 150, "{known:?}");
    let mut wrong = Vec::new();
    for document in documents::documents() {
        let text = documents::text(&document);
        let prose: String = text.split("```").step_by(2).collect();
        for span in prose.split('`').skip(1).step_by(2) {
            if span.starts_with("--") {
                let unknown = options(span)
                    .into_iter()
                    .filter(|name| !known.contains(name));
                let document = documents::name(&document);
                wrong.extend(unknown.map(|name| format!("{document}: {name} in `{span}`")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names of the options in a text, with their dashes.
fn options(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| {
            word.strip_prefix("--")
                .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        })
        .map(|word| word.trim_end_matches('-').to_owned())
        .collect()
}

/// The commands that a help lists.
fn commands(help: &str) -> Vec<String> {
    help.split_once("\nCommands:\n")
        .map_or("", |(_, rest)| rest)
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|word| !word.is_empty() && *word != "help")
        .map(str::to_owned)
        .collect()
}
