//! `producer library show`.

use std::time::Duration;

use common::job::split::Split;
use common::library::scan::{ScanPhase, ScanRecord};
use common::library::summary::{Basis, Figures, Saving, Share, Summary};
use common::library::{Library, Results};
use common::matching::history::History;
use common::names::printable::printable;
use common::names::token::Token;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::{output, times, units};

/// The most kinds of files that are listed.
const LISTED: usize = 8;

#[derive(Serialize)]
struct Shown<'a> {
    name: &'a Token,
    library: &'a Library,
    revision: u64,
    scan: Option<&'a ScanRecord>,
    summary: &'a Summary,
}

pub(super) async fn run(name: &Token, settings: &Settings, json: bool) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let stored = broker.library(name).await?;
    let library = &stored.library;
    let scan = broker.scan(name).await?;
    let files = broker.files_of(name).await?;
    let reports = broker.recent_reports().await?;
    let farm = reports.iter().collect::<History>().ratios(&library.recipe);
    let summary = Summary::of(files.iter().map(Figures::from), &farm);
    if json {
        output::print_json(&Shown {
            name,
            library,
            revision: stored.revision,
            scan: scan.as_ref(),
            summary: &summary,
        })?;
        return Ok(Exit::Done);
    }
    let mut lines = settings_of(name, library);
    lines.push(("State", state(library, scan.as_ref(), broker.now())));
    if let Some(scan) = &scan {
        lines.extend(scan_lines(scan));
    }
    lines.push(("Files", sum(summary.all.files, summary.all.bytes)));
    lines.push(("Codecs", shares(&summary.codecs)));
    lines.push(("Resolution", shares(&summary.resolutions)));
    lines.push(("Range", shares(&summary.hdr)));
    let states = summary.states.iter();
    let states: Vec<String> = states
        .map(|share| format!("{} {}", share.sum.files, share.state))
        .collect();
    lines.push(("States", states.join(", ")));
    lines.push(("Left to do", sum(summary.to_do.files, summary.to_do.bytes)));
    lines.push(("Saved", saved(summary.saved)));
    lines.push(("Could save", could_save(&summary)));
    if summary.sound + summary.damaged > 0 {
        let checked = format!("{} sound, {} damaged", summary.sound, summary.damaged);
        lines.push(("Checked", checked));
    }
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        output::print(&format!("{name:width$}  {}", printable(text)));
    }
    Ok(Exit::Done)
}

fn settings_of(name: &Token, library: &Library) -> Vec<(&'static str, String)> {
    let results = match &library.results {
        Results::Folder(folder) => format!("into {folder}"),
        Results::Replace(replacement) => format!(
            "in the place of the sources, which go to {} for {} days",
            replacement.trash, replacement.days
        ),
    };
    let mut lines = vec![
        ("Library", name.to_string()),
        ("Location", library.location.to_string()),
        ("Recipe", library.recipe.to_string()),
        ("Results", results),
        ("Split", split(library.split)),
        ("Rules", rules(library)),
        ("Excluded", library.exclude.to_string()),
    ];
    let schedule = library.schedule.as_ref();
    lines.push((
        "Schedule",
        schedule.map(ToString::to_string).unwrap_or_default(),
    ));
    let time = |seconds: u64| humantime::format_duration(Duration::from_secs(seconds));
    lines.push((
        "Scans",
        format!(
            "every {}, of files that have not changed for {}",
            time(library.every),
            time(library.settle)
        ),
    ));
    let checks = match library.verify_per_day {
        0 => String::new(),
        files => format!("{} a day, for damage", units::count(files as usize, "file")),
    };
    lines.push(("Checks", checks));
    lines
}

fn split(split: Split) -> String {
    match split {
        Split::Off => "never".to_owned(),
        Split::Auto => "if it pays".to_owned(),
        Split::Every(_) => format!("in chunks of {split}"),
    }
}

fn rules(library: &Library) -> String {
    let skipped = library.rules.skip_if.as_ref();
    let skipped = skipped.map(|condition| format!("left as they are if {condition}"));
    let saving = library.rules.min_saving;
    let kept = saving.map(|saving| format!("kept unless {saving} smaller"));
    let rules: Vec<String> = skipped.into_iter().chain(kept).collect();
    rules.join("; ")
}

fn scan_lines(scan: &ScanRecord) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(last) = &scan.last {
        let mut text = format!(
            "{}: {} seen, {} probed, {} enqueued, {} gone",
            times::local(last.ended),
            units::count(last.files, "file"),
            last.probed,
            units::count(last.enqueued, "job"),
            last.gone
        );
        if last.arriving > 0 {
            text += &format!(", {} still arriving", last.arriving);
        }
        lines.push(("Last scan", text));
        lines.extend(
            last.unreadable
                .iter()
                .map(|path| ("Not read", path.clone())),
        );
    }
    lines.extend(scan.problem.clone().map(|problem| ("Problem", problem)));
    lines
}

/// What happens to a library now, by this machine's time zone.
pub(super) fn state(library: &Library, scan: Option<&ScanRecord>, now: Timestamp) -> String {
    if library.paused {
        return "paused".to_owned();
    }
    let mut state = scanned(scan, now);
    let clock = now.to_zoned(TimeZone::system());
    if let Some(hours) = library
        .schedule
        .as_ref()
        .filter(|_| !library.is_open(&clock))
    {
        state += "; outside its schedule";
        let opens = hours.next_change(&clock);
        state += &opens.map_or(String::new(), |opens| {
            format!(", opens {}", moment(&opens, &clock))
        });
    }
    state
}

/// `03:00`, or `Mon 03:00` on another day.
fn moment(at: &Zoned, now: &Zoned) -> String {
    let format = if at.date() == now.date() {
        "%H:%M"
    } else {
        "%a %H:%M"
    };
    at.strftime(format).to_string()
}

fn scanned(scan: Option<&ScanRecord>, now: Timestamp) -> String {
    match scan {
        None => "not scanned yet".to_owned(),
        Some(scan) if !scan.is_held(now) => "no worker scans it".to_owned(),
        Some(scan) if scan.problem.is_some() => format!("problem on {}", scan.worker),
        Some(scan) => match scan.phase {
            ScanPhase::Resting => format!("kept by {}", scan.worker),
            ScanPhase::Listing => format!("listed by {}", scan.worker),
            ScanPhase::Probing { done, of } => format!("{done} of {of} probed by {}", scan.worker),
            ScanPhase::Enqueueing => format!("enqueued by {}", scan.worker),
        },
    }
}

/// Bytes that were saved, or lost.
pub(super) fn saved(bytes: i64) -> String {
    let size = units::bytes(bytes.unsigned_abs());
    match bytes {
        ..0 => format!("-{size}"),
        _ => size,
    }
}

fn sum(files: u64, bytes: u64) -> String {
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    format!("{}, {}", units::count(files, "file"), units::bytes(bytes))
}

fn shares(shares: &[Share]) -> String {
    let listed = shares.iter().take(LISTED);
    let mut parts: Vec<String> = listed
        .map(|share| {
            let size = units::bytes(share.sum.bytes);
            format!("{} {} ({size})", share.sum.files, share.name)
        })
        .collect();
    if shares.len() > LISTED {
        parts.push("…".to_owned());
    }
    parts.join(", ")
}

/// What the files that are to be done could save, and how that is known.
fn could_save(summary: &Summary) -> String {
    if summary.to_do.files == 0 {
        return String::new();
    }
    let part = |saving: &Saving| {
        let Some((bytes, ratio)) = saving.bytes().zip(saving.ratio) else {
            return format!(
                "{} of {}: not known yet",
                saving.codec,
                units::bytes(saving.sum.bytes)
            );
        };
        let basis = match saving.basis {
            Some(Basis::Library) => "this library",
            _ => "the farm",
        };
        format!(
            "{} of {} {} (outputs have {:.0}% of their sources in {basis})",
            units::bytes(bytes),
            units::bytes(saving.sum.bytes),
            saving.codec,
            ratio * 100.0
        )
    };
    let parts: Vec<String> = summary.savings.iter().take(LISTED).map(part).collect();
    format!("{}: {}", units::bytes(summary.would_save), parts.join("; "))
}

#[cfg(test)]
mod tests {
    use common::job::replacement::Replacement;
    use common::names::location::Location;
    use common::recipe::Recipe;

    use super::*;

    #[test]
    fn a_library_outside_its_schedule_says_when_it_opens() {
        let now: Timestamp = "2026-05-04T12:30:00Z".parse().expect("a time");
        let clock = now.to_zoned(TimeZone::system());
        let at = |hours: i64| {
            clock
                .checked_add(jiff::Span::new().hours(hours))
                .expect("a time")
        };
        let films = Location::from_argument("/films").expect("a location");
        let results = Results::Replace(Replacement {
            trash: Replacement::trash_in(&films),
            days: 30,
            hard_links: Default::default(),
        });
        let mut library = Library::new(films, Recipe::copy(), results, now);
        assert_eq!(state(&library, None, now), "not scanned yet");
        let (opens, closes) = (at(2), at(3));
        let hours = format!("{}-{}", opens.strftime("%H:%M"), closes.strftime("%H:%M"));
        library.schedule = Some(hours.parse().expect("hours"));
        assert_eq!(
            state(&library, None, now),
            format!(
                "not scanned yet; outside its schedule, opens {}",
                moment(&opens, &clock)
            )
        );
        assert!(!state(&library, None, opens.timestamp()).contains("outside"));
        library.paused = true;
        assert_eq!(state(&library, None, now), "paused");
    }
}
