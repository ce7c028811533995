//! Checks of decoded jobs and runs. Every client of the broker can write anything there. A message with values that
//! no program of the farm writes is refused, so that it does no harm to other jobs.

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::job::Job;
use crate::job::run::{Run, RunState};

/// Most claims of one job, releases included.
pub const MOST_CLAIMS: u32 = 1_000_000;
/// Most attempts that a job may ask for.
const MOST_ATTEMPTS: u32 = 1_000;
/// Most fallbacks of a job.
const MOST_FALLBACKS: usize = 64;
/// Longest version of an input, in bytes.
const LONGEST_VERSION: usize = 1024;
/// The earliest accepted time, in seconds since 1970.
const FIRST_TIME: i64 = 0;
/// The latest accepted time: the year 2200.
const LAST_TIME: i64 = 7_258_118_400;

/// The job or run holds a value that no program of the farm writes; says which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsound(String);

fn sound(is_sound: bool, why: impl FnOnce() -> String) -> Result<(), Unsound> {
    if is_sound {
        Ok(())
    } else {
        Err(Unsound(why()))
    }
}

fn sound_time(what: &str, time: Timestamp) -> Result<(), Unsound> {
    sound((FIRST_TIME..LAST_TIME).contains(&time.as_second()), || {
        format!("{what} at {time} is no time of this farm")
    })
}

impl Job {
    /// Checks that a program of the farm can have written this job.
    ///
    /// # Errors
    /// The first value that no program of the farm writes.
    pub fn check(&self) -> Result<(), Unsound> {
        sound(self.attempts <= MOST_ATTEMPTS, || {
            format!("{} attempts are more than {MOST_ATTEMPTS}", self.attempts)
        })?;
        sound(self.further.len() <= Self::MOST_FURTHER, || {
            let (further, most) = (self.further.len(), Self::MOST_FURTHER);
            format!("{further} further inputs are more than {most}")
        })?;
        let mut versions = self.inputs().map(|input| input.version.len());
        sound(versions.all(|length| length <= LONGEST_VERSION), || {
            format!("the version of an input is longer than {LONGEST_VERSION}")
        })?;
        sound(self.kind.writes() || self.reads_only(), || {
            "a check that names an output".to_owned()
        })?;
        let fallbacks = self
            .fallbacks
            .as_ref()
            .map_or(0, |fallbacks| fallbacks.queues.len());
        sound(fallbacks <= MOST_FALLBACKS, || {
            format!("{fallbacks} fallbacks are more than {MOST_FALLBACKS}")
        })?;
        sound_time("enqueued", self.enqueued)
    }
}

impl Run {
    /// Checks that a program of the farm can have written this run.
    ///
    /// # Errors
    /// The first value that no program of the farm writes.
    pub fn check(&self) -> Result<(), Unsound> {
        let Self {
            attempt, returned, ..
        } = *self;
        sound(attempt <= MOST_CLAIMS, || {
            format!("attempt {attempt} is beyond {MOST_CLAIMS}")
        })?;
        sound(returned <= attempt, || {
            format!("{returned} of {attempt} attempts cannot have been released")
        })?;
        sound(self.failures.len() as u64 <= u64::from(attempt), || {
            let failures = self.failures.len();
            format!("{failures} of {attempt} attempts cannot have failed")
        })?;
        if let Some(fence) = &self.fence {
            sound(fence.report.is_some() != fence.kept.is_some(), || {
                "a fence says in two ways, or in none, how the job ends".to_owned()
            })?;
        }
        sound_time("changed", self.changed)?;
        for failed in &self.failures {
            sound((1..=attempt).contains(&failed.number), || {
                format!("attempt {} of {attempt} cannot have failed", failed.number)
            })?;
            sound_time("an attempt started", failed.started)?;
            sound_time("an attempt ended", failed.ended)?;
        }
        match &self.state {
            RunState::Running { since, .. } => {
                sound(returned < attempt, || {
                    format!("attempt {attempt} runs and cannot have been released")
                })?;
                sound_time("running", *since)
            }
            RunState::Waiting { until, .. } => sound_time("waiting", *until),
            RunState::Completed { report } => {
                let times = [report.duration, report.encode_seconds, report.total_seconds];
                let damage = report.health.iter().flat_map(|health| &health.damage);
                let damage = damage.flat_map(|damage| [damage.from, damage.to]);
                let mut times = times.into_iter().chain(damage);
                sound(times.all(f64::is_finite), || {
                    "a report of endless times".to_owned()
                })
            }
            RunState::Kept { report } => sound(report.seconds.is_finite(), || {
                "a report of endless times".to_owned()
            }),
            _ => Ok(()),
        }
    }
}

/// Serialises by the derived functions that `#[serde(remote = "Self")]` makes, and checks what was decoded.
macro_rules! checked {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let read = Self::deserialize(deserializer)?;
                read.check().map_err(D::Error::custom)?;
                Ok(read)
            }
        }
    )*};
}

checked!(Job, Run);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::farm::queue::Lane;
    use crate::job::failure::Failure;
    use crate::job::run::Delivered;
    use crate::recipe::Choice;
    use crate::testing::{job, report};
    use crate::wire;

    fn lane() -> Lane {
        Lane::from_consumer("libx264_p5").expect("a lane")
    }

    fn running(now: Timestamp) -> Run {
        let job = job(Choice::Encoder("libx264".parse().expect("one")), 10);
        Run::first(job, &lane(), 7, "w1".parse().expect("a name"), now)
    }

    /// A run as JSON with one of its values replaced.
    fn spoiled(path: &str, value: serde_json::Value) -> Vec<u8> {
        let mut json: serde_json::Value =
            serde_json::from_slice(&wire::encode(&running(Timestamp::now()))).expect("JSON");
        *json.pointer_mut(path).expect("it is there") = value;
        json.to_string().into_bytes()
    }

    #[test]
    fn values_that_no_program_writes_are_refused() {
        for (path, value) in [
            ("/body/attempt", 4_294_967_294_u32.into()),
            ("/body/returned", 2.into()),
            ("/body/returned", 1.into()),
            ("/body/changed", "2999-01-01T00:00:00Z".into()),
            ("/body/changed", "9999-12-30T00:00:00Z".into()),
            (
                "/body/state/running/since",
                "-009999-01-02T01:59:59Z".into(),
            ),
            ("/body/priority", 11.into()),
            ("/body/job/attempts", u32::MAX.into()),
            ("/body/job/enqueued", "9999-12-30T00:00:00Z".into()),
            ("/body/job/input/version", "x".repeat(2000).into()),
            (
                "/body/job/recipe/video/encode/with",
                serde_json::json!({"first_of": []}),
            ),
        ] {
            let read = wire::decode::<Run>(&spoiled(path, value.clone()));
            assert!(
                matches!(read, Err(wire::WireError::Malformed(_))),
                "{path} {value}: {read:?}"
            );
        }
        let sound = running(Timestamp::now());
        let read: Run = wire::decode(&wire::encode(&sound)).expect("sound");
        assert_eq!(read, sound);
    }

    #[test]
    fn a_run_from_before_deliveries_were_counted_can_be_read() {
        let mut json: serde_json::Value =
            serde_json::from_slice(&wire::encode(&running(Timestamp::now()))).expect("JSON");
        let body = json["body"].as_object_mut().expect("a run");
        assert_eq!(body.remove("delivered"), Some(1.into()));
        let read: Run = wire::decode(json.to_string().as_bytes()).expect("sound");
        assert_eq!(read.delivered, 0);
    }

    /// A change of a run, by any program.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Take { sequence: u64, count: u64 },
        Fail,
        Release,
        Move,
        Retry,
        Cancel,
        Complete,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (any::<u64>(), any::<u64>())
                .prop_map(|(sequence, count)| Step::Take { sequence, count }),
            Just(Step::Fail),
            Just(Step::Release),
            Just(Step::Move),
            Just(Step::Retry),
            Just(Step::Cancel),
            Just(Step::Complete),
        ];
        prop::collection::vec(step, 0..40)
    }

    proptest! {
        #[test]
        fn no_sequence_of_changes_overflows_or_spoils_a_run(
            attempt in prop_oneof![0..20_u32, MOST_CLAIMS - 20..=MOST_CLAIMS],
            back in 0..5_u32,
            second in prop_oneof![FIRST_TIME..10_000_000, 1_700_000_000..1_800_000_000_i64],
            steps in steps(),
        ) {
            let now = Timestamp::from_second(second).expect("in range");
            let mut run = running(now);
            run.attempt = attempt.max(1);
            run.returned = run.attempt.saturating_sub(back + 1);
            for step in steps {
                let worker = "w2".parse().expect("a name");
                run = match step {
                    Step::Take { sequence, count } => {
                        let message = Delivered { sequence, count };
                        let _ = run.on_delivery(&lane(), message, now);
                        if run.state.is_terminal() {
                            continue;
                        }
                        run.take_over(&lane(), message, worker, now)
                    }
                    Step::Fail => {
                        let wait = SignedDuration::try_from(Duration::from_secs(600)).expect("short");
                        run.fail(Failure::worker("x"), wait, now)
                    }
                    Step::Release => run.release(now),
                    Step::Move => run.move_to(&lane(), now).unwrap_or(run),
                    Step::Retry => run.retry(now).unwrap_or(run),
                    Step::Cancel => run.cancel(now).unwrap_or(run),
                    Step::Complete => run.complete(report("w2", "libx264", 1, 1.0), now),
                };
                prop_assert_eq!(run.check(), Ok(()));
                prop_assert!(run.spent() <= run.attempt);
                let read: Run = wire::decode(&wire::encode(&run)).expect("sound");
                prop_assert_eq!(&read, &run);
            }
        }
    }
}
