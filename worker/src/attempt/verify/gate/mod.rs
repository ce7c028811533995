//! The publish gate: what an output must pass before anyone can see it.
//!
//! An exit code of 0 proves little: ffmpeg ends well on an input that breaks
//! off, and a full disk or a lying driver can leave a file that plays nowhere.
//! So the output is looked at again by fresh processes: its tracks are those
//! asked for, what was encoded decodes without error, and the input's frames
//! are all there. What was copied is as good as its source and is only counted.

mod frames;
mod length;
mod tracks;

use std::ffi::OsString;
use std::time::Duration;

use common::job::changes::Change;
use common::job::failure::{Doubt, Failure, Fault};
use common::recipe::{Recipe, Video};

use crate::attempt::changes;
use crate::attempt::tool_output::ToolOutput;
use crate::attempt::verify::damage;
use crate::attempt::verify::damage::Inspected;
use crate::ffmpeg::Source;
use crate::ffmpeg::arguments::Arguments;
use crate::ffmpeg::probe::count::Count;
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::probe::probe;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::tracks::{Track, TrackMethod};

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

/// An output that is not as it should be, by the input's fault or because this machine was sick for a moment.
fn mismatch(what: impl Into<String>) -> Failure {
    Failure::in_doubt(Doubt::Repetition, what)
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
            .filter(|&index| {
                matches!(
                    self.input.tracks[index].by,
                    TrackMethod::Video | TrackMethod::Audio(_)
                )
            })
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
