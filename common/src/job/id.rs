//! Ids of jobs and batches.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::job::kind::JobKind;
use crate::job::part::Part;
use crate::job::work::Work;
use crate::rules::Rules;

/// Identifies a job: a UUIDv5 of its inputs, recipe and output, so that the same work asked for twice is one job. The parts
/// of a split job share its UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId {
    uuid: Uuid,
    part: Part,
}

/// Namespace of the farm's job ids. It was chosen at random and never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x5b3c_7f1e_61d4_4f0a_9c52_e0a7_48d1_93b6);

impl JobId {
    /// The id of no job.
    pub(crate) const NIL: Self = Self::whole_of(Uuid::nil());

    const fn whole_of(uuid: Uuid) -> Self {
        Self {
            uuid,
            part: Part::Whole,
        }
    }

    /// The part of the job that this names.
    pub fn part(&self) -> Part {
        self.part
    }

    /// Whether this names a whole job.
    pub fn is_whole(&self) -> bool {
        self.part == Part::Whole
    }

    /// The whole job.
    pub fn whole(&self) -> Self {
        Self::whole_of(self.uuid)
    }

    /// A part of the same job.
    pub fn with_part(&self, part: Part) -> Self {
        Self {
            uuid: self.uuid,
            part,
        }
    }

    /// The id of a job that does this work. A `salt` makes a different id for work that a person wants to have done
    /// again.
    pub fn of(work: &Work, salt: Option<Uuid>) -> Self {
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
        // The id of a plain job is the same as before jobs had further inputs, ladders, kinds, rules or
        // replacements.
        let identity = match ladder {
            Some(ladder) => serde_json::to_vec(&(input, further, recipe, output, ladder, salt)),
            None if further.is_empty() => serde_json::to_vec(&(input, recipe, output, salt)),
            None => serde_json::to_vec(&(input, further, recipe, output, salt)),
        };
        let identity = identity.expect("plain data with string keys always serialises");
        let id = Uuid::new_v5(&NAMESPACE, &identity);
        let is_plain = *kind == JobKind::default() && *rules == Rules::default();
        // Which trash takes a source, for how long, and what is done about its further names does not count: the output is
        // the same, and an original that was put back must not be replaced again because a command names another trash.
        // A job that failed by such terms gives way to one with others when that is submitted.
        let identity = match replacement {
            None if is_plain => return Self::whole_of(id),
            None => serde_json::to_vec(&(kind, rules)),
            Some(_) => serde_json::to_vec(&(kind, rules, "replaces")),
        };
        let identity = identity.expect("plain data with string keys always serialises");
        Self::whole_of(Uuid::new_v5(&id, &identity))
    }
}

/// Identifies the jobs that one command enqueued together; sorts by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(Uuid);

impl BatchId {
    /// A new id, made now.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl Default for BatchId {
    fn default() -> Self {
        Self::new()
    }
}

/// The text is no id.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no id: ids look like 9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab")]
pub struct IdError(String);

/// A whole job is shown as its UUID, a part as in `<UUID>-chunk-7`.
impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = Uuid::encode_buffer();
        let uuid = self.uuid.hyphenated().encode_lower(&mut buffer);
        match self.part {
            Part::Whole => f.pad(uuid),
            part => f.pad(&format!("{uuid}-{part}")),
        }
    }
}

impl FromStr for JobId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let foreign = || IdError(text.to_owned());
        let Some((uuid, rest)) = text.split_at_checked(uuid::fmt::Hyphenated::LENGTH) else {
            return text.parse().map(Self::whole_of).map_err(|_| foreign());
        };
        let uuid = match text.parse() {
            Ok(uuid) => return Ok(Self::whole_of(uuid)),
            Err(_) => uuid.parse().map_err(|_| foreign())?,
        };
        let part = rest.strip_prefix('-').and_then(|part| part.parse().ok());
        match part {
            None | Some(Part::Whole) => Err(foreign()),
            Some(part) => Ok(Self { uuid, part }),
        }
    }
}

impl Serialize for JobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl FromStr for BatchId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| IdError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::further::{FurtherInput, FurtherRole, Join};
    use crate::recipe::Choice;
    use crate::recipe::encoder::Codec;
    use crate::testing;

    #[test]
    fn further_inputs_and_their_order_are_part_of_the_id() {
        let alone = testing::job(Choice::Codec(Codec::Hevc), 10).work();
        let then = |name: &str, join| FurtherInput {
            input: crate::job::input::Input {
                location: alone.input.location.sibling(name),
                ..alone.input.clone()
            },
            role: FurtherRole::Continuation(join),
        };
        let of = |further| {
            let work = Work {
                further,
                ..alone.clone()
            };
            JobId::of(&work, None)
        };
        let (b, c) = (then("b", Join::ByRecipe), then("c", Join::ByRecipe));
        let ids = [
            of(Vec::new()),
            of(vec![b.clone()]),
            of(vec![b.clone(), c.clone()]),
            of(vec![c, b]),
            of(vec![then("b", Join::CopyIfAlike)]),
        ];
        let distinct: std::collections::HashSet<JobId> = ids.into_iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn the_id_of_a_part_reads_back() {
        let whole = testing::job(Choice::Codec(Codec::Hevc), 10).id;
        for part in [Part::Whole, Part::Chunk(7), Part::Twin(0), Part::Rest] {
            let id = whole.with_part(part);
            assert_eq!(id.to_string().parse::<JobId>().expect("an id"), id);
            assert_eq!(id.whole(), whole);
            let json = serde_json::to_string(&id).expect("plain data");
            assert_eq!(serde_json::from_str::<JobId>(&json).expect("an id"), id);
        }
        for foreign in [
            format!("{whole}-all"),
            format!("{whole}-"),
            format!("{whole}x"),
        ] {
            foreign.parse::<JobId>().expect_err(&foreign);
        }
    }

    #[test]
    fn the_id_of_a_job_with_one_input_never_changes() {
        let job = include_bytes!("../../tests/wire/v1/job.json");
        let job: crate::job::Job = crate::wire::decode(job).expect("a job");
        assert_eq!(JobId::of(&job.work(), None), job.id);
    }
}
