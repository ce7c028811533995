//! Folders and bucket prefixes that requests name by their whole locations.

use std::path::Path;

use common::names::location::{Location, LocationError};

use crate::web::refusal::Refusal;

/// A folder of a request. Links of this machine are resolved, so that one folder has one name.
pub(crate) fn place(what: &str, text: &str) -> Result<Location, Refusal> {
    let text = text.trim();
    if !text.contains("://") && !Path::new(text).is_absolute() {
        return Err(Refusal::unsound(format!(
            "{what}: '{text}' is no place: give an absolute path, or s3://bucket/prefix"
        )));
    }
    let unsound = |error: LocationError| Refusal::unsound(format!("{what}: {error}"));
    let location = Location::from_argument(text).map_err(unsound)?;
    match location.path().map(|path| path.canonicalize()) {
        Some(Ok(real)) => Location::file(&real).map_err(unsound),
        _ => Ok(location),
    }
}
