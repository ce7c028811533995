//! Commentaries: tracks on which people talk about the film.

use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::tracks::tags;

/// Parts of titles that only commentaries have, in the languages of most discs.
const WORDS: &[&str] = &[
    "commentaar",
    "commentaire",
    "commentary",
    "commento",
    "comentario",
    "comentário",
    "kommentar",
    "komentarz",
    "комментари",
    "コメンタリー",
];

/// Whether a track is a commentary, by its flag or its title.
pub(super) fn is_commentary(sound: &Stream) -> bool {
    let title = tags::title(sound).unwrap_or_default().to_lowercase();
    sound.dispositions.contains("comment") || WORDS.iter().any(|word| title.contains(word))
}
