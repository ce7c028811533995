//! The run of ffmpeg that writes subtitle tracks as files beside the output.

use std::ffi::OsString;
use std::path::Path;

use common::job::changes::Change;
use common::job::companion::Suffix;

use crate::ffmpeg::arguments::line::{Input, Line};
use crate::ffmpeg::arguments::passes::Run;
use crate::ffmpeg::file;
use crate::ffmpeg::part::has_jumps;
use crate::ffmpeg::tracks::Tracks;
use crate::ffmpeg::tracks::subtitles::burn_in::beside;

/// The files that are made of subtitle tracks.
#[derive(Clone, Debug, PartialEq)]
pub struct SubtitleFiles {
    /// The arguments for the run that makes them.
    pub list: Vec<OsString>,
    /// The ends of their names. A file's name is that end, in ffmpeg's folder.
    pub suffixes: Vec<Suffix>,
}

impl Run<'_> {
    /// The files of subtitles, cut like the output; `None` if there are none.
    pub(super) fn subtitle_files(&self, folder: &Path) -> Option<SubtitleFiles> {
        let files = &self.tracks.files;
        if files.is_empty() {
            return None;
        }
        let made = Tracks {
            list: files.iter().map(|file| file.track.clone()).collect(),
            ..Tracks::default()
        };
        let mut line = Line::beginning(None);
        line.readers(&made.list, &[]);
        let input = Input {
            drawn: None,
            ..self.input
        };
        line.inputs(input, &made.list);
        for subtitle in files {
            line.subtitle_file(&subtitle.track);
            if let Some(part) = self.part() {
                let track = std::slice::from_ref(&subtitle.track);
                line.add(part.arguments(track, self.build));
                line.add(part.ends(self.input.media));
            }
            line.push(format!("-map_chapters -1 -f {}", subtitle.format));
            line.list
                .push(file(&folder.join(subtitle.suffix.to_string())));
        }
        if has_jumps(self.input.media) {
            line.add(beside(&self.tracks.list));
        }
        Some(SubtitleFiles {
            list: line.list,
            suffixes: files.iter().map(|file| file.suffix.clone()).collect(),
        })
    }

    /// What the files lose at the ends of a part, and the output's own tracks do not.
    pub(super) fn cut_files(&self) -> Vec<Change> {
        let Some(part) = self.part() else {
            return Vec::new();
        };
        let kept = part.lost_texts(&self.tracks.list, self.build);
        let files = self.tracks.files.iter().map(|file| file.track.clone());
        let files: Vec<_> = files.collect();
        let mut lost = part.lost_texts(&files, self.build);
        lost.retain(|change| !kept.contains(change));
        lost
    }
}
