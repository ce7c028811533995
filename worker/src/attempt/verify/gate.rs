//! The publish gate: what an output must pass before anyone can see it.
//!
//! An exit code of 0 proves little: ffmpeg ends well on an input that breaks
//! off, and a full disk or a lying driver can leave a file that plays nowhere.
//! So the output is looked at again by fresh processes: its tracks are those
//! asked for, what was encoded decodes without error, and the input's frames
//! are all there. What was copied is as good as its source and is only counted.

use std::ffi::OsString;
use std::time::Duration;

use common::job::changes::{Change, Kind};
use common::job::failure::{Doubt, Failure, Fault};
use common::recipe::{Container, Filters, Recipe, Scale, Video};

use crate::attempt::changes;
use crate::attempt::tool_output::ToolOutput;
use crate::attempt::verify::damage;
use crate::attempt::verify::damage::{Inspected, is_recording};
use crate::ffmpeg::Source;
use crate::ffmpeg::arguments::Arguments;
use crate::ffmpeg::probe::count::{Count, count};
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::probe::probe;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::sound::Sound;
use crate::ffmpeg::sound::layout::Layout;
use crate::ffmpeg::tracks::{Means, Track};

/// Codecs whose every frame says how many channels it has: a track may change in the middle, and
/// what is found of it depends on how far one looks.
const SAYS_CHANNELS: &[&str] = &["ac3", "eac3", "dts", "truehd", "mlp", "mp1", "mp2", "mp3"];

/// How much of an output is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// All of it.
    Full,
    /// This much of its beginning and of its end; frames are counted without decoding.
    Sample(Duration),
}

/// An output that passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Frames of its first film.
    pub frames: u64,
    /// Length in seconds.
    pub duration: f64,
    /// Bytes.
    pub size: u64,
    /// What it holds.
    pub media: Media,
    /// What has become of what the input holds.
    pub changes: Vec<Change>,
}

/// Checks an output that `arguments` made of `source`; `complaints` are those of the encode.
///
/// # Errors
/// The input's fault where it is too damaged, or damaged at all and the recipe is strict, and where
/// it has lost what the recipe forbids to lose. Whose it is where the output does not match the
/// input, is in doubt.
pub async fn check(
    input: Inspected<'_>,
    recipe: &Recipe,
    arguments: &Arguments,
    output: &ToolOutput,
    depth: Depth,
    complaints: &Complaints,
) -> Result<Checked, Failure> {
    // Nothing that looks at it may write at all.
    let runner = &input.runner.reading(output.path());
    let media = input.media;
    let gate = Gate {
        input: Inspected { runner, ..input },
        recipe,
        output: Source::File(output.path().to_owned()),
    };
    let made = async { probe(runner, &gate.output).await.map_err(blame_output) };
    // None of these waits for another.
    let (made, decoded, stated) = tokio::try_join!(made, gate.decode(depth), gate.input_frames())?;
    gate.compare_tracks(&made)?;
    let mut complaints = complaints.clone();
    let compared = gate.compare_frames(decoded, &stated, &mut complaints).await;
    let mut timing = Vec::new();
    if !complaints.is_empty() {
        timing = gate.input.explain(&complaints).await?;
        let refusal = damage::refusal(&timing).filter(|_| recipe.strict_input);
        if let Some(refusal) = refusal {
            return Err(refusal.with_log(complaints.words().to_vec()));
        }
    }
    let frames = compared?;
    timing.extend(gate.compare_lengths(&made).await?);
    let mut changes = changes::compare(recipe, media, &made, &arguments.tracks, &arguments.changes);
    changes.extend(timing);
    changes::refuse(recipe, &changes, "the output has lost")?;
    Ok(Checked {
        frames,
        duration: made.duration.unwrap_or_default(),
        size: output.size(),
        media: made,
        changes,
    })
}

/// Everything that a check looks at.
struct Gate<'a> {
    input: Inspected<'a>,
    recipe: &'a Recipe,
    output: Source,
}

/// An output that is not as it should be: the input's fault where this worker's encodes pass otherwise.
fn mismatch(what: impl Into<String>) -> Failure {
    Failure::in_doubt(Doubt::Proof, what)
}

impl Gate<'_> {
    fn films(&self) -> impl Iterator<Item = (usize, &Track)> {
        self.input
            .tracks
            .iter()
            .enumerate()
            .filter(|(_, track)| track.source.is_film())
    }

    /// How frames that correspond to each other are counted.
    fn unit(&self) -> Count {
        match self.recipe.video {
            Video::Encode(_) => Count::Frames,
            Video::Copy => Count::Packets,
        }
    }

    fn keeps_frames(&self) -> bool {
        self.recipe
            .video_encode()
            .is_none_or(|video| video.keeps_frames())
    }

    /// Decodes what was encoded. Gives the frames of the first film, where that was one of it.
    async fn decode(&self, depth: Depth) -> Result<Option<u64>, Failure> {
        let made: Vec<usize> = (0..self.input.tracks.len())
            .filter(|&index| matches!(self.input.tracks[index].by, Means::Video | Means::Audio(_)))
            .collect();
        if made.is_empty() {
            return Ok(None);
        }
        let length = self.input.media.duration.unwrap_or(0.0);
        match depth {
            Depth::Sample(part) if length > 2.0 * part.as_secs_f64() => {
                let part = part.as_secs_f64();
                self.decode_part(&made, &["-t".to_owned(), part.to_string()])
                    .await?;
                self.decode_part(&made, &["-sseof".to_owned(), (-part).to_string()])
                    .await?;
                Ok(None)
            }
            _ => {
                let frames = self.decode_part(&made, &[]).await?;
                Ok((self.unit() == Count::Frames).then_some(frames))
            }
        }
    }

    async fn decode_part(&self, tracks: &[usize], part: &[String]) -> Result<u64, Failure> {
        let mut arguments: Vec<OsString> = ["-nostdin", "-hide_banner", "-v", "error", "-xerror"]
            .map(OsString::from)
            .into();
        arguments.extend(part.iter().map(OsString::from));
        arguments.extend(self.output.arguments());
        for index in tracks {
            arguments.extend(["-map".into(), format!("0:{index}").into()]);
        }
        arguments.extend(["-fps_mode", "passthrough", "-f", "null", "-"].map(OsString::from));
        let finished = self
            .input
            .runner
            .ffmpeg(&arguments, Origin::Local, |_| {})
            .await
            .map_err(blame_output)?;
        Ok(finished.progress.frame)
    }

    /// Frames of each film of the input as its container states them; where it
    /// does not, its packets, which are the same for all but a few codecs.
    async fn input_frames(&self) -> Result<Vec<u64>, Failure> {
        let mut frames = Vec::new();
        if !self.keeps_frames() {
            return Ok(frames);
        }
        for (_, film) in self.films() {
            frames.push(match film.source.frames.filter(|frames| *frames > 0) {
                Some(stated) => stated,
                None => {
                    count(
                        self.input.runner,
                        self.input.source,
                        film.source.index,
                        Count::Packets,
                    )
                    .await?
                    .frames
                }
            });
        }
        Ok(frames)
    }

    /// Gives the frames of the first film. `decoded` are those already counted; `complaints` gets
    /// what a further look at the input brings up.
    async fn compare_frames(
        &self,
        mut decoded: Option<u64>,
        stated: &[u64],
        complaints: &mut Complaints,
    ) -> Result<u64, Failure> {
        let mut first = None;
        for (number, (index, film)) in self.films().enumerate() {
            let made = match decoded.take() {
                Some(frames) => frames,
                None => {
                    // Encoders write a packet a frame.
                    count(self.input.runner, &self.output, index, Count::Packets)
                        .await
                        .map_err(blame_output)?
                        .frames
                }
            };
            first.get_or_insert(made);
            if made == 0 {
                self.input.holds_frames().await?;
                return Err(mismatch("output holds no frame"));
            }
            if stated.get(number).is_some_and(|stated| *stated != made) {
                self.recount_input(film, made, complaints).await?;
            }
        }
        Ok(first.unwrap_or(0))
    }

    /// What the container says is not always what a decoder gives: edit lists,
    /// fields, hidden frames, damage. So a full decode of the input decides.
    async fn recount_input(
        &self,
        film: &Track,
        made: u64,
        complaints: &mut Complaints,
    ) -> Result<(), Failure> {
        let exact = count(
            self.input.runner,
            self.input.source,
            film.source.index,
            self.unit(),
        )
        .await?;
        complaints.extend(exact.complaints);
        if exact.frames == made {
            return Ok(());
        }
        Err(mismatch(format!(
            "output has {made} frames where the input has {}",
            exact.frames
        )))
    }

    fn compare_tracks(&self, made: &Media) -> Result<(), Failure> {
        // An mp4's chapters and timecode come as data tracks of their own, behind all that was asked for.
        let mut data = self
            .input
            .tracks
            .iter()
            .filter(|track| track.source.kind == StreamKind::Data)
            .count();
        let is_asked_for = move |stream: &&Stream| {
            if stream.kind != StreamKind::Data {
                return true;
            }
            let is_left = data > 0;
            data = data.saturating_sub(1);
            is_left
        };
        let made: Vec<&Stream> = made.streams.iter().filter(is_asked_for).collect();
        if made.len() != self.input.tracks.len() {
            return Err(mismatch(format!(
                "output has {} tracks where {} were asked for",
                made.len(),
                self.input.tracks.len()
            )));
        }
        for (track, made) in self.input.tracks.iter().zip(made) {
            if let Some((what, is, wanted)) = self.difference(track, made) {
                return Err(mismatch(format!(
                    "{what} of the output's {} track {} is {is} where {wanted} was asked for",
                    made.kind, made.index
                )));
            }
        }
        Ok(())
    }

    /// What differs between a track as asked for and as made: what it is, what was made, what was asked for.
    fn difference(&self, track: &Track, made: &Stream) -> Option<(&'static str, String, String)> {
        let source = &track.source;
        if made.kind != source.kind {
            return Some(("kind", made.kind.to_string(), source.kind.to_string()));
        }
        let codec = match track.by {
            Means::Copy | Means::Attach => source.codec.as_str(),
            Means::Video => self.recipe.codec().map_or("", |codec| codec.name()),
            Means::Audio(encoder) => encoder.codec(),
            Means::Subtitles(form) | Means::Captions(form) => form,
        };
        // MP4 has one name for all layers of MPEG audio.
        let same = made.codec == codec
            || (self.recipe.container == Container::Mp4
                && (codec, made.codec.as_str()) == ("mp2", "mp3"));
        if !codec.is_empty() && !same {
            return Some(("codec", made.codec.clone(), codec.to_owned()));
        }
        let is_fixed = !SAYS_CHANNELS.contains(&source.codec.as_str());
        if track.by == Means::Copy && is_fixed && made.channels != source.channels {
            let channels = |stream: &Stream| format!("{} channels", stream.channels);
            return Some(("sound", channels(made), channels(source)));
        }
        if let Means::Audio(encoder) = track.by
            && let Ok(sound) = Sound::plan(source, encoder, self.recipe.container)
            && !Layout::parse(&made.layout).is_some_and(|made| made.sounds_like(sound.layout()))
        {
            let wanted = sound.layout().to_string();
            return Some(("layout", made.layout.clone(), wanted));
        }
        let size = match track.by {
            Means::Copy => (source.width, source.height),
            Means::Video => self.size(source)?,
            _ => return None,
        };
        if made.width.abs_diff(size.0) > 1 || made.height.abs_diff(size.1) > 1 {
            let text = |(width, height)| format!("{width}x{height}");
            return Some(("size", text((made.width, made.height)), text(size)));
        }
        None
    }

    /// The picture's size after the recipe, give or take the pixel that makes
    /// it even; `None` where only ffmpeg's filters know it.
    fn size(&self, film: &Stream) -> Option<(u32, u32)> {
        let video = self.recipe.video_encode()?;
        let shown = film.shown();
        match video.scale {
            Some(Scale::Exact(width, height)) => Some((width, height)),
            _ if video.filters.is_some() || shown.0 == 0 || shown.1 == 0 => None,
            None => Some(shown),
            Some(scale) => Some(
                scale
                    .of(shown, film.shown_aspect(), video.scale_up)
                    .unwrap_or(shown),
            ),
        }
    }

    /// Frames that were counted prove the films; length proves the sound. What the container states
    /// is no more than a statement: where it does not fit, the input's packets decide.
    async fn compare_lengths(&self, made: &Media) -> Result<Option<Change>, Failure> {
        let has_sound = self
            .input
            .tracks
            .iter()
            .any(|track| track.source.kind == StreamKind::Audio);
        let same_length = self
            .recipe
            .video_encode()
            .and_then(|video| video.filters.as_ref())
            .is_none_or(Filters::keep_frames);
        let guessed = is_recording(self.input.media);
        // Packets counted in a file that breaks off prove nothing; a count that its header states does.
        let stated = self.films().all(|(_, film)| film.source.frames.is_some());
        let proved_by_frames = self.keeps_frames() && (guessed || (stated && !has_sound));
        let (Some(expected), Some(length)) = (self.expected_length(), made.duration) else {
            return Ok(None);
        };
        // Half a second for what encoders of sound add and containers round, a frame for the last one's length, and a
        // thousandth for clocks: far less than anything worth watching.
        let frame = self
            .input
            .media
            .films()
            .find_map(|film| film.mean_rate)
            .map_or(0.04, |rate| 1.0 / rate.value());
        let fits = |expected: f64| {
            let tolerance = 0.5 + frame + expected * 0.001;
            (length - expected).abs() <= tolerance
        };
        if !same_length || proved_by_frames || fits(expected) {
            return Ok(None);
        }
        let found = self.input.length().await?;
        if found.is_some_and(fits) {
            return Ok(Some(Change::converted(
                Kind::Timing,
                None,
                format!("a stated length of {expected:.1} s"),
                format!("{length:.1} s"),
                "the input's packets end there, whatever its container states",
            )));
        }
        Err(mismatch(format!(
            "output is {length:.2} s long where the input is {:.2} s",
            found.unwrap_or(expected)
        )))
    }

    /// Length of what was kept of the input, in seconds; `None` where only the
    /// length of all of it is known and not all was kept.
    fn expected_length(&self) -> Option<f64> {
        let timed = |stream: &&Stream| stream.kind != StreamKind::Attachment && !stream.is_picture;
        let kept: Vec<&Stream> = self
            .input
            .tracks
            .iter()
            .filter(|track| !matches!(track.by, Means::Captions(_)))
            .map(|track| &track.source)
            .filter(timed)
            .collect();
        if kept.len() == self.input.media.streams.iter().filter(timed).count() {
            return self.input.media.duration;
        }
        let lengths: Option<Vec<f64>> = kept.iter().map(|stream| stream.duration).collect();
        lengths?.into_iter().reduce(f64::max)
    }
}

/// What would be the input's fault is a mismatch where the "input" is our own output.
fn blame_output(failure: Failure) -> Failure {
    match failure.fault {
        Fault::Passing => failure,
        Fault::Worker if failure.doubt.is_none() => failure,
        Fault::Input | Fault::Worker => {
            mismatch(format!("output is broken: {}", failure.message)).with_log(failure.log)
        }
    }
}
