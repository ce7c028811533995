//! How the tracks of an output are cut, and what people are told about the cuts.

use std::collections::BTreeMap;

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::{Recipe, Video};

use crate::ffmpeg::build::Build;
use crate::ffmpeg::part::{MOVED, Part, ROUNDING, has_jumps};
use crate::ffmpeg::probe::media::{Media, StreamKind};
use crate::ffmpeg::tracks::{Track, TrackMethod, captions};

impl Part {
    /// The bitstream filter for a track of subtitles: a text that crosses a cut is shown from there, or up to there.
    /// Older versions of ffmpeg cannot cut the times of texts that they convert, so such texts are left out there.
    fn subtitle_filter(&self, track: &Track, build: &Build) -> String {
        let length = self.length();
        if cuts_texts(track.by, build) {
            let mut lasts = "DURATION+min(PTS,0)".to_owned();
            if let Some(length) = length {
                lasts = format!("min({lasts},{length:.6}/TB-max(PTS,0))");
            }
            format!(
                "noise=drop='lte(pts+duration,0)',\
                 setts=pts='max(PTS,0)':dts='max(DTS,0)':duration='{lasts}'"
            )
        } else {
            let beyond = length.map_or(String::new(), |length| {
                format!("+gt((pts+duration)*tb,{:.6})", length + ROUNDING)
            });
            format!("noise=drop='lt(pts,0){beyond}'")
        }
    }

    /// # Errors
    /// If captions or subtitle files are asked for, and ffmpeg would show them at other times; the input is at fault.
    pub(crate) fn can_cut(
        &self,
        recipe: &Recipe,
        media: &Media,
        has_files: bool,
    ) -> Result<(), Failure> {
        if has_jumps(media) && has_files {
            return Err(Failure::input(format!(
                "ffmpeg does not cut subtitle files together with {}: leave out --external-subtitles, or --trim",
                media.format
            )));
        }
        if has_jumps(media) && captions::source(recipe, media).is_some() {
            return Err(Failure::input(format!(
                "ffmpeg does not extract the captions of a part of {}: leave out --captions srt, or --trim",
                media.format
            )));
        }
        Ok(())
    }

    /// The options of the output for tracks that no filter of frames cuts.
    pub(crate) fn arguments(&self, tracks: &[Track], build: &Build) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut subtitles = 0;
        for (number, track) in tracks.iter().enumerate() {
            let source = &track.source;
            let is_timed =
                source.is_film() || matches!(source.kind, StreamKind::Audio | StreamKind::Data);
            if track.by == TrackMethod::Copy && is_timed {
                arguments.extend([format!("-copypriorss:{number}"), "0".to_owned()]);
            }
            if source.kind == StreamKind::Subtitle {
                arguments.push(format!("-bsf:s:{subtitles}"));
                arguments.push(self.subtitle_filter(track, build));
                subtitles += 1;
            }
        }
        arguments
    }

    /// The arguments that write the timecode of the part. `part` is the input as this part only.
    pub(crate) fn timecodes(&self, part: &Media, tracks: &[Track]) -> Vec<String> {
        let of = |tags: &BTreeMap<String, String>| {
            let mut tags = tags.iter();
            tags.find(|(key, _)| key.eq_ignore_ascii_case("timecode"))
                .map(|(key, value)| format!("{key}={value}"))
        };
        let mut arguments = Vec::new();
        if let Some(timecode) = of(&part.tags) {
            arguments.extend(["-metadata".to_owned(), timecode]);
        }
        for (number, track) in tracks.iter().enumerate() {
            if let Some(timecode) = of(&track.source.tags) {
                arguments.extend([format!("-metadata:s:{number}"), timecode]);
            }
        }
        arguments
    }

    /// What a person is told.
    pub(crate) fn changes(&self, recipe: &Recipe, tracks: &[Track], build: &Build) -> Vec<Change> {
        let words = |from: f64, to: Option<f64>| match to {
            Some(to) => format!("{from:.3} s to {to:.3} s"),
            None => format!("{from:.3} s to the end"),
        };
        let asked = words(self.asked.from, self.asked.to);
        let from = self.from - self.begins;
        let to = self.to.map(|to| to - self.begins);
        let off = |one: f64, other: f64| (one - other).abs() > MOVED;
        let is_moved = off(from, self.asked.from)
            || match (to, self.asked.to) {
                (Some(to), Some(asked)) => off(to, asked),
                _ => false,
            };
        let mut changes = vec![if is_moved && recipe.video == Video::Copy {
            let why = "copied video is cut at key frames only: encode it to cut it anywhere";
            Change::converted(Kind::Timing, None, asked, words(from, to), why)
        } else {
            let why = "the recipe asks for this part";
            Change::converted(Kind::Timing, None, "the whole input", asked, why).wanted()
        }];
        changes.extend(self.lost_texts(tracks, build));
        changes
    }

    /// The texts that are left out because they are shown across a cut.
    pub(crate) fn lost_texts(&self, tracks: &[Track], build: &Build) -> Vec<Change> {
        let texts = tracks
            .iter()
            .filter(|track| track.source.kind == StreamKind::Subtitle);
        let lost = texts.filter(|track| {
            self.crossing.contains(&track.source.index) && !cuts_texts(track.by, build)
        });
        let change = |track: &Track| {
            Change::lost(
                Kind::Timing,
                track.source.index,
                "subtitles that are shown across a cut",
                "this ffmpeg cannot cut the times of texts that it converts: choose --container mkv, or a newer ffmpeg",
            )
        };
        lost.map(change).collect()
    }
}

/// The input as ffmpeg counts its time, if it reads a format whose clock may jump from its beginning: the first of the
/// tracks that are used begins at 0.
pub(crate) fn as_read(media: &Media, tracks: &[Track]) -> Media {
    let mut read = media.clone();
    if has_jumps(media) {
        let used = tracks.iter().filter_map(|track| track.source.start);
        read.start = used.reduce(f64::min).or(media.start);
    }
    read
}

/// Whether texts that cross a cut are kept, with other times.
fn cuts_texts(by: TrackMethod, build: &Build) -> bool {
    by == TrackMethod::Copy || build.hands_frame_data_on()
}
