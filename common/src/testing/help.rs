//! What documents and the help of a program say of its command line, held against the command line itself.

use super::documents::{self, CommandLine};

/// A command of a program and all its subcommands that people see, with the words that call each: `producer setup add`.
pub fn all(command: &clap::Command) -> Vec<(String, clap::Command)> {
    let mut command = command.clone();
    command.build();
    let mut found = Vec::new();
    collect(&command, "", &mut found);
    found
}

fn collect(command: &clap::Command, before: &str, found: &mut Vec<(String, clap::Command)>) {
    let words = format!("{before} {}", command.get_name())
        .trim_start()
        .to_owned();
    for inner in command.get_subcommands() {
        if !inner.is_hide_set() && inner.get_name() != "help" {
            collect(inner, &words, found);
        }
    }
    found.push((words, command.clone()));
}

/// The examples in the long help of a command and of its subcommands.
pub fn examples(command: &clap::Command) -> Vec<CommandLine> {
    all(command)
        .iter()
        .flat_map(|(words, command)| examples_of(words, command))
        .collect()
}

fn examples_of(words: &str, command: &clap::Command) -> Vec<CommandLine> {
    let Some(help) = command
        .get_after_long_help()
        .or_else(|| command.get_after_help())
    else {
        return Vec::new();
    };
    let program = words.split(' ').next().unwrap_or_default();
    documents::command_lines_of(
        program,
        &format!("the help of `{words}`"),
        1,
        &help.to_string(),
    )
}

/// The commands without an example in their own help that begins with their own words. A command that only has
/// subcommands needs none.
pub fn without_example(command: &clap::Command) -> Vec<String> {
    all(command)
        .iter()
        .filter(|(_, command)| !command.is_subcommand_required_set())
        .filter(|(words, command)| {
            let own: Vec<&str> = words.split(' ').collect();
            !examples_of(words, command).iter().any(|example| {
                example
                    .words
                    .iter()
                    .map(String::as_str)
                    .take(own.len())
                    .eq(own.iter().copied())
            })
        })
        .map(|(words, _)| words.clone())
        .collect()
}

/// What is wrong with commands that documents and help show, by the parser of the program.
pub fn refused(
    lines: &[CommandLine],
    parse: impl Fn(&[String]) -> Result<(), clap::Error>,
) -> Vec<String> {
    lines
        .iter()
        .filter_map(|line| {
            let error = parse(&line.words)
                .err()
                .filter(|error| error.use_stderr())?;
            let first = error
                .to_string()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            Some(format!("{}: {}: {first}", line.place, line.words.join(" ")))
        })
        .collect()
}

/// The commands in the prose of all documents whose words or options the program does not have: code spans like
/// `producer enqueue … --wait`. Alternatives stand as `encode|enqueue`.
pub fn unknown_in_prose(command: &clap::Command) -> Vec<String> {
    let known = all(command);
    let mut wrong = Vec::new();
    for document in documents::documents() {
        let text = documents::text(&document);
        let prose: String = text.split("```").step_by(2).collect();
        for span in prose.split('`').skip(1).step_by(2) {
            if span.split(' ').next() == Some(command.get_name()) && span.contains(' ') {
                let why = unknown(&known, &span.replace("\\|", "|").replace('\n', " "));
                let document = documents::name(&document);
                wrong.extend(why.map(|why| format!("{document}: `{span}`: {why}")));
            }
        }
    }
    wrong
}

/// The first word or option of a command in prose that the program does not have.
fn unknown(known: &[(String, clap::Command)], span: &str) -> Option<String> {
    let command = |words: &str| known.iter().find(|(known, _)| known == words);
    let mut words = span.split_whitespace();
    let mut reached = vec![words.next().unwrap_or_default().to_owned()];
    let mut is_path = true;
    for word in words {
        let word = word.trim_matches(['[', ']', ',']);
        if let Some(option) = word.strip_prefix("--") {
            let name = option.split(['=', '|']).next().unwrap_or_default();
            let has = |words: &String| {
                command(words).is_some_and(|(_, command)| {
                    command
                        .get_arguments()
                        .any(|argument| argument.get_long() == Some(name))
                })
            };
            if !name.is_empty() && name != "help" && !reached.iter().all(has) {
                return Some(format!("there is no --{name}"));
            }
            is_path = false;
        } else if is_path && word.starts_with(|c: char| c.is_ascii_lowercase()) {
            let next: Vec<String> = reached
                .iter()
                .flat_map(|before| word.split('|').map(move |word| format!("{before} {word}")))
                .collect();
            let has_subcommands = reached
                .iter()
                .any(|words| command(words).is_some_and(|(_, command)| command.has_subcommands()));
            if !has_subcommands {
                is_path = false;
                continue;
            }
            if let Some(missing) = next.iter().find(|words| command(words).is_none()) {
                return Some(format!("there is no `{missing}`"));
            }
            reached = next;
        } else {
            is_path = false;
        }
    }
    None
}
