//! Refusing unknown encoders.

use common::farm::worker::Heartbeat;
use common::recipe::Recipe;
use common::recipe::encoder::{Codec, Encoder};

use crate::cli::exit::Error;

/// Refuses encoders that neither the catalogue nor any worker knows, and names similar ones. Most likely they are typing
/// errors, and their jobs would wait for ever.
pub(crate) fn check_known(recipe: &Recipe, workers: &[Heartbeat]) -> Result<(), Error> {
    let Some(encode) = recipe.video_encode() else {
        return Ok(());
    };
    let mut encoders = encode.with.encoders().iter();
    encoders.try_for_each(|encoder| check_known_encoder(encoder, workers))
}

fn check_known_encoder(encoder: &Encoder, workers: &[Heartbeat]) -> Result<(), Error> {
    let is_proved = || {
        workers
            .iter()
            .any(|worker| worker.card.proof(encoder).is_some())
    };
    if encoder.codec().is_some() || is_proved() {
        return Ok(());
    }
    let similar: Vec<String> = encoder
        .similar()
        .iter()
        .take(4)
        .map(ToString::to_string)
        .collect();
    let instead = match (encoder.as_str().parse::<Codec>(), similar.is_empty()) {
        (Ok(codec), _) => format!(
            "that is a codec: give --codec {codec} for any encoder of it, or --encoder {}",
            similar.join(", ")
        ),
        (Err(_), false) => format!("did you mean {}?", similar.join(", ")),
        (Err(_), true) => "`ffmpeg -encoders` and `producer workers` list what there is".to_owned(),
    };
    Err(Error::usage(format!(
        "unknown encoder '{encoder}': {instead}"
    )))
}

#[cfg(test)]
mod tests {
    use common::recipe::{Choice, Recipe, Video, VideoEncode};

    use super::*;

    #[test]
    fn an_unknown_encoder_names_what_may_have_been_meant() {
        let unknown = |name: &str| {
            let encoder = name.parse().expect("well-formed");
            let encode = VideoEncode::new(Choice::Encoder(encoder));
            let recipe = Recipe::copy()
                .edit(|draft| draft.video = Video::Encode(Box::new(encode)))
                .expect("a sound recipe");
            check_known(&recipe, &[]).expect_err("unknown").to_string()
        };
        assert!(unknown("libx256").contains("did you mean libx26"));
        assert!(unknown("hevc").contains("--codec hevc"));
        assert!(unknown("nothing_like_it").contains("producer workers"));
    }
}
