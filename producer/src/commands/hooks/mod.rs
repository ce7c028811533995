//! `producer hooks`: who is told of what happens.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use common::broker::{Broker, HookStoreError, Overwrite};
use common::names::printable::printable;
use common::names::token::Token;
use common::notify::delivery::{Answer, HookHealth};
use common::notify::event::EventKind;
use common::notify::hook::{Hook, SavedHook};
use common::notify::occurrence::Occurrence;
use common::notify::secret::Secret;
use common::notify::send::Sender;
use common::notify::template::{Template, TemplateChoice};
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::examples;
use crate::display::table::NameTable;
use crate::display::{output, times};

/// Without a subcommand, the hooks are listed.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Save a hook: an address that is told of what happens
    #[command(after_long_help = examples::HOOKS_ADD)]
    Add(Box<Add>),
    /// List hooks, with what became of their last messages; secrets are never shown
    #[command(after_long_help = examples::HOOKS_LIST)]
    List,
    /// Remove a hook
    #[command(after_long_help = examples::HOOKS_REMOVE)]
    Remove {
        /// Hook name
        #[arg(value_name = "NAME")]
        name: Token,
    },
    /// Send one test message now, and tell what the other side said
    #[command(after_long_help = examples::HOOKS_TEST)]
    Test {
        /// Hook name
        #[arg(value_name = "NAME")]
        name: Token,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Hook name: letters, digits, `-` and `_`
    #[arg(value_name = "NAME")]
    pub name: Token,
    /// Address, e.g. https://host/path, ntfy://TOPIC, gotify://HOST/TOKEN, discord://ID/TOKEN, slack://T/B/TOKEN, sonarr://KEY@HOST:8989, smtps://USER:PASSWORD@HOST?from=A&to=B; `-` reads it from standard input
    #[arg(value_name = "URL")]
    pub url: Secret,
    /// Events, comma-separated: batch-done, job-failed, job-completed, worker-lost, library-finished [default: all but job-completed]
    #[arg(long, value_name = "EVENT", value_delimiter = ',')]
    pub on: Vec<EventKind>,
    /// Form of the request: json, ntfy, gotify, discord, slack, sonarr, radarr, jellyfin, plex, or a TOML file [default: by the address]
    #[arg(long, value_name = "NAME|FILE")]
    pub template: Option<String>,
    /// File with the secret that messages are signed with: at least 16 bytes, or `whsec_` and Base64
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Only for the batches of this label, or the library of this name
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// Replace an existing hook of this name
    #[arg(long)]
    pub overwrite: bool,
}

impl From<HookStoreError> for Error {
    fn from(error: HookStoreError) -> Self {
        match error {
            HookStoreError::Broker(error) => error.into(),
            HookStoreError::Unknown { .. } => Self::usage(error),
            HookStoreError::Taken(_) => Self::failed(format!("{error}; --overwrite replaces it")),
            HookStoreError::Changed(_) | HookStoreError::TooMany => Self::failed(error),
        }
    }
}

impl Options {
    /// Whether the command writes to the farm.
    pub(crate) fn keeps(&self) -> bool {
        matches!(self.verb, Some(Verb::Add(_)))
    }
}

pub(super) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let json = options.json;
    match options.verb {
        None | Some(Verb::List) => list(&settings.connect().await?, json).await,
        Some(Verb::Add(options)) => add(*options, settings, json).await,
        Some(Verb::Remove { name }) => {
            settings.connect().await?.remove_hook(&name, None).await?;
            print_change(&name, &format!("removed {name}"), json)
        }
        Some(Verb::Test { name }) => test(&settings.connect().await?, &name, json).await,
    }
}

async fn add(options: Add, settings: &Settings, json: bool) -> Result<Exit, Error> {
    let name = &options.name;
    let on = match options.on.is_empty() {
        true => BTreeSet::from(EventKind::USUAL),
        false => options.on.iter().copied().collect(),
    };
    let template = options.template.as_deref().map(template).transpose()?;
    let secret = options
        .secret_file
        .as_deref()
        .map(read_secret)
        .transpose()?;
    let mut hook = Hook {
        url: address(options.url)?,
        on,
        template,
        secret,
        only: options.only,
        added: Timestamp::UNIX_EPOCH,
    };
    hook.prepare().map_err(Error::usage)?;
    let broker = settings.connect().await?;
    hook.added = broker.now();
    let over = match options.overwrite {
        true => Overwrite::Anything,
        false => Overwrite::Nothing,
    };
    broker.save_hook(name, &hook, over).await?;
    let events: Vec<&str> = hook.on.iter().map(|kind| kind.as_str()).collect();
    let done = format!(
        "saved {name}: {} is told of {}; `producer hooks test {name}` sends a message now",
        hook.shown(),
        events.join(", ")
    );
    print_change(name, &done, json)
}

/// The address, from standard input if it is to be read there: a command line is seen by others.
fn address(given: Secret) -> Result<Secret, Error> {
    if given.reveal() != "-" {
        return Ok(given);
    }
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    read.map_err(|error| Error::usage(format!("the address cannot be read: {error}")))?;
    Ok(Secret::from(line.trim()))
}

/// A built-in template, or one of a file: a name with a slash or a dot.
fn template(text: &str) -> Result<TemplateChoice, Error> {
    if !text.contains(['/', '\\', '.']) {
        return text
            .parse()
            .map(TemplateChoice::Named)
            .map_err(Error::usage);
    }
    let content = read(Path::new(text))?;
    let own = Template::read(&content);
    let own = own.map_err(|error| Error::usage(format!("{text}: {error}")))?;
    Ok(TemplateChoice::Own(Box::new(own)))
}

fn read_secret(file: &Path) -> Result<Secret, Error> {
    Ok(Secret::from(read(file)?.trim_end_matches(['\r', '\n'])))
}

fn read(file: &Path) -> Result<String, Error> {
    std::fs::read_to_string(file)
        .map_err(|error| Error::usage(format!("{} cannot be read: {error}", file.display())))
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a Token,
    target: String,
    on: &'a BTreeSet<EventKind>,
    template: String,
    signed: bool,
    only: &'a Option<String>,
    added: Timestamp,
    sent: Option<Timestamp>,
    failed: Option<Timestamp>,
    error: &'a Option<String>,
    failing: bool,
    dropped: u64,
}

async fn list(broker: &Broker, json: bool) -> Result<Exit, Error> {
    let hooks = broker.hooks().await?;
    let healths: HashMap<Token, HookHealth> = broker.hook_healths().await?;
    let healthy = HookHealth::default();
    let rows: Vec<Row<'_>> = hooks
        .iter()
        .map(|SavedHook { name, hook, .. }| (name, hook, healths.get(name).unwrap_or(&healthy)))
        .map(|(name, hook, health)| Row {
            name,
            target: hook.shown(),
            on: &hook.on,
            template: hook.template_name(),
            signed: hook.secret.is_some(),
            only: &hook.only,
            added: hook.added,
            sent: health.sent,
            failed: health.failed,
            error: &health.error,
            failing: health.is_failing(),
            dropped: health.dropped,
        })
        .collect();
    if json {
        output::print_json(&rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        output::print("no hooks: `producer hooks add NAME URL` saves one");
        return Ok(Exit::Done);
    }
    output::print(&shown(&rows));
    Ok(Exit::Done)
}

fn shown(rows: &[Row<'_>]) -> String {
    let mut table = NameTable::new(&["Hook", "Last sent", "Template", "Events", "Address"]);
    for row in rows {
        let events: Vec<&str> = row.on.iter().map(|kind| kind.as_str()).collect();
        let only = row.only.as_ref();
        let only = only.map_or_else(String::new, |only| format!(" (only {})", printable(only)));
        let signed = if row.signed { ", signed" } else { "" };
        let cells = vec![
            row.name.to_string(),
            row.sent.map_or_else(|| "never".to_owned(), times::local),
            format!("{}{signed}", row.template),
            format!("{}{only}", events.join(", ")),
        ];
        let note = row.error.as_ref().zip(row.failed).filter(|_| row.failing);
        let failed = note.map(|(error, at)| format!("failed {}: {error}", times::local(at)));
        let dropped = format!("{} messages were dropped: too many waited", row.dropped);
        let dropped = (row.dropped > 0).then_some(dropped);
        let notes: Vec<String> = failed.into_iter().chain(dropped).collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        table.row(cells, printable(&row.target), note);
    }
    table.text()
}

async fn test(broker: &Broker, name: &Token, json: bool) -> Result<Exit, Error> {
    let saved = broker.hook(name).await?;
    let prepared = saved.hook.prepare().map_err(Error::usage)?;
    let now = broker.now();
    let answer = Sender::new()
        .send(&prepared, &Occurrence::test(now), now)
        .await;
    let taken = matches!(answer, Answer::Taken(_));
    broker.note_answer(name, &answer).await?;
    if json {
        output::print_json(&TestJson {
            hook: name,
            taken,
            words: answer.words(),
        })?;
    } else {
        output::print(&printable(answer.words()));
    }
    Ok(if taken { Exit::Done } else { Exit::Failed })
}

#[derive(Serialize)]
struct TestJson<'a> {
    hook: &'a Token,
    taken: bool,
    words: &'a str,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    hook: &'a Token,
}

fn print_change(hook: &Token, done: &str, json: bool) -> Result<Exit, Error> {
    if json {
        output::print_json(&ChangeJson { hook })?;
    } else {
        output::print(&printable(done));
    }
    Ok(Exit::Done)
}
