//! Places: where a worker may read and write, by its own settings.
//!
//! Only names are compared here, so that listings can tell which worker takes a job. What a name leads to on disk is
//! checked by the worker when it opens a file.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::location::Location;

/// The folders and bucket prefixes of one worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// Folders; without one, no `file://` job is taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<Location>,
    /// Bucket prefixes; without one, every bucket that the credentials open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<Location>,
}

impl Places {
    /// Whether a location is in one of the places.
    pub fn admit(&self, location: &Location) -> bool {
        if location.is_remote() {
            return self.buckets.is_empty()
                || self.buckets.iter().any(|bucket| location.is_below(bucket));
        }
        self.roots.iter().any(|root| location.is_below(root))
    }

    /// Checks that all these locations are in the places.
    ///
    /// # Errors
    /// The folders that are not in the places.
    pub fn admit_all<'a>(
        &self,
        needed: impl IntoIterator<Item = &'a Location>,
    ) -> Result<(), Foreign> {
        let mut foreign = Vec::new();
        for location in needed {
            let folder = location.folder();
            if !self.admit(location) && !foreign.contains(&folder) {
                foreign.push(folder);
            }
        }
        if foreign.is_empty() {
            Ok(())
        } else {
            Err(Foreign(foreign))
        }
    }
}

/// Folders in which a worker may not read and write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign(Vec<Location>);

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("may not read or write there: give it")?;
        for folder in &self.0 {
            let option = if folder.is_remote() {
                "--bucket"
            } else {
                "--root"
            };
            write!(f, " {option} {folder}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Location {
        Location::from_argument(text).expect("a location")
    }

    #[test]
    fn files_need_a_root_and_buckets_a_prefix_if_one_is_given() {
        let open = Places::default();
        assert!(!open.admit(&at("file:///media/a.mkv")));
        assert!(open.admit(&at("s3://media/a.mkv")));
        let places = Places {
            roots: vec![at("file:///media/films")],
            buckets: vec![at("s3://media/in")],
        };
        assert!(places.admit(&at("file:///media/films/a/b.mkv")));
        assert!(places.admit(&at("file:///media/%66ilms/a.mkv")));
        assert!(!places.admit(&at("file:///media/films2/a.mkv")));
        assert!(!places.admit(&at("file:///media/films/../a.mkv")));
        assert!(!places.admit(&at("file:///media/films/%2e%2e/a.mkv")));
        assert!(!places.admit(&at("file:///media/films/..%2fa.mkv")));
        assert!(places.admit(&at("s3://media/in/a.mkv")));
        assert!(!places.admit(&at("s3://media/in2/a.mkv")));
        assert!(!places.admit(&at("s3://media/in/../out/a.mkv")));
        assert!(!places.admit(&at("s3://other/in/a.mkv")));
        let needed = ["file:///out/a.mkv", "s3://out/a.mkv", "file:///out/b.mkv"].map(at);
        let foreign = places.admit_all(&needed).expect_err("foreign");
        assert_eq!(
            foreign.to_string(),
            "may not read or write there: give it --root /out --bucket s3://out/"
        );
        let near = at("file:///media/films/b.mkv");
        places.admit_all([&near]).expect("below the root");
    }
}
