//! Plans: where the chunks of a film begin and end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::farm::card::Proof;
use crate::farm::film::FilmFindings;
use crate::farm::queue::{Lane, Priority, Queue};
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::part::Part;
use crate::job::run::quality::FoundQuality;
use crate::job::sidecar::Sidecars;
use crate::names::location::Location;
use crate::names::token::Token;
use crate::recipe::encoder::Encoder;
use crate::rules::Rules;
use crate::wire;
use crate::wire::is_default;

/// A range of the frames of a film, which one worker encodes. Times are in units of [`Film::time_base`], as the source
/// has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Chunk {
    /// The time of its first frame.
    pub start: i64,
    /// The time of the first frame after it; for the last chunk, the end of the film.
    pub end: i64,
    /// The number of its frames.
    pub frames: u64,
    /// The time of the keyframe from which it is decoded, at `start` or before.
    pub decode_from: i64,
    /// The time at which a search in the source is aimed, so that it finds that keyframe, and none after it; `None` if the
    /// plan does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_from: Option<i64>,
}

/// What a split needs to know about the film.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Film {
    /// The number of the film's stream in the source.
    pub stream: usize,
    /// The unit of times, in seconds: numerator and denominator.
    pub time_base: (u32, u32),
    /// What was found in it by decoding parts: the same holds for all chunks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub findings: FilmFindings,
    /// What an unsplit output states about it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stated: Stated,
}

/// What a container states about a film beside its frames, in ffmpeg's words; empty for what it does not state. Pieces
/// may not hold all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stated {
    /// `tv` or `pc`.
    pub range: String,
    /// Such as `bt709`.
    pub matrix: String,
    /// Such as `smpte2084`.
    pub transfer: String,
    /// Such as `bt2020`.
    pub primaries: String,
    /// Such as `topleft`.
    pub chroma_location: String,
    /// `progressive`, `tt`, `bb`, `tb` or `bt`.
    pub field_order: String,
    /// How long a frame is shown, in nanoseconds.
    pub frame: Option<u64>,
}

/// How a job is split. It is written once, before the parts are enqueued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The whole job.
    pub job: Job,
    /// When the job was split, by the broker's clock.
    pub since: Timestamp,
    /// The queue of the parts.
    pub queue: Queue,
    /// Their priority, when the plan was made.
    pub priority: Priority,
    /// The film.
    pub film: Film,
    /// The chunks, in the order of the film.
    pub chunks: Vec<Chunk>,
    /// The file extension of the pieces of chunks.
    pub extension: Token,
    /// The file extension of the piece of all tracks but the film; `None` if there is no such track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Token>,
    /// The encoder of all chunks.
    pub encoder: Encoder,
    /// What the worker that made the plan has proved of it: the join describes the output by it, wherever it runs.
    pub proof: Proof,
    /// What the source holds, as the worker that made the plan has probed it, in the form of its version: so no part
    /// probes the source again. `None` if that is too long to be carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<serde_json::Value>,
    /// The quality that all chunks are encoded with, if the recipe asks for a target: found in samples of the whole film.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<FoundQuality>,
}

impl wire::Message for Plan {}

impl Plan {
    /// The lane of the parts.
    pub fn lane(&self) -> Lane {
        Lane {
            queue: self.queue.clone(),
            priority: self.priority,
        }
    }

    /// The parts that are needed for the output.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let chunks = (0..)
            .zip(&self.chunks)
            .map(|(number, _)| Part::Chunk(number));
        // It is begun first: the join waits for all parts.
        self.rest.iter().map(|_| Part::Rest).chain(chunks)
    }

    /// The chunk that a part makes.
    pub fn chunk(&self, part: Part) -> Option<&Chunk> {
        let number = usize::try_from(part.chunk()?).ok()?;
        self.chunks.get(number)
    }

    /// The folder of the pieces.
    pub fn folder(&self) -> Location {
        folder(&self.job)
    }

    /// The location of the piece of a part.
    pub fn piece(&self, part: Part) -> Location {
        let extension = match part {
            Part::Rest => self.rest.as_ref().unwrap_or(&self.extension),
            _ => &self.extension,
        };
        self.folder().join(&format!("{part}.{extension}"))
    }

    /// The job of a part, as it is enqueued.
    pub fn job_of(&self, part: Part) -> Job {
        Job {
            id: self.job.id.with_part(part),
            output: self.piece(part),
            rules: Rules::default(),
            replacement: None,
            sidecars: Sidecars::default(),
            // Only parts of this job write there.
            replace: true,
            fallbacks: None,
            ..self.job.clone()
        }
    }

    /// The frames of the film.
    pub fn frames(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.frames).sum()
    }
}

/// The name of the folder, beside outputs, that holds the pieces of split jobs.
pub const PIECES: &str = ".ffmpeg-easy";

/// The folder of the pieces that a part writes to; `None` if it is no part, or writes elsewhere.
pub fn folder_of_piece(part: &Job) -> Option<Location> {
    let folder = part.output.folder();
    let outputs = folder.folder().folder();
    let is_own = !part.id.is_whole() && folder == pieces_beside(&outputs, &part.id);
    is_own.then_some(folder)
}

/// The folder of the pieces of a job.
fn folder(job: &Job) -> Location {
    pieces_beside(&job.output.folder(), &job.id)
}

fn pieces_beside(outputs: &Location, job: &JobId) -> Location {
    outputs.join(&format!("{PIECES}/{}", job.whole()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Choice;
    use crate::testing;

    #[test]
    fn a_piece_is_beside_the_output_of_its_own_job() {
        let choice = Choice::Encoder("libx264".parse().expect("an encoder"));
        let lane = Lane::from_consumer("libx264_p5").expect("a lane");
        let plan = testing::plan(&testing::job(choice, 10), &lane, &[100]);
        let mut part = plan.job_of(Part::Chunk(0));
        assert_eq!(folder_of_piece(&part), Some(plan.folder()));
        assert_eq!(folder_of_piece(&plan.job), None, "no part");
        part.output = plan.job.output.clone();
        assert_eq!(folder_of_piece(&part), None, "elsewhere");
        part.output = plan.folder().sibling("another").join("chunk0.mkv");
        assert_eq!(folder_of_piece(&part), None, "another job's");
    }
}
