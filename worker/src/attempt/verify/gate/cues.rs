//! Whether each text of the output is shown when it is shown in the input: its first and its last cue tell.

use std::collections::BTreeMap;

use common::job::failure::Failure;

use crate::attempt::verify::damage::is_recording;
use crate::attempt::verify::gate::Gate;
use crate::attempt::verify::output::{blame_output, mismatch};
use crate::ffmpeg::part::{SUBTITLE_LEAD, has_jumps};
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::probe::packets::{Packet, packets};
use crate::ffmpeg::tracks::subtitles::is_text;
use crate::ffmpeg::tracks::{Track, TrackMethod};

/// How much earlier or later a cue may begin, in seconds: encoders of sound and pictures move the beginning of a file.
const START: f64 = 0.2;

/// How much earlier or later the last cue may end, in seconds: containers fill gaps, or cut cues that overlap.
const END: f64 = 0.5;

/// Seconds around a cue that are read of the input.
const AROUND: f64 = 1.0;

/// The bytes of a text that shows nothing: marks alone.
const SHOWS_NOTHING: u64 = 16;

/// What ffprobe calls tracks of subtitles.
const SUBTITLES: Option<&str> = Some("s");

/// mp4 fills the time between two cues with packets of so many bytes.
const FILLER: u64 = 2;

impl Gate<'_> {
    /// Compares the first and the last cue of each text that the input holds as a track.
    pub(super) async fn compare_cues(&self, made: &Media) -> Result<(), Failure> {
        let media = self.input.media;
        let texts: Vec<(&Track, &Stream)> = self
            .pairs(StreamKind::Subtitle, made)
            .filter(|(track, _)| is_compared(track))
            .collect();
        // Broadcasts begin anywhere, and their clocks jump.
        if texts.is_empty() || has_jumps(media) || is_recording(media) {
            return Ok(());
        }
        let Some(clock) = self.clock(made) else {
            return Ok(());
        };
        let mut after: BTreeMap<usize, Vec<Cue>> = BTreeMap::new();
        let note = |packet: Packet| {
            after
                .entry(packet.stream)
                .or_default()
                .push(Cue::of(&packet))
        };
        let runner = self.input.runner;
        packets(runner, &self.output, SUBTITLES, (None, None), note)
            .await
            .map_err(blame_output)?;
        let mut pairs: Vec<Text<'_>> = Vec::new();
        for (track, made) in texts {
            let mut after = after.remove(&made.index).unwrap_or_default();
            after.retain(|cue| !is_filler(&made.codec, cue));
            after.sort_by(|one, other| one.start.total_cmp(&other.start));
            pairs.push(Text { track, made, after });
        }
        let known = self.stretches(&pairs, clock);
        if let Some(stretches) = known {
            let before = self.cues(&stretches).await?;
            if pairs
                .iter()
                .all(|text| text.differs(&before, clock).is_none())
            {
                return Ok(());
            }
        }
        // Some files hold their subtitles anywhere, so all of it decides.
        let from = clock.part.map(|part| part.0 - SUBTITLE_LEAD);
        let to = clock.part.and_then(|part| part.1);
        let before = self.cues(&[(from, to)]).await?;
        for text in &pairs {
            if let Some(what) = text.differs(&before, clock) {
                return Err(mismatch(format!(
                    "subtitle track {} of the output {what}",
                    text.made.index
                )));
            }
        }
        Ok(())
    }

    /// How the output counts its time. `None` if that is not known.
    fn clock(&self, made: &Media) -> Option<Clock> {
        if let Some(part) = self.input.part {
            return Some(Clock {
                shift: -part.from,
                part: Some((part.from, part.to)),
            });
        }
        let film = self.films().next().map(|(_, film)| &film.source);
        let shift = match film.zip(made.films().next()) {
            // An edit list hides what comes before.
            Some((film, _)) if film.hidden > START => return None,
            Some((film, made)) => made.start? - film.start?,
            None => -self.input.media.start?,
        };
        Some(Clock { shift, part: None })
    }

    /// The stretches of the input in which the cues should be that the output begins and ends with. `None` if a text of
    /// the output has no cue.
    fn stretches(&self, texts: &[Text<'_>], clock: Clock) -> Option<[Stretch; 2]> {
        let (mut first, mut last) = (f64::NEG_INFINITY, f64::INFINITY);
        for text in texts {
            first = first.max(text.after.first()?.start - clock.shift);
            last = last.min(text.after.last()?.start - clock.shift);
        }
        let begin = clock.part.map(|part| part.0 - SUBTITLE_LEAD);
        let end = clock.part.and_then(|part| part.1);
        Some([
            (begin, Some(first + AROUND)),
            (Some(last - AROUND), end.map(|end| end + AROUND)),
        ])
    }

    /// The cues of the input in these stretches.
    async fn cues(&self, stretches: &[Stretch]) -> Result<BTreeMap<usize, Vec<Cue>>, Failure> {
        let mut cues: BTreeMap<usize, Vec<Cue>> = BTreeMap::new();
        let starts = self.input.media.start.unwrap_or(0.0);
        for (from, to) in stretches {
            let from = from.filter(|from| *from > starts);
            let note = |packet: Packet| {
                cues.entry(packet.stream)
                    .or_default()
                    .push(Cue::of(&packet))
            };
            let (runner, source) = (self.input.runner, self.input.tables);
            packets(runner, source, SUBTITLES, (from, *to), note).await?;
        }
        for cues in cues.values_mut() {
            cues.sort_by(|one, other| one.start.total_cmp(&other.start));
        }
        Ok(cues)
    }
}

/// Texts of the input. What comes from captions has no packets of its own to compare with.
fn is_compared(track: &Track) -> bool {
    let source = &track.source;
    let is_made = matches!(track.by, TrackMethod::Copy | TrackMethod::Subtitles(_));
    is_made && is_text(source) && source.codec != "eia_608" && source.external.is_none()
}

fn is_filler(codec: &str, cue: &Cue) -> bool {
    codec == "mov_text" && cue.size <= FILLER
}

/// From and to, in seconds of the input's clock.
type Stretch = (Option<f64>, Option<f64>);

/// How an output counts its time.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// Seconds by which times of the output are later than those of the input.
    shift: f64,
    /// Where the part of the input begins and ends that became the output; `None` for all of it.
    part: Option<(f64, Option<f64>)>,
}

/// A text that is shown for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cue {
    start: f64,
    end: f64,
    size: u64,
}

impl Cue {
    fn of(packet: &Packet) -> Self {
        Self {
            start: packet.time,
            end: packet.time + packet.length,
            size: packet.size,
        }
    }
}

/// A cue that the output should have.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Expected {
    start: f64,
    end: f64,
    /// Whether it may be missing for a good reason.
    is_optional: bool,
}

/// A text of the output, and its cues in order.
struct Text<'a> {
    track: &'a Track,
    made: &'a Stream,
    after: Vec<Cue>,
}

impl Text<'_> {
    /// What is wrong with it, if the input has these cues.
    fn differs(&self, before: &BTreeMap<usize, Vec<Cue>>, clock: Clock) -> Option<String> {
        let source = &self.track.source;
        let cues = before.get(&source.index).map_or(&[][..], Vec::as_slice);
        let cues = cues.iter().filter(|cue| !is_filler(&source.codec, cue));
        let is_converted = self.track.by != TrackMethod::Copy;
        // Drawings of ASS, and marks alone, are no text in other forms.
        let is_styled = matches!(source.codec.as_str(), "ass" | "ssa");
        let expected: Vec<Expected> = cues
            .filter_map(|cue| {
                let shows_nothing = is_converted && (is_styled || cue.size <= SHOWS_NOTHING);
                let mut expected = clock.expected(cue, is_converted)?;
                expected.is_optional |= shows_nothing;
                Some(expected)
            })
            .collect();
        differs(&expected, &self.after)
    }
}

impl Clock {
    /// A cue of the input as the output should have it; `None` if the part does not show it.
    fn expected(self, cue: &Cue, is_converted: bool) -> Option<Expected> {
        let (start, end) = (cue.start + self.shift, cue.end + self.shift);
        let Some((from, to)) = self.part else {
            return Some(Expected {
                start,
                end,
                is_optional: false,
            });
        };
        let length = to.map_or(f64::INFINITY, |to| to - from);
        if end < -START || start > length + START {
            return None;
        }
        // Old versions of ffmpeg cannot cut what they convert. What begins long before a part may not be read, and what
        // is only just in it may be just outside.
        let crosses = start < 0.0 || end > length;
        let is_far = start < -SUBTITLE_LEAD / 2.0;
        let is_narrow = end < START || start > length - START;
        Some(Expected {
            start: start.max(0.0),
            end: end.min(length),
            is_optional: (crosses && is_converted) || is_far || is_narrow,
        })
    }
}

/// What is wrong with the first and the last of these cues, which are in order.
fn differs(expected: &[Expected], after: &[Cue]) -> Option<String> {
    let wanted = expected.iter().filter(|cue| !cue.is_optional).count();
    let (Some(first), Some(last)) = (after.first(), after.last()) else {
        return (wanted > 0).then(|| "shows no text where the input has some".to_owned());
    };
    let words = |what: &str, moved: f64| {
        let direction = if moved > 0.0 { "later" } else { "earlier" };
        format!("{what} {:.2} s {direction} than in the input", moved.abs())
    };
    let is_at = |one: f64, other: f64, most: f64| (one - other).abs() <= most;
    let mut is_found = false;
    for cue in expected {
        is_found = is_at(cue.start, first.start, START);
        if is_found {
            break;
        }
        if !cue.is_optional {
            return Some(words("begins", first.start - cue.start));
        }
    }
    if !is_found {
        return Some("begins with a text that the input does not have then".to_owned());
    }
    // Several cues may begin together. Not every container says when one ends.
    let ends = |cue: &Expected| cue.end > cue.start && last.end > last.start;
    let mut late = None;
    for cue in expected.iter().rev() {
        if is_at(cue.start, last.start, START) {
            if !ends(cue) || is_at(cue.end, last.end, END) {
                return None;
            }
            late = late.or(Some(last.end - cue.end));
        } else if let Some(moved) = late {
            return Some(words("ends", moved));
        } else if !cue.is_optional {
            return Some(words("ends", last.start - cue.start));
        }
    }
    match late {
        Some(moved) => Some(words("ends", moved)),
        None => Some("ends with a text that the input does not have then".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(start: f64, end: f64) -> Cue {
        Cue {
            start,
            end,
            size: 40,
        }
    }

    fn expected(start: f64, end: f64, is_optional: bool) -> Expected {
        Expected {
            start,
            end,
            is_optional,
        }
    }

    #[test]
    fn the_first_and_the_last_cue_tell_what_is_wrong() {
        let before = [
            expected(1.0, 2.0, false),
            expected(5.0, 6.0, false),
            expected(9.0, 9.5, false),
        ];
        let of = |after: &[Cue]| differs(&before, after);
        let whole = [cue(1.0, 2.0), cue(5.0, 6.0), cue(9.0, 9.5)];
        assert_eq!(of(&whole), None);
        let moved = whole.map(|one| cue(one.start + 0.1, one.end + 0.1));
        assert_eq!(of(&moved), None);
        let late = whole.map(|one| cue(one.start + 0.5, one.end + 0.5));
        for (after, words) in [
            (&late[..], "begins 0.50 s later"),
            (&whole[1..], "begins 4.00 s later"),
            (&whole[..2], "ends 4.00 s earlier"),
            (&[whole[0], cue(9.0, 11.0)], "ends 1.50 s later"),
            (&[], "shows no text"),
        ] {
            let said = of(after).expect(words);
            assert!(said.starts_with(words), "{said}");
        }
        // A container that does not say when its cues end.
        assert_eq!(of(&[whole[0], cue(9.0, 9.0)]), None);
    }

    #[test]
    fn cues_may_be_missing_for_a_reason() {
        let before = [
            expected(0.0, 0.3, true),
            expected(1.0, 2.0, false),
            expected(9.0, 9.5, true),
        ];
        assert_eq!(differs(&before, &[cue(1.0, 2.0)]), None);
        assert_eq!(differs(&before, &[cue(0.0, 0.3), cue(9.0, 9.5)]), None);
        assert!(differs(&before, &[cue(0.5, 2.0)]).is_some());
        assert!(differs(&[], &[cue(0.5, 2.0)]).is_some());
        assert_eq!(differs(&before[..1], &[]), None);
    }

    #[test]
    fn the_cues_of_a_part_are_cut() {
        let clock = Clock {
            shift: -100.0,
            part: Some((100.0, Some(110.0))),
        };
        let of = |start, end| clock.expected(&cue(start, end), true);
        assert_eq!(of(90.0, 95.0), None);
        assert_eq!(of(99.0, 101.0), Some(expected(0.0, 1.0, true)));
        assert_eq!(of(104.0, 105.0), Some(expected(4.0, 5.0, false)));
        assert_eq!(of(109.0, 115.0), Some(expected(9.0, 10.0, true)));
        assert_eq!(of(111.0, 115.0), None);
        let copied = clock.expected(&cue(99.0, 101.0), false);
        assert_eq!(copied, Some(expected(0.0, 1.0, false)));
    }
}
