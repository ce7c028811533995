//! Recipes made of what people have for other programs: HandBrake's presets, and command lines of ffmpeg.
//!
//! What cannot be carried over is listed, and never left out silently.

pub(crate) mod command_line;
pub(crate) mod handbrake;

use common::names::printable::printable;
use common::recipe::preset::Preset;
use common::recipe::{Recipe, RecipeDraft};
use common::submit::feasible;

/// A preset that was made of something else.
#[derive(Debug)]
pub(crate) struct Imported {
    /// Its name there.
    pub name: String,
    pub preset: Preset,
    /// What could not be carried over and why, one line each.
    pub left_out: Vec<String>,
}

/// What could not be carried over.
#[derive(Debug, Default)]
struct LeftOut(Vec<String>);

impl LeftOut {
    /// Notes that a part of the original is missing, and why.
    fn add(&mut self, what: impl AsRef<str>, why: &str) {
        let line = format!("{}: {why}", what.as_ref());
        if !self.0.contains(&line) {
            self.0.push(line);
        }
    }
}

/// The preset of these parts.
///
/// # Errors
/// The recipe breaks a rule, or no encoder can follow it.
fn finish(
    name: &str,
    note: &str,
    draft: RecipeDraft,
    left_out: LeftOut,
) -> Result<Imported, String> {
    let recipe = Recipe::new(draft).map_err(|error| format!("{name}: {error}"))?;
    feasible::check(&recipe).map_err(|error| format!("{name}: {error}"))?;
    let note: String = printable(note.trim())
        .chars()
        .take(Preset::LONGEST_NOTE)
        .collect();
    let preset = Preset::new(recipe, Some(&note)).map_err(|error| error.to_string())?;
    Ok(Imported {
        name: name.to_owned(),
        preset,
        left_out: left_out.0.iter().map(|line| printable(line)).collect(),
    })
}
