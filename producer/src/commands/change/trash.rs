//! `producer trash`: what trashes hold, and emptying them.

use std::path::PathBuf;

use clap::Args;
use common::farm::trash::{TrashContents, TrashedBatch};
use common::job::id::BatchId;
use common::job::replacement::{Replacement, TRASH};
use common::names::location::Location;
use common::say;
use common::store::Stores;
use common::store::roots::Roots;
use common::store::trash::Emptied;
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::table::NameTable;
use crate::display::{output, times, units};
use crate::submit::paths::output_folder;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Folders or s3://bucket/prefix whose trashes this machine reaches [default: all trashes of the farm]
    #[arg(value_name = "PLACE")]
    pub places: Vec<PathBuf>,
    /// Remove the originals of this batch for good, by its id or first characters; `undo` cannot bring them back then
    #[arg(long, value_name = "BATCH")]
    pub empty: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Line {
    trash: Location,
    batch: String,
    files: u64,
    bytes: u64,
    until: String,
}

impl From<&TrashedBatch> for Line {
    fn from(batch: &TrashedBatch) -> Self {
        Self {
            trash: batch.trash.clone(),
            batch: batch.batch.to_string(),
            files: batch.files,
            bytes: batch.bytes,
            until: batch.until.to_string(),
        }
    }
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let (batches, is_complete) = match options.places.is_empty() {
        false => here(&options, settings).await?,
        true => on_farm(&options, settings).await?,
    };
    if options.json {
        let lines: Vec<Line> = batches.iter().map(Line::from).collect();
        output::print_json(&lines)?;
    } else if let Some(id) = &options.empty {
        let files = batches.iter().map(|batch| batch.files).sum::<u64>();
        let bytes = batches.iter().map(|batch| batch.bytes).sum();
        let files = units::count(usize::try_from(files).unwrap_or(usize::MAX), "original");
        output::print(&format!(
            "removed {files} of batch {id}, {}",
            units::bytes(bytes)
        ));
    } else {
        output::print(&listed(&batches));
    }
    Ok(if is_complete {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn listed(batches: &[TrashedBatch]) -> String {
    if batches.is_empty() {
        return "no originals are kept".to_owned();
    }
    let mut table = NameTable::new(&["Batch", "Files", "Size", "Kept until", "Trash"]);
    for batch in batches {
        let cells = vec![
            batch.batch.to_string(),
            batch.files.to_string(),
            units::bytes(batch.bytes),
            times::local(batch.until),
        ];
        table.row(cells, batch.trash.to_string(), None);
    }
    table.text()
}

/// The batch that an id means among those that a trash holds.
fn meant(contents: &TrashContents, id: &str) -> Result<Option<BatchId>, Error> {
    let mut those = contents
        .batches
        .iter()
        .filter(|batch| batch.batch.to_string().starts_with(id));
    match (those.next(), those.next()) {
        (Some(_), Some(_)) => Err(Error::usage(format!(
            "'{id}' begins the ids of several batches: give more of it"
        ))),
        (found, _) => Ok(found.map(|batch| batch.batch)),
    }
}

fn not_found(id: &str) -> Error {
    Error::usage(format!(
        "no trash holds originals of batch '{id}': `producer trash` lists all"
    ))
}

/// Trashes that this machine reaches.
async fn here(options: &Options, settings: &Settings) -> Result<(Vec<TrashedBatch>, bool), Error> {
    let mut found = Vec::new();
    let mut is_emptied = options.empty.is_none();
    for place in &options.places {
        let place = output_folder(place)?;
        let trash = match place.name() == TRASH {
            true => place,
            false => Replacement::trash_in(&place),
        };
        let stores = match trash.folder().path() {
            Some(folder) => {
                let roots = Roots::new([folder]).map_err(Error::usage)?;
                Stores::new().within(roots, Vec::new())
            }
            None => settings.stores(),
        };
        let failed = |error: common::store::trash::ReplaceError| Error::failed(error.to_string());
        let mut contents = stores.trash_contents(&trash).await.map_err(failed)?;
        if let Some(id) = &options.empty {
            let Some(batch) = meant(&contents, id)? else {
                continue;
            };
            is_emptied = true;
            let emptied = stores.empty_trash(&trash, Emptied::Batch(batch));
            contents = emptied.await.map_err(failed)?;
        }
        found.extend(contents.batches);
    }
    match &options.empty {
        Some(id) if !is_emptied => Err(not_found(id)),
        _ => Ok((found, true)),
    }
}

/// The trashes of the farm's batches, by workers that reach them. Also returns whether all could be read.
async fn on_farm(
    options: &Options,
    settings: &Settings,
) -> Result<(Vec<TrashedBatch>, bool), Error> {
    let broker = settings.connect().await;
    let broker = broker.map_err(|error| match settings.has_a_farm() {
        true => error,
        false => error.with("`producer trash FOLDER` tells of a folder's trash without a farm"),
    })?;
    let mut trashes: Vec<Location> = Vec::new();
    for batch in broker.batches().await? {
        for trash in batch.trash {
            if !trashes.contains(&trash) {
                trashes.push(trash);
            }
        }
    }
    let (mut found, mut is_complete) = (Vec::new(), true);
    let mut is_emptied = options.empty.is_none();
    for trash in trashes {
        let mut contents = match broker.trash(&trash).await? {
            Ok(contents) => contents,
            Err(why) => {
                say!("{trash}: {why}");
                is_complete = false;
                continue;
            }
        };
        if let Some(id) = &options.empty {
            let Some(batch) = meant(&contents, id)? else {
                continue;
            };
            is_emptied = true;
            contents = match broker.empty_trash(&trash, batch).await? {
                Ok(emptied) => emptied,
                Err(why) => return Err(Error::failed(why)),
            };
        }
        found.extend(contents.batches);
    }
    match &options.empty {
        Some(id) if !is_emptied => Err(not_found(id)),
        _ => Ok((found, is_complete)),
    }
}
