//! Names of a worker's scratch folder and of the worker's entries in it.

use uuid::Uuid;

use crate::farm::worker_name::WorkerName;
use crate::job::id::JobId;

/// Prefix of entries that are about to be removed.
pub const REMOVED: &str = "removed-";

/// The name of a worker's scratch folder.
pub fn folder(worker: &WorkerName) -> String {
    format!("ffmpeg-easy-scratch-{worker}")
}

/// The name of the file that a worker holds locked while it uses its scratch folder.
pub fn lock(worker: &WorkerName) -> String {
    format!("{}.lock", folder(worker))
}

/// The purpose in the folder's marker.
pub fn kind(worker: &WorkerName) -> String {
    format!("scratch folder of the worker {worker}")
}

/// Whether a worker makes entries of this name in its scratch folder: folders of attempts (`<job>-<attempt>`), of
/// previews (`peek`), of samples (`sample`), of proof encodes (`proof-<uuid>`), and entries that were
/// about to be removed.
pub fn is_own(name: &str) -> bool {
    // A worker writes UUIDs in one form only.
    let is_uuid = |text: &str| text.len() == 36 && Uuid::try_parse(text).is_ok();
    let is_job = |text: &str| {
        text.parse::<JobId>()
            .is_ok_and(|job| job.to_string() == text)
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    if let Some(rest) = name.strip_prefix(REMOVED).or(name.strip_prefix("proof-")) {
        return is_uuid(rest);
    }
    matches!(name, "peek" | "sample")
        || name
            .rsplit_once('-')
            .is_some_and(|(job, attempt)| is_job(job) && is_number(attempt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_a_worker_makes_are_its_own() {
        const ID: &str = "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab";
        for own in [
            "peek".to_owned(),
            "sample".to_owned(),
            format!("{ID}-1"),
            format!("{ID}-chunk-7-1"),
            format!("{ID}-rest-2"),
            format!("proof-{ID}"),
            format!("removed-{ID}"),
        ] {
            assert!(is_own(&own), "{own}");
        }
        for other in [
            "film.mkv",
            "videos",
            ID,
            "peek-2",
            "a-1",
            "removed-films",
            "chunk-7-1",
            "",
        ] {
            assert!(!is_own(other), "{other}");
        }
        assert!(!is_own(&format!("{ID}-")));
        assert!(!is_own(&format!("{ID}-1.mkv")));
    }
}
