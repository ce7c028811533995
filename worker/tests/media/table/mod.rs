//! The table of docs/MEDIA.md: what is kept, converted or lost, by container and encoder. Each cell comes from real
//! outputs, read by an old and a recent ffprobe. The worker's own list of changes has to agree.

mod held;
mod inputs;

use std::collections::BTreeMap;
use std::path::Path;

use common::job::changes::{Change, Fate, Kind};
use common::recipe::{Container, Recipe};
use serde_json::Value;

use crate::studio::Studio;
use crate::table::held::held;
use crate::table::inputs::{Input, files, pictures};
use crate::{picture, studio};

/// The document with the table, and the lines before and after the table.
const DOCUMENT: &str = "../docs/MEDIA.md";

const BEGIN: &str = "<!-- table of what is kept: made by a test -->\n";

const END: &str = "<!-- end of the table -->\n";

/// The variable that has the table written instead of compared.
const REWRITE: &str = "REWRITE_MEDIA_TABLE";

/// What became of one kind in one output, or that it was refused.
type Cell = &'static str;

/// The encoder and the container of an output.
struct Column {
    name: String,
    recipe: Recipe,
}

fn column(encoder: &str, container: Container) -> Column {
    let recipe = match encoder {
        "copy" => studio::copy()
            .edit(|draft| draft.container = container)
            .expect("a sound recipe"),
        _ => picture::recipe(encoder, container),
    };
    let audio = match container {
        Container::Webm => "copy,else=libopus",
        _ => "copy",
    };
    Column {
        name: format!("{encoder} {container}"),
        recipe: recipe
            .edit(|draft| draft.audio = audio.parse().expect("audio"))
            .expect("a sound recipe"),
    }
}

/// What the judge finds: the same in both files, something else, or nothing.
fn found(kind: Kind, before: &Value, after: &Value) -> Cell {
    let held_before =
        held(kind, before).unwrap_or_else(|| panic!("the input holds no {kind}: {before:#}"));
    match held(kind, after) {
        Some(after) if after == held_before => "kept",
        Some(_) => "converted",
        None => "lost",
    }
}

/// The worst entry for a kind in the worker's list.
fn told(kind: Kind, changes: &[Change]) -> Cell {
    // Encoded video and sound are converted on purpose.
    let of_kind = changes
        .iter()
        .filter(|change| change.kind == kind && !(kind == Kind::Track && change.is_wanted));
    match of_kind.map(|change| change.fate).max() {
        Some(Fate::Kept) => "kept",
        Some(Fate::Converted) => "converted",
        Some(Fate::Lost) => "lost",
        None => "not told",
    }
}

type Table = BTreeMap<(Kind, String), Cell>;

/// Encodes all inputs for all columns with one build of ffmpeg.
async fn measure(studio: &Studio, inputs: &[Input], columns: &[Column]) -> (Table, Vec<String>) {
    let mut table = Table::new();
    let mut wrong = Vec::new();
    for input in inputs {
        let before = studio.judged(&input.path);
        for column in columns {
            let what = format!("{} of {}", column.name, input.path.display());
            let made = studio.encode(&input.path, &column.recipe).await;
            let after = made.as_ref().ok().map(|_| studio.judged(&studio.output()));
            for kind in input.kinds {
                let place = (*kind, column.name.clone());
                let (Ok(checked), Some(after)) = (&made, &after) else {
                    table.insert(place, "refused");
                    continue;
                };
                let cell = found(*kind, &before, after);
                let says = told(*kind, &checked.changes);
                if says != cell {
                    let list: Vec<String> = checked
                        .changes
                        .iter()
                        .filter(|change| change.kind == *kind)
                        .map(ToString::to_string)
                        .collect();
                    wrong.push(format!(
                        "{what}: {kind} is {cell}, told as {says}: {list:?}"
                    ));
                }
                table.insert(place, cell);
            }
            if let Err(failure) = made
                && failure.fault != common::job::failure::Fault::Input
            {
                wrong.push(format!("{what}: {failure}"));
            }
        }
    }
    (table, wrong)
}

/// A table in Markdown. If the two builds differ, a cell shows both.
fn markdown(columns: &[Column], kinds: &[Kind], old: &Table, recent: &Table) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut text = format!(
        "| | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for kind in kinds {
        let cells = columns.iter().map(|column| {
            let place = (*kind, column.name.clone());
            match (old[&place], recent[&place]) {
                (old, recent) if old == recent => old.to_owned(),
                (old, recent) => format!("{old}, recent: {recent}"),
            }
        });
        let cells: Vec<String> = cells.collect();
        text += &format!("| {kind} | {} |\n", cells.join(" | "));
    }
    text
}

#[tokio::test]
async fn the_table_of_what_is_kept_is_true() {
    use Container::{Mkv, Mov, Mp4, Webm};
    let by_container = [
        column("libx264", Mkv),
        column("libx264", Mp4),
        column("libx264", Mov),
        column("libvpx-vp9", Webm),
        column("copy", Mkv),
        column("copy", Mp4),
        column("copy", Mov),
    ];
    let by_encoder = [
        column("libx264", Mkv),
        column("libx264", Mp4),
        column("libx265", Mkv),
        column("libx265", Mp4),
        column("libsvtav1", Mkv),
        column("libsvtav1", Mp4),
        column("libvpx-vp9", Webm),
        column("copy", Mkv),
        column("copy", Mp4),
    ];
    let [old, recent] = Studio::each();
    let all = async |studio: &Studio| {
        let files = measure(studio, &files(studio), &by_container).await;
        let pictures = measure(studio, &pictures(studio), &by_encoder).await;
        (files, pictures)
    };
    let (old, recent) = tokio::join!(all(&old), all(&recent));
    let kinds = |table: &Table| {
        let mut kinds: Vec<Kind> = table.keys().map(|(kind, _)| *kind).collect();
        kinds.dedup();
        kinds
    };
    let text = format!(
        "{}\n{}",
        markdown(&by_container, &kinds(&old.0.0), &old.0.0, &recent.0.0),
        markdown(&by_encoder, &kinds(&old.1.0), &old.1.0, &recent.1.0)
    );
    let wrong: Vec<&String> = [&old.0.1, &old.1.1, &recent.0.1, &recent.1.1]
        .into_iter()
        .flatten()
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let document = std::fs::read_to_string(&path).expect("the document");
    let (before, rest) = document.split_once(BEGIN).expect("the table begins");
    let (written, after) = rest.split_once(END).expect("the table ends");
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}\n{text}\n{END}{after}")).expect("written");
    } else {
        assert_eq!(written.trim(), text.trim(), "{REWRITE}=1 writes it anew");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
