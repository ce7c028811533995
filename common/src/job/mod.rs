//! A job: one input that is encoded to one output by one recipe, with further inputs if there are any.
//!
//! More than 12 entries: each is one part of a job, or of what is known about it.

pub mod batch;
pub mod changes;
pub mod companion;
pub mod event;
pub mod failure;
pub mod further;
pub mod id;
pub mod input;
pub mod kind;
pub mod ladder;
pub mod mandate;
pub mod master;
pub mod media_info;
pub mod part;
pub mod progress;
pub mod record;
pub mod replacement;
pub mod run;
pub mod sidecar;
pub mod signature;
pub mod split;
pub mod state;
pub mod trash;
pub mod work;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::farm::queue::Queue;
use crate::job::further::{FurtherInput, wire_version};
use crate::job::id::{BatchId, JobId};
use crate::job::input::Input;
use crate::job::kind::JobKind;
use crate::job::ladder::Ladder;
use crate::job::replacement::Replacement;
use crate::job::sidecar::Sidecars;
use crate::job::signature::JobSignature;
use crate::job::split::Split;
use crate::job::work::Work;
use crate::names::location::Location;
use crate::recipe::Recipe;
use crate::rules::Rules;
use crate::wire;
use crate::wire::is_default;

/// A job, written once when it is enqueued. Its queue and priority are in the message's subject, so that they can
/// change. A decoded job has passed [`Job::check`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(description = "A job, written once when it is enqueued.")
)]
pub struct Job {
    /// The job's id, made from input, recipe and output.
    pub id: JobId,
    /// The batch with which the job was enqueued.
    pub batch: BatchId,
    /// The file to read. It is never written to.
    pub input: Input,
    /// Further files to read, in the order in which the output gets them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<FurtherInput>,
    /// The location of the output, which appears whole and verified.
    pub output: Location,
    /// How the input is encoded.
    pub recipe: Recipe,
    /// The job's place in a ladder, if it makes a rendition of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Ladder>,
    /// What the job does with its input.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: JobKind,
    /// When the original is the better result.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rules: Rules,
    /// Has the output take the place of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Replacement>,
    /// What becomes of the files beside the source.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sidecars: Sidecars,
    /// Whether the job is done in parts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub split: Split,
    /// Most attempts, crashes of workers included.
    pub attempts: u32,
    /// Whether a file at the output may be replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// Further queues in which the job may wait, and from when on.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "hops")]
    pub fallbacks: Option<Fallbacks>,
    /// When the job was enqueued.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub enqueued: Timestamp,
    /// Who has ordered the job. Programs that know nothing of signatures leave it out when they write the job anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Box<JobSignature>>,
}

impl wire::Message for Job {
    fn version(&self) -> u32 {
        // Older programs would encode the whole film as each of its parts.
        if self.split != Split::Off || !self.id.is_whole() {
            return wire::SPLITS;
        }
        let is_plain = self.kind.writes() && self.rules == Rules::default();
        let has_place = self.replacement.is_none() && self.sidecars == Sidecars::default();
        if !is_plain || !has_place {
            return wire::LIBRARIES;
        }
        match self.ladder {
            Some(_) => wire::LADDERS,
            None => wire_version(&self.further),
        }
    }
}

impl Job {
    /// Most further inputs: the message of a job must fit the broker's limit.
    pub const MOST_FURTHER: usize = 1_000;

    /// The default of [`Job::attempts`].
    pub const ATTEMPTS: u32 = 3;

    /// A new job with one input, enqueued now.
    pub fn new(
        batch: BatchId,
        input: Input,
        output: Location,
        recipe: Recipe,
        salt: Option<Uuid>,
    ) -> Self {
        Self::of(batch, Work::new(input, recipe, output), salt)
    }

    /// A new job that does this work, enqueued now.
    pub fn of(batch: BatchId, work: Work, salt: Option<Uuid>) -> Self {
        let id = JobId::of(&work, salt);
        let Work {
            input,
            further,
            recipe,
            output,
            ladder,
            kind,
            rules,
            replacement,
        } = work;
        Self {
            id,
            batch,
            input,
            further,
            output,
            recipe,
            ladder,
            kind,
            rules,
            replacement,
            sidecars: Sidecars::default(),
            split: Split::default(),
            attempts: Self::ATTEMPTS,
            replace: false,
            fallbacks: None,
            enqueued: Timestamp::now(),
            signature: None,
        }
    }

    /// Whether the job names nothing that it could write: a check does not.
    pub(crate) fn reads_only(&self) -> bool {
        self.output == self.input.location && !self.replace && self.replacement.is_none()
    }

    /// What the job does.
    pub fn work(&self) -> Work {
        Work {
            input: self.input.clone(),
            further: self.further.clone(),
            recipe: self.recipe.clone(),
            output: self.output.clone(),
            ladder: self.ladder.clone(),
            kind: self.kind,
            rules: self.rules.clone(),
            replacement: self.replacement.clone(),
        }
    }

    /// Whether the job makes its output from the same files by the same recipe and rules, and for the same ladder.
    pub fn makes_the_same(&self, work: &Work) -> bool {
        self.input == work.input
            && self.further == work.further
            && self.recipe == work.recipe
            && self.ladder == work.ladder
            && self.kind == work.kind
            && self.rules == work.rules
            && self.replacement.is_some() == work.replacement.is_some()
    }

    /// The files that the job reads.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        let further = self.further.iter().map(|further| &further.input);
        std::iter::once(&self.input).chain(further)
    }

    /// Bytes of all files that the job reads.
    pub fn bytes(&self) -> u64 {
        let sizes = self.inputs().map(|input| input.size);
        sizes.fold(0, u64::saturating_add)
    }

    /// Whether the output is made of several parts, one after the other.
    pub fn is_joined(&self) -> bool {
        self.further
            .iter()
            .any(|further| further.role.is_continuation())
    }

    /// The locations that a worker must be able to read and to write for the job.
    pub fn needed(&self) -> Vec<Location> {
        let inputs = self.inputs().map(|input| input.location.clone());
        let trash = self.replacement.as_ref();
        let trash = trash.map(|replacement| replacement.trash.clone());
        inputs.chain([self.output.clone()]).chain(trash).collect()
    }
}

/// Further queues of a job, which open once the job has waited long enough. A job has none unless a person asks for
/// them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fallbacks {
    /// The queues, in the order in which they open.
    pub queues: Vec<Queue>,
    /// Seconds that the job waits before each of them opens.
    pub after: u64,
}

impl Fallbacks {
    /// Each fallback with the time when it opens, for a job that begins to wait at `now`.
    pub fn openings(&self, now: Timestamp) -> impl Iterator<Item = (&Queue, Timestamp)> {
        let after = i64::try_from(self.after).unwrap_or(i64::MAX);
        (1..).zip(&self.queues).filter_map(move |(nth, queue)| {
            let wait = SignedDuration::from_secs(after.checked_mul(nth)?);
            Some((queue, now.checked_add(wait).ok()?))
        })
    }
}
