//! Signed messages. Those in the files stay signed: what is signed of a job is the same for all versions.

use bytes::Bytes;

use crate::job::Job;
use crate::job::signature::{JobSignature, Signers};
use crate::library::Library;
use crate::library::mandate::mandate;
use crate::names::nkey::{Signer, UserSeed};
use crate::wire;

/// A signed job, a signed library, and a job of that library.
pub(super) fn written(job: &Job, library: &Library) -> Vec<(&'static str, Bytes)> {
    let signer = Signer::from(&UserSeed::new());
    let signed = Job {
        signature: Some(JobSignature::of(job, &signer).into()),
        ..job.clone()
    };
    let allowed = mandate(library).expect("a sound library");
    let library = Library {
        signature: Some(JobSignature::of_mandate(allowed, &signer).into()),
        ..library.clone()
    };
    let mut work = job.work();
    work.input.location = library.location.join("a.mp4");
    work.output = library.output_folder().join("a.mkv");
    work.recipe.clone_from(&library.recipe);
    work.rules.clone_from(&library.rules);
    let ordered = Job {
        signature: library.signature.clone(),
        sidecars: library.sidecars,
        ..Job::of(job.batch, work, None)
    };
    vec![
        ("job-signed", wire::encode(&signed)),
        ("job-signed-library", wire::encode(&ordered)),
        ("library-signed", wire::encode(&library)),
    ]
}

#[test]
fn what_was_signed_by_any_version_stays_signed() {
    for name in ["job-signed", "job-signed-library"] {
        let path = super::folder().join(format!("{name}.json"));
        let bytes = std::fs::read(path).expect("a file");
        let job: Job = wire::decode(&bytes).expect("a job");
        let key = job.signature.as_ref().expect("signed").key.clone();
        assert_eq!(Signers::from(vec![key]).check(&job), Ok(()), "{name}");
    }
    let bytes = std::fs::read(super::folder().join("library-signed.json")).expect("a file");
    let library: Library = wire::decode(&bytes).expect("a library");
    let signature = library.signature.as_ref().expect("signed");
    let allowed = mandate(&library).expect("a sound library");
    assert_eq!(signature.mandate.as_ref(), Some(&allowed));
}
