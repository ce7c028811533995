//! Whose fault a failed encode is, and what is reported about damage that an encode survives: with the system's ffmpeg
//! and with a recent one.

mod broken_off;
mod damage;
mod recipes;

use std::path::Path;

use common::job::failure::{Failure, Fault};
use common::recipe::Recipe;

use crate::studio::Studio;

/// Three seconds of picture and sound.
const FILM: &str = "-f lavfi -i sine -t 3";

const H264: &str = "-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p -c:a aac";

/// Checks that the fault is surely the input's, and that the message is one line without addresses or paths.
fn is_the_inputs(what: &str, failure: &Failure) {
    assert_eq!(
        (failure.fault, failure.doubt),
        (Fault::Input, None),
        "{what}: {failure:#?}"
    );
    let message = &failure.message;
    let is_clean = !message.contains("0x5") && !message.contains('\n') && !message.contains("/tmp");
    assert!(is_clean, "{what}: {message}");
}

async fn refused(studio: &Studio, source: &Path, recipe: &Recipe, words: &str) {
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    match studio.encode(source, recipe).await {
        Err(failure) => {
            is_the_inputs(&name, &failure);
            assert!(failure.message.contains(words), "{name}: {failure}");
        }
        Ok(checked) => panic!("{name} was taken: {checked:#?}"),
    }
}
