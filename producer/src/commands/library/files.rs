//! `producer library files`.

use clap::{Args, ValueEnum};
use common::library::file::{FileRecord, FileState, FileStateKind};
use common::names::printable::printable;
use common::names::token::Token;
use common::rules::condition::Condition;
use common::say;
use jiff::Timestamp;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::table::NameTable;
use crate::display::{output, units};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Library name
    #[arg(id = "library", value_name = "NAME")]
    name: Token,
    /// Only files in these states: waiting, queued, done, kept, skipped, excluded, failed, cancelled, refused, unreadable
    #[arg(long, value_name = "STATE,…", value_delimiter = ',')]
    state: Vec<FileStateKind>,
    /// Only files for which this holds, e.g. 'video.codec in [h264, mpeg2video] and height > 720'
    #[arg(long, value_name = "CONDITION")]
    r#where: Option<Condition>,
    /// Only files whose last check has found damage
    #[arg(long)]
    damaged: bool,
    /// Only files whose path contains this text
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Order of the files
    #[arg(long, value_name = "BY", default_value = "name")]
    sort: Sort,
    /// Show at most N files
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Leave out the first N files: the next page
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    Name,
    /// The largest first
    Size,
    /// By what becomes of them
    State,
}

impl Options {
    fn wants(&self, record: &FileRecord, now: Timestamp) -> bool {
        let location = || record.input.location.to_string().to_lowercase();
        let holds = |text: &String| location().contains(&text.to_lowercase());
        let is_wanted = |condition: &Condition| {
            let facts = record.facts.as_ref();
            facts.is_some_and(|facts| condition.holds(facts, now))
        };
        (self.state.is_empty() || self.state.contains(&record.state.kind()))
            && (!self.damaged || record.check.damage.is_some())
            && self.r#where.as_ref().is_none_or(is_wanted)
            && self.text.as_ref().is_none_or(holds)
    }
}

pub(super) async fn run(options: Options, settings: &Settings, json: bool) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let library = broker.library(&options.name).await?.library;
    let mut files = broker.files_of(&options.name).await?;
    let now = broker.now();
    files.retain(|record| options.wants(record, now));
    let name = |record: &FileRecord| record.input.location.clone();
    match options.sort {
        Sort::Name => files.sort_by_cached_key(name),
        Sort::Size => files.sort_by_key(|record| std::cmp::Reverse(record.input.size)),
        Sort::State => files.sort_by_cached_key(|record| (record.state.kind(), name(record))),
    }
    let total = files.len();
    files.drain(..options.offset.min(total));
    files.truncate(options.limit);
    if json {
        output::print_json(&files)?;
        return Ok(Exit::Done);
    }
    let last = broker.scan(&options.name).await?.and_then(|scan| scan.last);
    if let Some(last) = last.filter(|last| last.arriving > 0) {
        let are = if last.arriving == 1 { "is" } else { "are" };
        let files = units::count(last.arriving, "file");
        say!("{files} {are} still arriving, and not in this list yet");
    }
    if files.is_empty() {
        match total {
            0 => say!("no such files are known of {}", options.name),
            total => say!("{total} files, and none behind --offset {}", options.offset),
        }
        return Ok(Exit::Done);
    }
    let mut table = NameTable::new(&["State", "Size", "Codec", "Picture", "Range", "File"]);
    for record in &files {
        let video = record.facts.as_ref().and_then(|facts| facts.video.as_ref());
        let cells = vec![
            record.state.kind().to_string(),
            size(record),
            record.codec().unwrap_or_default().to_owned(),
            video
                .map(|video| format!("{}x{}", video.width, video.height))
                .unwrap_or_default(),
            record.hdr().unwrap_or_default().to_owned(),
        ];
        let damage = record.check.damage.as_deref();
        let note = damage.or(record.state.why()).map(printable);
        table.row(cells, below(record, &library.location.to_string()), note);
    }
    output::print(&table.text());
    let end = options.offset + files.len();
    if total > end {
        say!(
            "{} of {total} shown; --limit shows more, --offset {end} the next ones",
            files.len()
        );
    }
    Ok(Exit::Done)
}

/// The size of a file, or of the source and the output of one that is done.
fn size(record: &FileRecord) -> String {
    match &record.state {
        FileState::Done(done) => {
            format!(
                "{} → {}",
                units::bytes(done.before),
                units::bytes(done.after)
            )
        }
        _ => units::bytes(record.input.size),
    }
}

/// The path of a file below its library.
fn below(record: &FileRecord, library: &str) -> String {
    let location = record.input.location.to_string();
    let path = location.strip_prefix(library).unwrap_or(&location);
    printable(path.trim_start_matches('/'))
}
