//! Tables with plain columns: as wide as the terminal, or as their content elsewhere. The last column holds the longest
//! text: a name, with a note below.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use common::names::printable::printable;

use super::shortened::distinct;

/// The least width of a cut name.
const LEAST: usize = 24;
/// Blanks between two columns.
const BETWEEN: usize = 2;

/// Rows under a header; the last column holds names.
pub(crate) struct NameTable {
    header: Vec<&'static str>,
    rows: Vec<Row>,
}

struct Row {
    cells: Vec<String>,
    name: String,
    note: Option<String>,
}

impl NameTable {
    pub(crate) fn new(header: &[&'static str]) -> Self {
        Self {
            header: header.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: the cells, the name, and a note below the name.
    pub(crate) fn row(&mut self, cells: Vec<String>, name: String, note: Option<String>) {
        // A line break in a name would look like a row of its own.
        self.rows.push(Row {
            cells: cells.iter().map(|cell| printable(cell)).collect(),
            name: printable(&name),
            note,
        });
    }

    /// The table as text. On a terminal, names are cut where they do not differ.
    pub(crate) fn text(&self) -> String {
        let table = table(&self.header);
        self.within(table.width().map(usize::from), table)
    }

    fn within(&self, width: Option<usize>, mut table: Table) -> String {
        let others: usize = (0..self.header.len() - 1)
            .map(|column| {
                let cells = self
                    .rows
                    .iter()
                    .map(|row| row.cells[column].chars().count());
                let header = self.header[column].chars().count();
                cells.fold(header, usize::max) + BETWEEN
            })
            .sum();
        let room = width.map_or(usize::MAX, |width| {
            width.saturating_sub(others + BETWEEN).max(LEAST)
        });
        let names = distinct(self.rows.iter().map(|row| row.name.as_str()), room);
        for Row { cells, name, note } in &self.rows {
            let mut last = names[name.as_str()].clone();
            if let Some(note) = note {
                last += &format!("\n  {note}");
            }
            table.add_row(cells.iter().chain([&last]));
        }
        text(&table)
    }
}

pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header.to_vec());
    table
}

/// Adds a row to a table without names. A line break in a cell would look like a row of its own.
pub(crate) fn add_row(table: &mut Table, cells: &[String]) {
    table.add_row(cells.iter().map(|cell| printable(cell)));
}

pub(crate) fn text(table: &Table) -> String {
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    // The first column has no margin.
    let lines: Vec<&str> = lines
        .into_iter()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn films(width: Option<usize>) -> String {
        let mut table = NameTable::new(&["State", "Before", "File"]);
        for episode in 1..=3 {
            table.row(
                vec!["failed".to_owned(), format!("{episode}.5 MB")],
                format!("A Show With A Very Long Name S01E{episode:02} and what follows it.mkv"),
                Some("no video in it".to_owned()),
            );
        }
        let mut plain = super::table(&table.header);
        if let Some(width) = width {
            plain.set_width(u16::try_from(width).expect("narrow"));
        }
        table.within(width, plain)
    }

    #[test]
    fn a_pipe_gets_whole_names_and_no_boxes() {
        let text = films(None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7, "{text}");
        assert_eq!(
            lines[1],
            "failed  1.5 MB  A Show With A Very Long Name S01E01 and what follows it.mkv"
        );
        assert_eq!(lines[2].trim(), "no video in it");
        assert!(text.is_ascii() && !text.contains('|'), "{text}");
    }

    #[test]
    fn a_terminal_gets_a_line_each_in_which_the_episode_is_seen() {
        let text = films(Some(60));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7, "{text}");
        for (episode, line) in (1..=3).zip(lines.iter().skip(1).step_by(2)) {
            assert!(line.contains(&format!("S01E{episode:02}")), "{text}");
            assert!(line.chars().count() <= 60, "{text}");
        }
    }
}
