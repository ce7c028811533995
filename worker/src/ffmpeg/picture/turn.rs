//! Pictures that players rotate or mirror.

use common::job::changes::{Change, Kind};

use super::{Picture, Task};
use crate::ffmpeg::probe::media::Stream;

/// ffmpeg rotates the picture itself when it encodes, and the output has no rotation.
pub(super) fn upright(task: &Task<'_>, picture: &mut Picture) {
    let film = task.film;
    if !is_turned(film) {
        return;
    }
    picture.changes.push(Change::converted(
        Kind::Rotation,
        film.index,
        describe(film),
        "an upright picture",
        "an encode turns the pictures themselves",
    ));
}

pub(super) fn is_turned(film: &Stream) -> bool {
    film.rotation != 0 || film.is_mirrored
}

pub(super) fn describe(film: &Stream) -> String {
    match (film.rotation, film.is_mirrored) {
        (0, _) => "mirrored".to_owned(),
        (degrees, false) => format!("turned by {degrees}°"),
        (degrees, true) => format!("turned by {degrees}° and mirrored"),
    }
}
