//! The manual pages: one for each program and command, with every option that `--help` tells of, and no fault that `man` or
//! `mandoc` finds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::paths;

fn run(program: &str, arguments: &[&str]) -> Output {
    let ran = Command::new(paths::program(program))
        .args(arguments)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{program} {arguments:?}: {ran:?}");
    ran
}

fn help(program: &str, arguments: &[&str]) -> String {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--help"]).collect();
    String::from_utf8(run(program, &arguments).stdout).unwrap()
}

/// The options that a help text begins lines with, e.g. `--max-jobs`.
fn options(help: &str) -> BTreeSet<String> {
    let starts = help.lines().map(str::trim_start);
    let words = starts
        .filter(|line| line.starts_with('-'))
        .flat_map(|line| line.split([' ', ',', '=', '[']));
    words
        .filter(|word| word.starts_with("--"))
        .map(|word| word.trim_end_matches("...").to_owned())
        .collect()
}

/// The commands in a help text: the words that begin the lines below `Commands:`.
fn commands(help: &str) -> Vec<String> {
    let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    below
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("    "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// A page as people read it: without its fonts, and with plain hyphens.
fn page(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.replace("\\-", "-")
        .replace("\\fB", "")
        .replace("\\fI", "")
        .replace("\\fR", "")
}

fn check(program: &str, path: &[&str], folder: &Path, checked: &mut BTreeSet<PathBuf>) {
    let help = help(program, path);
    let name = [&[program], path].concat().join("-");
    let file = folder.join(format!("{name}.1"));
    let page = page(&file);
    for option in options(&help) {
        assert!(page.contains(&option), "{name}: no {option}");
    }
    for command in commands(&help) {
        let inner = [path, &[&command]].concat();
        assert!(page.contains(&command), "{name}: no {command}");
        check(program, &inner, folder, checked);
    }
    checked.insert(file);
}

/// What a program that reads manual pages finds wrong; nothing where it is not installed.
fn faults(program: &str, arguments: &[&str], file: &Path) -> String {
    let ran = Command::new(program).args(arguments).arg(file).output();
    ran.map(|ran| String::from_utf8_lossy(&ran.stderr).into_owned() + &lint(program, &ran.stdout))
        .unwrap_or_default()
}

/// mandoc writes what it finds to standard output.
fn lint(program: &str, stdout: &[u8]) -> String {
    match program {
        "mandoc" => String::from_utf8_lossy(stdout).into_owned(),
        _ => String::new(),
    }
}

#[test]
fn every_program_and_command_has_a_page_with_all_its_options() {
    let folder = paths::test_folder();
    let folder = folder.path().join("man/man1");
    let mut checked = BTreeSet::new();
    for program in ["producer", "worker", "monitor"] {
        run(program, &["manual", folder.to_str().unwrap()]);
        check(program, &[], &folder, &mut checked);
    }
    let written: BTreeSet<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(written, checked, "a page for each command, and no other");
    assert!(written.len() > 40, "{}", written.len());
    for file in &written {
        let found = faults(
            "man",
            &["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"],
            file,
        );
        assert_eq!(found, "", "{}", file.display());
        let found = faults("mandoc", &["-T", "lint", "-W", "error"], file);
        assert_eq!(found, "", "{}", file.display());
    }
}
