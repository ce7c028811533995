//! An encoder's own list of `key=value`, joined by colons.

use common::recipe::Argument;
use common::recipe::encoder::Encoder;

/// The option of ffmpeg that holds such a list for the encoder; `None` where it has none.
fn option(encoder: &Encoder) -> Option<&'static str> {
    Some(match encoder.as_str() {
        "libx264" => "x264-params",
        "libx265" => "x265-params",
        "libsvtav1" => "svtav1-params",
        _ => return None,
    })
}

/// Whether the argument holds the encoder's list, which [`join`] makes.
pub(in crate::ffmpeg) fn holds(encoder: &Encoder, argument: &Argument) -> bool {
    option(encoder) == Some(argument.option())
}

/// The option and the list of ours and the recipe's own, which wins: the later one of two that have the same key does.
pub(super) fn join(
    encoder: &Encoder,
    ours: &[String],
    arguments: &[Argument],
) -> Option<(&'static str, String)> {
    let theirs = arguments
        .iter()
        .filter(|argument| holds(encoder, argument))
        .map(Argument::value);
    let quiet = (encoder.as_str() == "libx265").then_some("log-level=error");
    let all: Vec<&str> = ours
        .iter()
        .map(String::as_str)
        .chain(theirs)
        .chain(quiet)
        .collect();
    (!all.is_empty()).then_some((option(encoder)?, all.join(":")))
}
