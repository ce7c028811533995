//! Refuses an output that loses what a recipe forbids to lose.

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::Recipe;

/// The most losses that a message names.
const NAMED: usize = 3;

/// Fails if `changes` has a loss that the recipe forbids.
///
/// # Errors
/// The input's fault, because no other worker does better. `tense` begins the message: `it would lose` or `the output
/// has lost`.
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
    let other = alternative(first.kind);
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

/// What a person may do instead.
fn alternative(kind: Kind) -> &'static str {
    match kind {
        Kind::Track | Kind::Attachment | Kind::Chapters | Kind::Language | Kind::Title => {
            "choose --container mkv"
        }
        Kind::Disposition | Kind::Tag | Kind::Timecode | Kind::Cover => {
            "choose another --container"
        }
        Kind::Loudness => "leave out --loudness",
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
