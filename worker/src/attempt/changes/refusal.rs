//! Refusing what a recipe does not want to lose.

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::Recipe;

/// Losses that are named.
const NAMED: usize = 3;

/// Refuses where something is lost, or would be, that the recipe forbids to lose.
///
/// # Errors
/// The input's fault: no worker fares better. `tense` says when: `would lose`, `the output has lost`.
pub fn refuse(recipe: &Recipe, changes: &[Change], tense: &str) -> Result<(), Failure> {
    let lost: Vec<&Change> = changes
        .iter()
        .filter(|change| change.is_loss() && recipe.refuse_loss.contains(&change.kind))
        .collect();
    let Some(first) = lost.first() else {
        return Ok(());
    };
    let words: Vec<String> = lost
        .iter()
        .take(NAMED)
        .map(|change| words(change))
        .collect();
    let more = match lost.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let mut kinds: Vec<Kind> = lost.iter().map(|change| change.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let kinds: Vec<&str> = kinds.into_iter().map(Kind::name).collect();
    let other = way_out(first.kind);
    Err(Failure::input(format!(
        "{tense} {}{more}; leave out --refuse-loss {}, or {other}",
        words.join("; "),
        kinds.join(",")
    )))
}

/// `hdr10 of track 0 (mastering display of 1000 cd/m²): libx265 writes none`.
fn words(change: &Change) -> String {
    let text = change.to_string();
    text.split_once(": ")
        .map_or(text.clone(), |(_, rest)| rest.to_owned())
}

/// What else a person may do.
fn way_out(kind: Kind) -> &'static str {
    match kind {
        Kind::Track | Kind::Attachment | Kind::Chapters | Kind::Language | Kind::Title => {
            "choose --container mkv"
        }
        Kind::Disposition | Kind::Tag | Kind::Timecode | Kind::Cover => {
            "choose another --container"
        }
        Kind::Layout => "choose --audio copy or another --audio encoder",
        Kind::Rotation | Kind::Timing => "choose another --container, or encode the video",
        Kind::Captions => "choose another --encoder, or --captions srt",
        Kind::Colour
        | Kind::Hdr10
        | Kind::Hdr10plus
        | Kind::DolbyVision
        | Kind::Hlg
        | Kind::Interlacing
        | Kind::Alpha
        | Kind::Aspect => "choose another --encoder, or --video copy",
    }
}
