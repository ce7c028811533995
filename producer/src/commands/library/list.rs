//! `producer library list`.

use common::library::Library;
use common::library::scan::ScanRecord;
use common::library::summary::{Figures, Summary};
use common::matching::ratios::Ratios;
use common::names::printable::printable;
use common::names::token::Token;
use common::say;
use serde::Serialize;

use super::show;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::table::NameTable;
use crate::display::{output, units};

#[derive(Serialize)]
struct Row {
    name: Token,
    library: Library,
    scan: Option<ScanRecord>,
    summary: Summary,
}

pub(super) async fn run(settings: &Settings, json: bool) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let mut scans = broker.scans().await?;
    let mut rows = Vec::new();
    for stored in broker.libraries().await? {
        let files = broker.files_of(&stored.name).await?;
        let scan = scans.iter().position(|(name, _)| *name == stored.name);
        rows.push(Row {
            scan: scan.map(|at| scans.swap_remove(at).1),
            summary: Summary::of(files.iter().map(Figures::from), &Ratios::default()),
            name: stored.name,
            library: stored.library,
        });
    }
    if json {
        output::print_json(&rows)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        say!("the farm keeps no library; `producer library add` adds one");
        return Ok(Exit::Done);
    }
    let mut table = NameTable::new(&[
        "Library", "State", "Files", "Size", "To do", "Saved", "Location",
    ]);
    for row in &rows {
        let cells = vec![
            row.name.to_string(),
            show::state(&row.library, row.scan.as_ref(), broker.now()),
            row.summary.all.files.to_string(),
            units::bytes(row.summary.all.bytes),
            row.summary.to_do.files.to_string(),
            show::saved(row.summary.saved),
        ];
        table.row(cells, printable(&row.library.location.to_string()), None);
    }
    output::print(&table.text());
    Ok(Exit::Done)
}
