//! The part of an input that becomes the output: where it is cut, and how ffmpeg reads it.
//!
//! ffmpeg starts to read a little before the part, because decoders need some packets before they are right. What lies
//! before the part is dropped: by filters for tracks that are encoded, and packet by packet for those that are copied.
//! All inputs are shifted so that the part begins at 0. Formats of broadcasts cannot be shifted so, because ffmpeg takes
//! times below 0 for a jump of their clock: there, the output begins later, which ffmpeg does wrong for subtitles only.

mod tracks;

use std::collections::{BTreeMap, BTreeSet};

use common::recipe::Trim;

use crate::ffmpeg::probe::media::{Chapter, Media};
use crate::ffmpeg::probe::survey::Stretch;
use crate::ffmpeg::timecode;

pub(crate) use tracks::as_read;

/// Seconds before a cut that are read as well: decoders of sound need some packets to be right.
const LEAD: f64 = 1.0;

/// The same for formats without an index: reading may begin between two key frames there.
const LONG_LEAD: f64 = 20.0;

/// Seconds before a cut from which subtitles are read: a longer one that lasts into the part is not found.
pub(crate) const SUBTITLE_LEAD: f64 = 60.0;

/// Seconds by which a time may be rounded in a file.
pub(crate) const ROUNDING: f64 = 0.0005;

/// Seconds before 0 that a file may begin because of its encoder's delay. People count from 0 nevertheless.
const DELAY: f64 = 0.5;

/// Seconds by which a cut may move without a word.
const MOVED: f64 = 0.001;

/// The part of an input that becomes the output.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Where it begins, in seconds of the file's own clock.
    pub from: f64,
    /// Where it ends, by the same clock; `None` at the end of the input.
    pub to: Option<f64>,
    /// What the recipe asks for.
    pub asked: Trim,
    /// The subtitle tracks with a text that begins before the part and lasts into it, or that lasts beyond its end.
    pub crossing: BTreeSet<usize>,
    /// The number of packets of each copied film, in the order of decoding; none where films end with the input.
    pub packets: BTreeMap<usize, u64>,
    /// The films and tracks of sound of which nothing lies in the part.
    pub empty: BTreeSet<usize>,
    /// The films whose picture at the beginning is from long before. The value is the picture's time.
    pub held: Vec<(usize, f64)>,
    /// Where the file begins, by its own clock.
    begins: f64,
}

/// Where a file begins, by its own clock, as people count.
fn beginning(media: &Media) -> f64 {
    let start = media.start.unwrap_or(0.0);
    match (-DELAY..0.0).contains(&start) {
        true => 0.0,
        false => start,
    }
}

impl Part {
    /// The part that a recipe asks for, cut nowhere else.
    pub fn asked(trim: Trim, media: &Media) -> Self {
        let begins = beginning(media);
        Self {
            from: begins + trim.from,
            to: trim.to.map(|to| begins + to),
            asked: trim,
            crossing: BTreeSet::new(),
            packets: BTreeMap::new(),
            empty: BTreeSet::new(),
            held: Vec::new(),
            begins,
        }
    }

    /// Seconds of the part; `None` if it lasts up to the end of the input.
    fn length(&self) -> Option<f64> {
        self.to.map(|to| to - self.from)
    }

    /// The stretch of the file to read, with what decoders need before it.
    pub(crate) fn stretch(&self, media: &Media) -> Stretch {
        Stretch {
            from: self
                .held
                .iter()
                .fold(self.from, |from, (_, time)| from.min(*time))
                - ROUNDING,
            to: self.to.map(|to| to - ROUNDING),
            read_from: self.seek(lead(media)),
        }
    }

    /// Where reading begins; `None` at the beginning of the file.
    fn seek(&self, lead: f64) -> Option<f64> {
        let held = self.held.iter().map(|(_, time)| *time);
        let first = held.fold(self.from, f64::min);
        let at = first - lead;
        (at > self.begins).then_some(at)
    }

    /// The options before an input, so that the part begins at 0.
    pub(crate) fn reading(&self, media: &Media) -> Vec<String> {
        self.reading_from(media, lead(media))
    }

    /// The options before an input that is read for its subtitles; `None` if the input is read from early enough
    /// already.
    pub(crate) fn reading_subtitles(&self, media: &Media) -> Option<Vec<String>> {
        self.seek(lead(media))?;
        (!has_jumps(media)).then(|| self.reading_from(media, SUBTITLE_LEAD))
    }

    fn reading_from(&self, media: &Media, lead: f64) -> Vec<String> {
        let seek = self.seek(lead);
        if has_jumps(media) {
            // With absolute times, ffmpeg 9 shifts such files twice.
            let relative = seek.map(|at| format!("{:.6}", at - self.begins));
            let options = relative.map(|at| ["-noaccurate_seek".to_owned(), "-ss".to_owned(), at]);
            return options.into_iter().flatten().collect();
        }
        // Where it does not seek, ffmpeg itself decides what it calls 0: in some versions the first of all tracks, in
        // others the first of those that are used.
        let at = seek.unwrap_or(self.begins);
        let seek = ["-noaccurate_seek", "-seek_timestamp", "1", "-ss"];
        let mut options: Vec<String> = seek.map(str::to_owned).into();
        options.push(format!("{at:.6}"));
        options.extend(["-itsoffset".to_owned(), format!("{:.6}", at - self.from)]);
        options
    }

    /// Seconds by which a subtitle file beside the input is shown later. Its times count as people count.
    pub(crate) fn shift_of_files(&self) -> f64 {
        self.begins - self.from
    }

    /// Seconds by which the filters see films earlier than they lie in a whole input, or than in a file beside it.
    pub(crate) fn shift(&self, media: &Media, is_external: bool) -> f64 {
        let zero = match is_external {
            true => self.begins,
            false => media.start.unwrap_or(0.0),
        };
        self.from - self.offset(media) - zero
    }

    /// Where the part begins by the times that the filters see.
    fn offset(&self, media: &Media) -> f64 {
        match has_jumps(media) {
            true => {
                let zero = self.seek(lead(media)).or(media.start);
                self.from - zero.unwrap_or(0.0)
            }
            false => 0.0,
        }
    }

    /// The options of the output that begin and end it with the part.
    pub(crate) fn ends(&self, media: &Media) -> Vec<String> {
        let mut options = Vec::new();
        let offset = self.offset(media);
        if offset > 0.0 {
            options.extend(["-ss".to_owned(), format!("{offset:.6}")]);
        }
        if let Some(length) = self.length() {
            options.extend(["-t".to_owned(), format!("{length:.6}")]);
        }
        options
    }

    /// The filters that leave the part of a film.
    pub(crate) fn film_filter(&self, film: usize, media: &Media) -> String {
        let offset = self.offset(media);
        let held = self.held.iter().find(|(index, _)| *index == film);
        let start = offset + held.map_or(0.0, |(_, time)| time - self.from) - ROUNDING;
        let end = match self.length() {
            Some(length) => format!(":end={:.6}", offset + length - ROUNDING),
            None => String::new(),
        };
        format!("trim=start={start:.6}{end},setpts='max(PTS,ceil({offset:.6}/TB))'")
    }

    /// The filter that leaves the part of a track of sound.
    pub(crate) fn sound_filter(&self, media: &Media) -> String {
        let offset = self.offset(media);
        match self.length() {
            Some(length) => format!("atrim=start={offset:.6}:end={:.6}", offset + length),
            None => format!("atrim=start={offset:.6}"),
        }
    }

    /// The bitstream filter that ends a copied film at a key frame, and leaves out packets that need an earlier one.
    pub(crate) fn copied_film_filter(&self, film: usize) -> String {
        match self.packets.get(&film) {
            Some(packets) => format!("noise=drop='gte(n,{packets})+lt(pts,0)'"),
            None => "noise=drop='lt(pts,0)'".to_owned(),
        }
    }

    /// The input as if it were this part only.
    pub fn of(&self, media: &Media) -> Media {
        let mut part = media.clone();
        let rest = media
            .duration
            .map(|duration| (self.begins + duration - self.from).max(0.0));
        let length = match (self.length(), rest) {
            (Some(length), Some(rest)) => Some(length.min(rest)),
            (length, rest) => length.or(rest),
        };
        part.duration = length;
        for stream in &mut part.streams {
            stream.duration = stream.duration.and(length);
            stream.frames = None;
            if self.empty.contains(&stream.index) && stream.absent.is_none() {
                stream.absent = Some("empty in this part of the input".into());
            }
            stream.hidden = 0.0;
            stream
                .tags
                .retain(|key, _| !key.to_ascii_uppercase().starts_with("NUMBER_OF_FRAMES"));
            self.advance(&mut stream.tags, stream.mean_rate.map(|rate| rate.value()));
        }
        let rate = media.films().find_map(|film| film.mean_rate);
        self.advance(&mut part.tags, rate.map(|rate| rate.value()));
        let end = length.unwrap_or(f64::INFINITY);
        let shifted = media.chapters.iter().map(|chapter| Chapter {
            start: (chapter.start - self.from).max(0.0),
            end: (chapter.end - self.from).min(end),
            title: chapter.title.clone(),
        });
        part.chapters = shifted
            .filter(|chapter| chapter.end > chapter.start)
            .collect();
        part
    }

    /// Sets a timecode to that of the part's first picture.
    fn advance(&self, tags: &mut BTreeMap<String, String>, rate: Option<f64>) {
        let Some(rate) = rate else { return };
        for (key, value) in tags {
            if key.eq_ignore_ascii_case("timecode")
                && let Some(later) = timecode::later(value, self.from - self.begins, rate)
            {
                *value = later;
            }
        }
    }
}

fn lead(media: &Media) -> f64 {
    match has_jumps(media) {
        true => LONG_LEAD,
        false => LEAD,
    }
}

/// Formats whose clock may jump, so that ffmpeg does not take their times as they are.
pub(crate) fn has_jumps(media: &Media) -> bool {
    matches!(
        media.format.as_str(),
        "mpegts" | "mpeg" | "ogg" | "wtv" | "live_flv"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(trim: &str, start: f64) -> Part {
        let media = Media {
            start: Some(start),
            ..Media::default()
        };
        Part::asked(trim.parse().expect("a part"), &media)
    }

    #[test]
    fn times_count_from_where_a_player_begins() {
        let of = |trim, start| {
            let part = part(trim, start);
            (part.from, part.to)
        };
        assert_eq!(of("1-2.5", 0.0), (1.0, Some(2.5)));
        assert_eq!(of("1-2.5", 10.0), (11.0, Some(12.5)));
        // An encoder's delay.
        assert_eq!(of("1-", -0.023), (1.0, None));
    }

    #[test]
    fn reading_begins_before_the_part_and_shifts_it_to_zero() {
        let of = |trim, format: &str, start| {
            let media = Media {
                format: format.to_owned(),
                start: Some(start),
                ..Media::default()
            };
            part(trim, start).reading(&media).join(" ")
        };
        assert_eq!(
            of("10-", "matroska,webm", 0.0),
            "-noaccurate_seek -seek_timestamp 1 -ss 9.000000 -itsoffset -1.000000"
        );
        assert_eq!(
            of("0.5-2", "matroska,webm", 0.0),
            "-noaccurate_seek -seek_timestamp 1 -ss 0.000000 -itsoffset -0.500000"
        );
        // The output begins later instead.
        assert_eq!(of("10-", "mpegts", 1.4), "");
        assert_eq!(of("30-", "mpegts", 1.4), "-noaccurate_seek -ss 10.000000");
        let media = Media {
            format: "mpegts".to_owned(),
            start: Some(1.4),
            ..Media::default()
        };
        let ends = |trim| part(trim, 1.4).ends(&media).join(" ");
        assert_eq!(ends("10-12"), "-ss 10.000000 -t 2.000000");
        assert_eq!(ends("30-"), "-ss 20.000000");
    }

    #[test]
    fn chapters_and_lengths_are_those_of_the_part() {
        let chapter = |start, end| Chapter {
            start,
            end,
            title: format!("{start}"),
        };
        let media = Media {
            duration: Some(10.0),
            chapters: vec![chapter(0.0, 2.0), chapter(2.0, 5.0), chapter(5.0, 10.0)],
            ..Media::default()
        };
        let part = part("3-6", 0.0).of(&media);
        assert_eq!(part.duration, Some(3.0));
        let kept: Vec<_> = part
            .chapters
            .iter()
            .map(|chapter| (chapter.start, chapter.end, chapter.title.as_str()))
            .collect();
        assert_eq!(kept, [(0.0, 2.0, "2"), (2.0, 3.0, "5")]);
        let rest = self::part("8-", 0.0).of(&media);
        assert_eq!((rest.duration, rest.chapters.len()), (Some(2.0), 1));
        let beyond = self::part("8-20", 0.0).of(&media);
        assert_eq!(beyond.duration, Some(2.0));
    }
}
