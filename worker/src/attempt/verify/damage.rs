//! Whether an input is damaged: what of it is missing or cannot be decoded, and
//! whether what is left is worth an output.
//!
//! A file that breaks off before the end that its container states is refused,
//! and so is one of which less than half can be decoded, or whose end cannot.
//! Damage anywhere else is told, unless the recipe is strict. Recordings of
//! broadcasts state no length: they are cut anywhere, and begin anywhere.

use common::job::changes::{Change, Kind};
use common::job::failure::{Failure, Fault};

use crate::attempt::verify::gaps::Gaps;
use crate::ffmpeg::Source;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::probe::survey::{Depth, Survey, Surveyed, survey};
use crate::ffmpeg::probe::whole;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::run::runner::{Finished, Runner};
use crate::ffmpeg::tracks::{Means, Track};

/// How much earlier than stated a file may end that says itself that it breaks off, in seconds and
/// beside one frame: containers round.
const ROUNDING: f64 = 0.1;
/// The part of an input whose loss at its end is too much.
const TOO_MUCH: f64 = 0.1;
/// No less than this is too much, in seconds.
const LITTLE: f64 = 0.5;
/// Complaints this close to each other are about one place, in seconds.
pub(crate) const ONE_PLACE: f64 = 0.5;
/// Places that are named.
const NAMED_PLACES: usize = 4;

/// An input, and what of it is wanted.
#[derive(Clone, Copy)]
pub struct Inspected<'a> {
    /// What reads it.
    pub runner: &'a Runner,
    /// Where it is.
    pub source: &'a Source,
    /// What it says it holds.
    pub media: &'a Media,
    /// The tracks of the output.
    pub tracks: &'a [Track],
}

/// A damaged input's fault.
fn damaged(what: impl std::fmt::Display) -> Failure {
    Failure::input(format!("source is damaged: {what}"))
}

impl Inspected<'_> {
    /// Makes sure that a file on this machine holds what its container says, where a look at its
    /// headers raises a doubt.
    ///
    /// # Errors
    /// The input's fault where it breaks off.
    pub async fn is_whole(self) -> Result<(), Failure> {
        let Source::File(path) = self.source else {
            return Ok(());
        };
        let path = path.clone();
        let breaks_off = tokio::task::spawn_blocking(move || whole::breaks_off(&path)).await;
        // What cannot be read is ffmpeg's to complain of.
        if matches!(breaks_off, Ok(Ok(true))) {
            let survey = survey(self.runner, self.source, Depth::Packets).await?;
            self.ends_as_stated(&survey)?;
        }
        Ok(())
    }

    /// Passes on how an encode went, unless the input holds no frame: ffmpeg ends well or badly then,
    /// by its version.
    ///
    /// # Errors
    /// As the encode's; the input's fault where the films hold no frame.
    pub async fn came_to_something(
        self,
        encoded: Result<Finished, Failure>,
    ) -> Result<Finished, Failure> {
        let is_doubtful = match &encoded {
            Ok(finished) => finished.progress.frame == 0,
            Err(failure) => failure.doubt.is_some() || failure.fault == Fault::Input,
        };
        if is_doubtful
            && let Err(failure) = self.holds_frames().await
            && failure.fault == Fault::Input
        {
            return Err(failure);
        }
        encoded
    }

    /// Makes sure that there is a frame to be had.
    ///
    /// # Errors
    /// The input's fault where the films hold none.
    pub async fn holds_frames(self) -> Result<(), Failure> {
        let survey = survey(self.runner, self.source, Depth::Packets).await?;
        let mut films = self.kept().filter(|stream| stream.is_film()).peekable();
        let is_empty = |film: &Stream| !survey.streams.contains_key(&film.index);
        if films.peek().is_some() && films.all(is_empty) {
            return Err(Failure::input(
                "the input holds no frame: its headers announce a video track, and nothing of it follows",
            ));
        }
        Ok(())
    }

    /// Seconds from the first packet of what is kept to the end of the last one; `None` where there
    /// are none.
    ///
    /// # Errors
    /// Where the input cannot be read to its end.
    pub async fn length(self) -> Result<Option<f64>, Failure> {
        let survey = survey(self.runner, self.source, Depth::Packets).await?;
        Ok(self.read(&survey))
    }

    /// Finds out what ffmpeg complained of, and what that means for the output.
    ///
    /// # Errors
    /// The input's fault where too much of it is lost.
    pub async fn explain(self, complaints: &Complaints) -> Result<Vec<Change>, Failure> {
        let survey = survey(self.runner, self.source, Depth::Frames).await?;
        self.judge(&survey, complaints.breaks_off())
            .map_err(|failure| failure.with_log(complaints.words().to_vec()))
    }

    fn judge(self, survey: &Survey, breaks_off: bool) -> Result<Vec<Change>, Failure> {
        if breaks_off {
            self.ends_as_stated(survey)?;
        }
        if survey.complaints.is_empty() {
            return Ok(Vec::new());
        }
        if let (Some(stated), Some(read)) = (self.stated(), self.read(survey))
            && stated - read > LITTLE.max(TOO_MUCH * stated)
        {
            return Err(ends_early(read, stated));
        }
        let mut changes = Vec::new();
        for track in self.tracks {
            let stream = &track.source;
            let Some(found) = survey.streams.get(&stream.index) else {
                continue;
            };
            if matches!(track.by, Means::Video | Means::Audio(_)) {
                self.is_worth_it(stream, found)?;
            }
            changes.extend(self.told(survey, stream, found));
        }
        Ok(changes)
    }

    /// Makes sure that what can be decoded of a track is most of it, and reaches its end.
    fn is_worth_it(self, stream: &Stream, found: &Surveyed) -> Result<(), Failure> {
        // Where each field is a packet of its own, half as many frames as packets are all of them.
        let frames = found.frames.len() as u64;
        let expected = match stream.frames {
            Some(stated) => stated.min(found.packets),
            None => found.packets,
        };
        if frames * 20 < expected * 9 {
            let kind = stream.kind;
            return Err(damaged(format!(
                "of {expected} frames of its {kind} only {frames} can be decoded"
            )));
        }
        let last = found.frames.iter().copied().fold(found.start, f64::max);
        let length = found.end - found.start;
        if found.end - last > LITTLE.max(TOO_MUCH * length) {
            return Err(damaged(format!(
                "nothing of its {} can be decoded after {:.1} s of {length:.1} s",
                stream.kind,
                last - found.start,
            )));
        }
        Ok(())
    }

    /// What is told of the damage to a track.
    fn told(self, survey: &Survey, stream: &Stream, found: &Surveyed) -> Option<Change> {
        let first = found.frames.first().copied();
        let mut places = Vec::new();
        let mut bad = Vec::new();
        // Stretches that the demuxer could not read: what it says is of all tracks, and of no time. An MP4's goes by an
        // index, and skips nothing.
        let mut unread = 0;
        let skips = !self.media.format.starts_with("mov");
        for complaint in &survey.complaints {
            let is_demuxers = complaint.by == self.media.format;
            if is_demuxers && skips && complaint.before.is_none() {
                unread += 1;
                continue;
            }
            if self.about(&complaint.by, complaint.before) != Some(stream.index) {
                continue;
            }
            let time = complaint.before.map(|(_, time)| time);
            // A recording that begins between two whole pictures is none the worse for it.
            if self.is_recording() && time.is_some() && time <= first {
                continue;
            }
            places.push(time.unwrap_or(found.end));
            // What a demuxer leaves out shows as a gap.
            if !complaint.by.is_empty() && !is_demuxers {
                bad.push(time.unwrap_or(found.end));
            }
        }
        let gaps = Gaps::of(&found.frames);
        let decoded = gaps.at(&places);
        let read = gaps.longest_besides(&decoded, unread);
        places.extend(read.iter().map(|gap| gap.from));
        let missing: u64 = decoded.iter().chain(&read).map(|gap| gap.frames).sum();
        let all = found.frames.len() as u64;
        let (from, why) = if missing > 0 {
            let of = all + missing;
            let why = match decoded.is_empty() {
                true => "these frames cannot be read",
                false => "these frames cannot be decoded",
            };
            (format!("{missing} of {of}"), why)
        } else {
            bad.sort_by(f64::total_cmp);
            bad.dedup();
            places = bad;
            let why = "these frames are decoded as far as they can be";
            (format!("{} of {all}", places.len()), why)
        };
        let around = around(&mut places, survey.start())?;
        Some(Change::lost(
            Kind::Timing,
            stream.index,
            format!("{from} {} frames", stream.kind),
            format!("the input is damaged {around}: {why}"),
        ))
    }

    /// Which of the tracks a complaint is about: the decoder's own, else that of the frame which came
    /// next; `None` where it is about a picture, or about what is left out.
    fn about(self, by: &str, before: Option<(usize, f64)>) -> Option<usize> {
        let is_of = |stream: &&Stream| !stream.codec.is_empty() && by.contains(&stream.codec);
        let next = before.map(|(index, _)| index);
        let streams = || self.kept();
        let next_stream = streams().find(|stream| Some(stream.index) == next);
        let own = next_stream
            .filter(is_of)
            .or_else(|| streams().find(is_of))
            .map(|stream| stream.index);
        let others = || self.media.streams.iter().filter(|one| !self.is_kept(one));
        if own.is_none() && others().any(|stream| is_of(&stream)) {
            return None;
        }
        own.or(next)
            .or_else(|| streams().next().map(|stream| stream.index))
    }

    /// Makes sure that a file which breaks off does so at the end that it states, of all and of
    /// each track.
    fn ends_as_stated(self, survey: &Survey) -> Result<(), Failure> {
        if self.is_recording() {
            return Ok(());
        }
        let frame = self.media.films().find_map(|film| film.mean_rate);
        let frame = frame.map_or(0.04, |rate| 1.0 / rate.value());
        let whole = [(self.stated(), self.read(survey))];
        let tracks = self.kept().map(|stream| {
            let found = survey.streams.get(&stream.index);
            let read = found.map_or(0.0, |found| found.end - found.start);
            (stream.duration, Some(read))
        });
        let early = whole.into_iter().chain(tracks).find_map(|lengths| {
            let (stated, read) = (lengths.0?, lengths.1?);
            (stated - read > ROUNDING + frame).then_some((read, stated))
        });
        match early {
            Some((read, stated)) => Err(ends_early(read, stated)),
            None => Ok(()),
        }
    }

    /// The length that the container states, in seconds; `None` where it states none.
    fn stated(self) -> Option<f64> {
        if self.is_recording() {
            return None;
        }
        // An AVI's length is taken from its size where it breaks off; its header still counts the frames.
        let counted = self
            .media
            .films()
            .filter_map(|film| Some(film.frames? as f64 / film.mean_rate?.value()));
        self.media
            .duration
            .into_iter()
            .chain(counted)
            .reduce(f64::max)
    }

    /// The length of what is kept, as its packets say it.
    fn read(self, survey: &Survey) -> Option<f64> {
        let kept = self
            .kept()
            .filter_map(|stream| survey.streams.get(&stream.index));
        let (start, end) = kept.fold((f64::INFINITY, f64::NEG_INFINITY), |(start, end), found| {
            (start.min(found.start), end.max(found.end))
        });
        (end > start).then_some(end - start)
    }

    /// Whether it is of a kind that is cut out of a broadcast, and states no length.
    fn is_recording(self) -> bool {
        is_recording(self.media)
    }

    /// What is kept of its films and sound.
    fn kept(&self) -> impl Iterator<Item = &Stream> {
        let is_timed = |stream: &&Stream| stream.is_film() || stream.kind == StreamKind::Audio;
        self.tracks
            .iter()
            .map(|track| &track.source)
            .filter(is_timed)
    }

    /// Whether a stream is one of these, or a subtitle track that is kept.
    fn is_kept(&self, stream: &Stream) -> bool {
        let is_picture = stream.kind == StreamKind::Video && !stream.is_film();
        let mut tracks = self.tracks.iter();
        !is_picture && tracks.any(|track| track.source.index == stream.index)
    }
}

/// Whether a file is of a kind that is cut out of a broadcast: its clocks jump, and what is known of
/// its length is a guess.
pub fn is_recording(media: &Media) -> bool {
    matches!(media.format.as_str(), "mpegts" | "mpeg")
}

/// The input's fault where a recipe takes no damaged input.
pub fn refusal(damage: &[Change]) -> Option<Failure> {
    let first = damage.first()?;
    let why = first.why.as_deref().unwrap_or_default();
    Some(damaged(format!(
        "{} ({why}); leave out --strict-input to have the rest encoded",
        first.from
    )))
}

fn ends_early(read: f64, stated: f64) -> Failure {
    damaged(format!("it ends at {read:.1} s of {stated:.1} s"))
}

/// `around 2.4 s, 7.1 s and 9.0 s`, counted from the beginning; `None` where there is no place.
fn around(times: &mut [f64], beginning: f64) -> Option<String> {
    times.sort_by(f64::total_cmp);
    let mut places: Vec<f64> = Vec::new();
    let mut last = f64::NEG_INFINITY;
    for time in times {
        if *time - last > ONE_PLACE {
            places.push((*time - beginning).max(0.0));
        }
        last = *time;
    }
    let mut words: Vec<String> = places
        .iter()
        .take(NAMED_PLACES)
        .map(|time| format!("{time:.1} s"))
        .collect();
    if places.len() > NAMED_PLACES {
        words.push(format!("{} other places", places.len() - NAMED_PLACES));
    }
    let last = words.pop()?;
    Some(match words.is_empty() {
        true => format!("around {last}"),
        false => format!("around {} and {last}", words.join(", ")),
    })
}

impl Survey {
    /// When the first packet of all begins; 0 where there is none.
    fn start(&self) -> f64 {
        let starts = self.streams.values().map(|found| found.start);
        starts
            .reduce(f64::min)
            .filter(|start| start.is_finite())
            .unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_and_many_are_counted() {
        assert_eq!(around(&mut [], 0.0), None);
        assert_eq!(around(&mut [2.5], 1.0).as_deref(), Some("around 1.5 s"));
        let mut times = [7.1, 2.4, 2.6];
        assert_eq!(
            around(&mut times, 0.0).as_deref(),
            Some("around 2.4 s and 7.1 s")
        );
        let mut times: Vec<f64> = (0..9).map(f64::from).collect();
        assert_eq!(
            around(&mut times, 0.0).as_deref(),
            Some("around 0.0 s, 1.0 s, 2.0 s, 3.0 s and 5 other places")
        );
    }
}
