//! Exclusions: files of a library that are left out, by patterns of their paths.

use std::fmt;

use globset::{Glob, GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

/// Patterns of paths below a library's folder, e.g. `Extras/**` or `*.sample.mkv`. A pattern without `/` is also
/// compared with the file's name alone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Exclusions(Vec<GlobMatcher>);

/// The patterns cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExclusionError {
    /// A text is no pattern.
    #[error("'{pattern}' is no pattern of files: {why}")]
    Malformed {
        /// The text.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// Every file would be left out.
    #[error("the exclusion '{0}' leaves out every file: name a folder or a part of the names")]
    Everything(String),
}

/// Names that only a pattern for everything matches at once.
const UNRELATED: [&str; 4] = ["7f3a.mkv", "Qz/19-b.mp4", "k/w/x8.webm", "0 0/m/2/v5 p.ts"];

impl Exclusions {
    /// Reads patterns.
    ///
    /// # Errors
    /// One of them is malformed, or leaves out every file.
    pub fn new(
        patterns: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, ExclusionError> {
        let read = |pattern: &str| -> Result<GlobMatcher, ExclusionError> {
            let glob: Glob = GlobBuilder::new(pattern)
                .literal_separator(true)
                .case_insensitive(true)
                .build()
                .map_err(|error| ExclusionError::Malformed {
                    pattern: pattern.to_owned(),
                    why: error.kind().to_string(),
                })?;
            let matcher = glob.compile_matcher();
            match UNRELATED.iter().all(|name| matches(&matcher, name)) {
                true => Err(ExclusionError::Everything(pattern.to_owned())),
                false => Ok(matcher),
            }
        };
        let patterns = patterns.into_iter();
        patterns
            .map(|pattern| read(pattern.as_ref()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The first pattern that leaves out the file at this path below the library's folder.
    pub fn pattern(&self, path: &str) -> Option<&str> {
        let found = self.0.iter().find(|pattern| matches(pattern, path))?;
        Some(found.glob().glob())
    }

    /// The patterns.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|pattern| pattern.glob().glob())
    }
}

fn matches(pattern: &GlobMatcher, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    pattern.is_match(path) || (!pattern.glob().glob().contains('/') && pattern.is_match(name))
}

impl PartialEq for Exclusions {
    fn eq(&self, other: &Self) -> bool {
        self.patterns().eq(other.patterns())
    }
}

impl TryFrom<Vec<String>> for Exclusions {
    type Error = ExclusionError;

    fn try_from(patterns: Vec<String>) -> Result<Self, Self::Error> {
        Self::new(patterns)
    }
}

impl From<Exclusions> for Vec<String> {
    fn from(exclusions: Exclusions) -> Self {
        exclusions.patterns().map(str::to_owned).collect()
    }
}

impl fmt::Display for Exclusions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patterns: Vec<&str> = self.patterns().collect();
        f.write_str(&patterns.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_of_a_path_or_of_a_name() {
        let exclusions = Exclusions::new(["Extras/**", "*.sample.*", "*/old/*"]).expect("sound");
        for (path, found) in [
            ("Extras/a/b.mkv", Some("Extras/**")),
            ("extras/b.mkv", Some("Extras/**")),
            ("film/b.mkv", None),
            ("film/b.Sample.mkv", Some("*.sample.*")),
            ("a/old/b.mkv", Some("*/old/*")),
            ("a/b/old/b.mkv", None),
        ] {
            assert_eq!(exclusions.pattern(path), found, "{path}");
        }
    }

    #[test]
    fn patterns_that_cannot_be_meant_are_refused() {
        for everything in ["*", "**", "**/*", "*.*", "**/*.*"] {
            let refused = Exclusions::new([everything]).expect_err(everything);
            assert_eq!(refused, ExclusionError::Everything(everything.to_owned()));
        }
        let refused = Exclusions::new(["[a-"]).expect_err("malformed");
        assert!(
            refused.to_string().contains("'[a-' is no pattern"),
            "{refused}"
        );
        Exclusions::new(["*.mkv", "**/extras/**", "a*"]).expect("they leave others");
    }
}
