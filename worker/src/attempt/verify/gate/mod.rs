//! The publish gate: the checks that an output must pass before anyone can see it.
//!
//! An exit code of 0 proves little: ffmpeg also succeeds on a truncated input, and a full disk or a faulty driver can
//! leave a file that plays nowhere. So new processes check the output: it has the tracks that were asked for, its
//! encoded tracks decode without an error, and it has all frames of the input, with sound and text at their times. A
//! copied track is as good as its source, so its packets are only counted.

mod cues;
mod frames;
mod length;
mod marks;
mod sound;
mod tracks;

use std::time::Duration;

use common::job::changes::Change;
use common::job::failure::Failure;
use common::recipe::{Recipe, Video};

use crate::attempt::changes;
use crate::attempt::tool_output::ToolOutput;
use crate::attempt::verify::damage;
use crate::attempt::verify::damage::Inspected;
use crate::attempt::verify::output;
use crate::attempt::verify::output::blame_output;
use crate::ffmpeg::Source;
use crate::ffmpeg::arguments::Arguments;
use crate::ffmpeg::probe::count::Count;
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::probe::probe;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::tracks::{Track, TrackMethod};

/// How much of an output is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The whole output.
    Full,
    /// This much of its beginning and of its end. Frames are counted without decoding.
    Sample(Duration),
    /// As much, of an output whose frames were counted: the first video track has this many.
    Counted(Duration, u64),
}

/// An output that passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The number of frames of its first video track.
    pub frames: u64,
    /// The length in seconds.
    pub duration: f64,
    /// The size in bytes.
    pub size: u64,
    /// The content.
    pub media: Media,
    /// What has become of the parts of the input.
    pub changes: Vec<Change>,
}

/// Checks the output that `arguments` made of `input`. `complaints` are ffmpeg's complaints during the encode.
///
/// # Errors
/// The input's fault if it is too damaged, if it is damaged at all and the recipe is strict, or if the output has
/// lost what the recipe forbids to lose. A failure in doubt if the output does not match the input.
pub async fn check(
    input: Inspected<'_>,
    recipe: &Recipe,
    arguments: &Arguments,
    output: &ToolOutput,
    depth: Depth,
    complaints: &Complaints,
) -> Result<Checked, Failure> {
    // The processes of the check may write nowhere.
    let runner = &input.runner.reading(output.path());
    let media = input.media;
    let gate = Gate {
        input: Inspected { runner, ..input },
        recipe,
        output: Source::File(output.path().to_owned()),
    };
    let made = async { probe(runner, &gate.output).await.map_err(blame_output) };
    // These three checks do not depend on each other.
    let (made, decoded, wanted) = tokio::try_join!(made, gate.decode(depth), gate.wanted_frames())?;
    gate.compare_tracks(&made)?;
    gate.compare_marks(&made)?;
    if let Some(plan) = &arguments.size {
        plan.budget.check(output.size())?;
    }
    let mut complaints = complaints.clone();
    let compared = gate.compare_frames(decoded, &wanted, &mut complaints).await;
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
    gate.compare_sync(&made).await?;
    gate.compare_cues(&made).await?;
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

impl Gate<'_> {
    fn films(&self) -> impl Iterator<Item = (usize, &Track)> {
        self.input
            .tracks
            .iter()
            .enumerate()
            .filter(|(_, track)| track.source.is_film())
    }

    /// The unit in which the frames of input and output can be compared.
    fn unit(&self) -> Count {
        match self.recipe.video {
            Video::Encode(_) => Count::Frames,
            Video::Copy | Video::None => Count::Packets,
        }
    }

    fn keeps_frames(&self) -> bool {
        self.recipe
            .video_encode()
            .is_none_or(|video| video.keeps_frames())
    }

    /// Whether the number of the output's frames follows from the frames of the input.
    fn counts_frames(&self) -> bool {
        self.recipe
            .video_encode()
            .is_none_or(|video| video.paces_frames())
    }

    /// Decodes the encoded tracks. Returns the number of frames of the first video track if it was decoded whole.
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
        let maps: Vec<String> = made.iter().map(|index| format!("0:{index}")).collect();
        let decode = async |part: &[String]| {
            output::decode(self.input.runner, &self.output, &maps, part).await
        };
        let length = self.input.media.duration.unwrap_or(0.0);
        match depth {
            Depth::Sample(part) | Depth::Counted(part, _) if length > 2.0 * part.as_secs_f64() => {
                let part = part.as_secs_f64();
                decode(&["-t".to_owned(), part.to_string()]).await?;
                decode(&["-sseof".to_owned(), (-part).to_string()]).await?;
                Ok(match depth {
                    Depth::Counted(_, frames) => Some(frames),
                    _ => None,
                })
            }
            _ => {
                let frames = decode(&[]).await?;
                Ok((self.unit() == Count::Frames).then_some(frames))
            }
        }
    }
}
