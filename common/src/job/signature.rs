//! Signatures of jobs: who has ordered a job, and that nothing of it was changed since. They are what a worker can trust
//! where the broker, or another user of it, is not to be trusted.
//!
//! A signature is part of the job itself. So it goes wherever the job goes: to other lanes, into the run, into the plan of a
//! split, and back on a retry. What is signed are the bytes of the job without its signature, as this program writes them.
//! A worker acts on what it has read, and compares the signature with the bytes of just that.

use serde::{Deserialize, Serialize};

use crate::job::Job;
use crate::job::mandate::Mandate;
use crate::job::split::Plan;
use crate::names::nkey::{PublicKey, Signature, Signer};

/// The beginning of what is signed. A broker has its clients sign texts of its choice when they connect: no text begins
/// with this byte, so no broker gets the signature of a job that way.
const MARK: u8 = 0xff;

/// The signature that a job carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobSignature {
    /// The public key of whoever has signed.
    pub key: PublicKey,
    /// The signature of the job; of the mandate, if there is one.
    pub signature: Signature,
    /// The mandate of the library that has ordered the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<Mandate>,
}

/// Why a worker does not trust a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// The job has no signature.
    #[error(
        "the job is not signed, and this worker takes signed jobs only (--require-signature): enqueue its input again with --again, \
         by a program whose farm file has a key; if a library has ordered it, save that library again with such a program"
    )]
    Unsigned,
    /// The worker does not know the key.
    #[error(
        "the job is signed with the key {0}, which this worker does not trust: add the key to `signers` in [worker] of its farm \
         file, or to --require-signature, restart the worker and retry the job"
    )]
    Stranger(PublicKey),
    /// The signature is of another job.
    #[error(
        "the job was changed after {0} had signed it, or the signature is of another job: enqueue its input again with --again, and \
         look who else may publish jobs"
    )]
    Changed(PublicKey),
    /// The library may not order such a job.
    #[error(
        "a library whose settings {key} has signed may not order this job: {why}; if the library was changed since, its jobs \
         come again with the next scan"
    )]
    Beyond {
        /// The key that has signed the settings.
        key: PublicKey,
        /// What is not allowed.
        why: &'static str,
    },
    /// The part is otherwise than the plan of its job.
    #[error("the part is not what the signed job and its plan say: retry the job")]
    OtherPart,
}

/// What is signed of a value.
fn statement(about: &str, value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![MARK];
    bytes.extend_from_slice(b"ffmpeg-easy ");
    bytes.extend_from_slice(about.as_bytes());
    bytes.push(0);
    serde_json::to_writer(&mut bytes, value)
        .expect("plain data with string keys always serialises");
    bytes
}

impl JobSignature {
    /// The signature of a job.
    pub fn of(job: &Job, signer: &Signer) -> Self {
        Self {
            key: signer.key().clone(),
            signature: signer.sign(&Self::statement_of(job)),
            mandate: None,
        }
    }

    /// The signature of a library's mandate, for all of its jobs.
    pub fn of_mandate(mandate: Mandate, signer: &Signer) -> Self {
        Self {
            key: signer.key().clone(),
            signature: signer.sign(&statement("library", &mandate)),
            mandate: Some(mandate),
        }
    }

    fn statement_of(job: &Job) -> Vec<u8> {
        let unsigned = Job {
            signature: None,
            ..job.clone()
        };
        statement("job", &unsigned)
    }

    /// Makes sure that this is a signature of the job, or of a mandate that allows it.
    fn check(&self, job: &Job) -> Result<(), Distrust> {
        let statement = match &self.mandate {
            None => Self::statement_of(job),
            Some(mandate) => statement("library", mandate),
        };
        let key = self.key.clone();
        if !self.key.has_signed(&statement, &self.signature) {
            return Err(Distrust::Changed(key));
        }
        match &self.mandate {
            None => Ok(()),
            Some(mandate) => mandate
                .allows(job)
                .map_err(|why| Distrust::Beyond { key, why }),
        }
    }
}

/// Whose jobs a worker takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signers(Vec<PublicKey>);

impl From<Vec<PublicKey>> for Signers {
    fn from(keys: Vec<PublicKey>) -> Self {
        Self(keys)
    }
}

impl Signers {
    /// Makes sure that somebody whose jobs are taken has ordered this whole job.
    ///
    /// # Errors
    /// Nobody has.
    pub fn check(&self, job: &Job) -> Result<(), Distrust> {
        let signature = job.signature.as_deref().ok_or(Distrust::Unsigned)?;
        if !self.0.contains(&signature.key) {
            return Err(Distrust::Stranger(signature.key.clone()));
        }
        signature.check(job)
    }

    /// Makes sure that a job is as its plan says, and that the plan is of a job that is taken: a part reads and writes where
    /// its job does, and beside its output. What else a plan says is the work of the worker that has made it.
    ///
    /// # Errors
    /// It is not.
    pub fn check_plan(&self, job: &Job, plan: &Plan) -> Result<(), Distrust> {
        self.check(&plan.job)?;
        let expected = match job.id.is_whole() {
            true => plan.job.clone(),
            false => plan.job_of(job.id.part()),
        };
        match expected == *job {
            true => Ok(()),
            false => Err(Distrust::OtherPart),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farm::queue::Lane;
    use crate::job::id::{BatchId, JobId};
    use crate::job::kind::CheckDepth;
    use crate::job::part::Part;
    use crate::job::sidecar::Sidecars;
    use crate::job::work::Work;
    use crate::names::location::Location;
    use crate::names::nkey::UserSeed;
    use crate::recipe::Choice;
    use crate::recipe::encoder::Codec;
    use crate::rules::Rules;
    use crate::{testing, wire};

    fn signed(signer: &Signer) -> Job {
        let mut job = testing::job(Choice::Codec(Codec::Hevc), 10);
        job.signature = Some(JobSignature::of(&job, signer).into());
        // As a worker gets it.
        wire::decode(&wire::encode(&job)).expect("a job")
    }

    fn trusting(signer: &Signer) -> Signers {
        vec![signer.key().clone()].into()
    }

    #[test]
    fn only_what_a_known_key_has_signed_is_trusted() {
        let signer = Signer::from(&UserSeed::new());
        let job = signed(&signer);
        let signers = trusting(&signer);
        assert_eq!(signers.check(&job), Ok(()));

        let stranger = Signer::from(&UserSeed::new());
        let theirs = signed(&stranger);
        let expected = Distrust::Stranger(stranger.key().clone());
        assert_eq!(signers.check(&theirs), Err(expected));

        // The key of somebody else on one's own signature.
        let mut forged = theirs;
        forged.signature.as_mut().expect("signed").key = signer.key().clone();
        let changed = Err(Distrust::Changed(signer.key().clone()));
        assert_eq!(signers.check(&forged), changed);

        let unsigned = Job {
            signature: None,
            ..job.clone()
        };
        assert_eq!(signers.check(&unsigned), Err(Distrust::Unsigned));
    }

    #[test]
    fn no_part_of_a_job_can_be_changed() {
        let signer = Signer::from(&UserSeed::new());
        let job = signed(&signer);
        let signers = trusting(&signer);
        let value = serde_json::to_value(&job).expect("plain data");
        let elsewhere = Location::s3("media", "elsewhere.mkv").expect("a location");
        let mut changes: Vec<(&str, Job)> = Vec::new();
        let mut change = |what, change: &dyn Fn(&mut Job)| {
            let mut changed = job.clone();
            change(&mut changed);
            changes.push((what, changed));
        };
        change("id", &|job| {
            job.id = JobId::of(&job.work(), Some(uuid::Uuid::nil()))
        });
        change("batch", &|job| job.batch = BatchId::new());
        change("input", &|job| job.input.location = elsewhere.clone());
        change("version", &|job| job.input.version += "x");
        change("output", &|job| job.output = elsewhere.clone());
        change("recipe", &|job| {
            job.recipe = testing::job(Choice::Codec(Codec::Av1), 10).recipe;
        });
        change("sidecars", &|job| job.sidecars = Sidecars::Carry);
        change("attempts", &|job| job.attempts += 1);
        change("replace", &|job| job.replace = !job.replace);
        change("enqueued", &|job| {
            job.enqueued += jiff::SignedDuration::from_nanos(1);
        });
        for (what, changed) in changes {
            let refused = Err(Distrust::Changed(signer.key().clone()));
            assert_eq!(signers.check(&changed), refused, "{what}");
        }
        // All that a job's message says is in what is signed.
        let statement = JobSignature::statement_of(&job);
        let start = statement
            .iter()
            .position(|byte| *byte == 0)
            .expect("marked")
            + 1;
        let mut expected = value;
        let fields = expected.as_object_mut().expect("a job");
        fields.remove("signature").expect("signed");
        let signed: serde_json::Value = serde_json::from_slice(&statement[start..]).expect("JSON");
        assert_eq!(signed, expected);
    }

    #[test]
    fn no_broker_can_ask_for_the_signature_of_a_job() {
        // What a client signs when it connects is a text that the broker has sent.
        let statement = JobSignature::statement_of(&testing::job(Choice::Codec(Codec::Hevc), 10));
        assert!(std::str::from_utf8(&statement).is_err());
    }

    #[test]
    fn every_job_of_the_golden_files_stays_signed_on_its_way() {
        let signer = Signer::from(&UserSeed::new());
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire/v1");
        let mut jobs = 0;
        for entry in std::fs::read_dir(folder).expect("golden files") {
            let bytes = std::fs::read(entry.expect("an entry").path()).expect("a file");
            let Ok(mut job) = wire::decode::<Job>(&bytes) else {
                continue;
            };
            job.signature = Some(JobSignature::of(&job, &signer).into());
            let read: Job = wire::decode(&wire::encode(&job)).expect("a job");
            assert_eq!(trusting(&signer).check(&read), Ok(()), "{}", job.id);
            jobs += 1;
        }
        assert!(jobs > 3, "{jobs} jobs");
    }

    #[test]
    fn a_part_is_what_the_plan_of_a_signed_job_says() {
        let signer = Signer::from(&UserSeed::new());
        let job = signed(&signer);
        let lane = Lane::from_consumer("any_hevc_p5").expect("a lane");
        let plan = testing::plan(&job, &lane, &[100; 3]);
        let signers = trusting(&signer);
        let chunk = plan.job_of(Part::Chunk(1));
        assert_eq!(signers.check_plan(&chunk, &plan), Ok(()));
        assert_eq!(signers.check_plan(&job, &plan), Ok(()));

        let mut elsewhere = chunk.clone();
        elsewhere.output = job.output.sibling("authorized_keys");
        let refused = Err(Distrust::OtherPart);
        assert_eq!(signers.check_plan(&elsewhere, &plan), refused);

        let mut forged = plan.clone();
        forged.job.output = job.output.sibling("authorized_keys");
        let part = forged.job_of(Part::Chunk(1));
        let refused = Err(Distrust::Changed(signer.key().clone()));
        assert_eq!(signers.check_plan(&part, &forged), refused);
    }

    #[test]
    fn a_library_orders_what_its_settings_allow_and_nothing_else() {
        let signer = Signer::from(&UserSeed::new());
        let plain = testing::job(Choice::Codec(Codec::Hevc), 10);
        let mandate = Mandate {
            location: plain.input.location.folder(),
            outputs: Some(plain.output.folder().join("encoded")),
            replacement: None,
            work: Mandate::work(&plain.recipe, &plain.rules, plain.sidecars, None),
        };
        let signature = JobSignature::of_mandate(mandate, &signer);
        let signers = trusting(&signer);
        let ordered = Job {
            output: plain.output.folder().join("encoded/a.mkv"),
            signature: Some(signature.into()),
            ..plain.clone()
        };
        assert_eq!(signers.check(&ordered), Ok(()));
        let check = Work::check(plain.input.clone(), CheckDepth::Full);
        let check = Job {
            signature: ordered.signature.clone(),
            ..Job::of(plain.batch, check, None)
        };
        assert_eq!(signers.check(&check), Ok(()));

        let elsewhere = Location::s3("media", "elsewhere/a.mkv").expect("a location");
        let refused = |change: &dyn Fn(&mut Job)| {
            let mut job = ordered.clone();
            change(&mut job);
            let result = signers.check(&job);
            assert!(matches!(result, Err(Distrust::Beyond { .. })), "{result:?}");
        };
        refused(&|job| job.input.location = elsewhere.clone());
        refused(&|job| job.output = elsewhere.clone());
        refused(&|job| job.replace = true);
        refused(&|job| job.sidecars = Sidecars::Carry);
        refused(&|job| job.recipe = testing::job(Choice::Codec(Codec::Av1), 10).recipe);
        refused(&|job| {
            job.rules = Rules {
                original: crate::rules::Original::Copy,
                ..Rules::default()
            }
        });
        // A mandate is not to be widened.
        let mut wider = ordered.clone();
        let signature = wider.signature.as_mut().expect("signed");
        signature.mandate.as_mut().expect("of a library").outputs = Some(elsewhere.folder());
        let changed = Err(Distrust::Changed(signer.key().clone()));
        assert_eq!(signers.check(&wider), changed);
        // The signature of a mandate is none of a job.
        let mut bare = ordered;
        bare.signature.as_mut().expect("signed").mandate = None;
        assert_eq!(signers.check(&bare), changed);
    }
}
