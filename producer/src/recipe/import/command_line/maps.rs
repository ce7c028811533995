//! `-map`: which streams an output has.

use common::recipe::{Audio, RecipeDraft, Subtitles, Video};

use super::super::LeftOut;

/// The streams that were mapped.
#[derive(Debug, Default)]
pub(super) struct Maps {
    is_used: bool,
    /// Whether a map names streams whose kind is not known: then no kind is known to be absent.
    is_open: bool,
    has: Kinds,
    without: Kinds,
    audio: Vec<String>,
    subtitles: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Kinds {
    video: bool,
    audio: bool,
    subtitles: bool,
}

impl Maps {
    pub(super) fn read(&mut self, value: &str, left_out: &mut LeftOut) {
        let takes_out = value.starts_with('-');
        let (kinds, map) = match value.strip_prefix('-') {
            Some(map) => (&mut self.without, map),
            None => {
                self.is_used = true;
                (&mut self.has, value)
            }
        };
        let map = map.trim_end_matches('?');
        let parts: Vec<&str> = map.split(':').collect();
        match parts[..] {
            ["0"] => (kinds.video, kinds.audio, kinds.subtitles) = (true, true, true),
            ["0", "v" | "V"] | ["0", "v" | "V", "0"] => kinds.video = true,
            ["0", "a"] => kinds.audio = true,
            ["0", "s"] => kinds.subtitles = true,
            ["0", "a", "m", "language", language] if !takes_out => {
                kinds.audio = true;
                self.audio.push(language.to_owned());
            }
            ["0", "s", "m", "language", language] if !takes_out => {
                kinds.subtitles = true;
                self.subtitles.push(language.to_owned());
            }
            ["0", kind @ ("v" | "V" | "a" | "s"), ..] => {
                // One track less is no kind less.
                match kind {
                    "a" => kinds.audio |= !takes_out,
                    "s" => kinds.subtitles |= !takes_out,
                    _ => kinds.video |= !takes_out,
                }
                left_out.add(
                    format!("-map {value}"),
                    "tracks are chosen by language and title, and not by number",
                );
            }
            ["0", "d" | "t", ..] => {}
            _ => {
                self.is_open |= !takes_out;
                left_out.add(
                    format!("-map {value}"),
                    "tracks are chosen by language and title",
                );
            }
        }
    }

    pub(super) fn apply(&self, draft: &mut RecipeDraft, left_out: &mut LeftOut) {
        if !self.is_used && (draft.video != Video::None || draft.audio != Audio::None) {
            left_out.add(
                "without -map",
                "ffmpeg takes one track of each kind, and every track is kept here",
            );
        }
        let may_be_absent = self.is_used && !self.is_open;
        let is_absent = |has: bool, without: bool| without || (may_be_absent && !has);
        if is_absent(self.has.video, self.without.video) {
            draft.video = Video::None;
        }
        if is_absent(self.has.audio, self.without.audio) {
            draft.audio = Audio::None;
        }
        if is_absent(self.has.subtitles, self.without.subtitles) {
            draft.subtitles = Subtitles::None;
        }
        let mut read = |names: &[String]| -> Vec<_> {
            let mut one = |name: &String| {
                let language = name.parse();
                language
                    .map_err(|_| left_out.add(format!("language {name}"), "it is no language"))
                    .ok()
            };
            names.iter().filter_map(&mut one).collect()
        };
        draft.audio_tracks.languages = read(&self.audio);
        draft.subtitle_tracks.languages = read(&self.subtitles);
    }
}
