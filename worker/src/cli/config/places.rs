//! The places where a worker may read and write, from options, the environment or the farm's file.

use std::path::PathBuf;

use common::names::location::Location;
use common::program::farm_file::WorkerSection;
use common::store::Stores;
use common::store::roots::Roots;

/// A list in the form of `PATH`.
const ROOTS: &str = "WORKER_ROOT";
/// A comma-separated list.
const BUCKETS: &str = "WORKER_BUCKET";

/// Parses a bucket, or a prefix of a bucket.
pub(crate) fn bucket(text: &str) -> Result<Location, String> {
    let location = Location::from_argument(text).map_err(|error| error.to_string())?;
    if !location.is_remote() {
        return Err(format!(
            "'{text}' is no bucket: expected s3://BUCKET/PREFIX"
        ));
    }
    Ok(location)
}

/// The same stores, limited to these places. If an option is missing, the environment variable is used, and then the
/// farm's file.
///
/// # Errors
/// Every place that is no existing folder or no bucket.
pub(crate) fn stores(
    stores: Stores,
    roots: &[PathBuf],
    buckets: &[Location],
    file: &WorkerSection,
) -> Result<Stores, Vec<String>> {
    let mut wrong = Vec::new();
    let mut roots = roots.to_vec();
    if roots.is_empty() {
        let listed = std::env::var_os(ROOTS).unwrap_or_default();
        roots.extend(std::env::split_paths(&listed));
        roots.retain(|path| !path.as_os_str().is_empty());
    }
    if roots.is_empty() {
        roots.clone_from(&file.roots);
    }
    // One by one, so that every wrong root is reported.
    for root in &roots {
        let alone = Roots::new([root]);
        wrong.extend(alone.err().map(|error| format!("--root: {error}")));
    }
    let mut buckets = buckets.to_vec();
    if buckets.is_empty() {
        let listed = std::env::var(BUCKETS).unwrap_or_default();
        let texts = listed.split(',').map(str::trim);
        for text in texts.filter(|text| !text.is_empty()) {
            match bucket(text) {
                Ok(bucket) => buckets.push(bucket),
                Err(error) => wrong.push(format!("{BUCKETS}: {error}")),
            }
        }
    }
    if buckets.is_empty() {
        buckets.clone_from(&file.buckets);
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let roots = Roots::new(roots).map_err(|error| vec![format!("--root: {error}")])?;
    Ok(stores.within(roots, buckets))
}
