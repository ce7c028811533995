//! Secrets in the environment of a program: no help text of it shows them.

use std::collections::BTreeSet;
use std::path::Path;

use harness::{paths, process, programs};

/// What the value of each variable holds.
const SECRET: &str = "hunter2";

/// Parts of the names of variables that may hold a secret. Others name files and places.
const SECRETIVE: [&str; 4] = ["NATS_URL", "SECRET", "TOKEN", "PASSWORD"];

/// The variables that a help text names, as `[env: NAME=` or `[env: NAME]`.
fn variables(help: &str) -> impl Iterator<Item = &str> {
    let behind = help.split("[env: ").skip(1);
    behind.filter_map(|rest| rest.split(['=', ']']).next())
}

/// The subcommands that a help text lists.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help
        .lines()
        .skip_while(|line| line.trim() != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty() && !line.ends_with(':'));
    // A long description goes on in lines that are indented further.
    let named = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = named.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

async fn help(program: &str, words: &[String], secrets: &BTreeSet<String>, home: &Path) -> String {
    let mut command = programs::command(program, home);
    for name in secrets {
        command.env(name, format!("nats://me:{SECRET}@{name}.example"));
    }
    command.args(words).arg("--help");
    process::run(command).await.succeeded().stdout
}

#[tokio::test]
async fn no_help_text_shows_a_secret() {
    let home = paths::test_folder();
    let mut texts = 0;
    for program in ["producer", "worker", "monitor"] {
        let mut known = BTreeSet::new();
        let mut commands = vec![Vec::new()];
        while let Some(words) = commands.pop() {
            let plain = help(program, &words, &BTreeSet::new(), home.path()).await;
            known.extend(variables(&plain).map(str::to_owned));
            for name in subcommands(&plain) {
                commands.push([&words[..], &[name]].concat());
            }
            let secretive = known
                .iter()
                .filter(|name| SECRETIVE.iter().any(|part| name.contains(part)));
            let secrets: BTreeSet<String> = secretive.cloned().collect();
            let told = help(program, &words, &secrets, home.path()).await;
            assert!(!told.contains(SECRET), "{program} {words:?}: {told}");
            texts += 1;
        }
        assert!(known.contains("NATS_URL"), "{program} names {known:?}");
    }
    assert!(texts > 20, "{texts} commands were found");
}
