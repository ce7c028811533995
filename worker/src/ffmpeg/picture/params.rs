//! An encoder's own parameter list: `key=value`, joined by colons.

use common::recipe::Argument;
use common::recipe::encoder::Encoder;

/// ffmpeg's option for the encoder's parameter list. `None` if the encoder has no such list.
fn option(encoder: &Encoder) -> Option<&'static str> {
    Some(match encoder.as_str() {
        "libx264" => "x264-params",
        "libx265" => "x265-params",
        "libsvtav1" => "svtav1-params",
        _ => return None,
    })
}

/// Whether the argument is the encoder's parameter list, which [`join`] writes.
pub(in crate::ffmpeg) fn holds(encoder: &Encoder, argument: &Argument) -> bool {
    option(encoder) == Some(argument.option())
}

/// The option and its value: our parameters, and then the recipe's, because the later of two equal keys wins.
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
