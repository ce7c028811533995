//! Locations of media: `file:///path` or `s3://bucket/key`.
//!
//! A location has one spelling: its text is decoded and encoded again when it is read, without `.`, `..`, empty
//! parts, queries and fragments.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::names::printable::printable;

/// The location of one object or file, or of a folder of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Location(Url);

/// Why a text is no location.
#[derive(Debug, thiserror::Error)]
pub enum LocationError {
    /// It is no URL.
    #[error("'{text}' is no location: expected s3://bucket/key or file:///path ({source})")]
    Malformed {
        /// The text.
        text: String,
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// It has an unknown scheme.
    #[error("'{0}' has an unknown scheme: expected s3://bucket/key or file:///path")]
    Scheme(String),
    /// It names no bucket.
    #[error("'{0}' names no bucket: expected s3://bucket/key")]
    NoBucket(String),
    /// Its path is not absolute, or not of this machine.
    #[error("'{0}' is no absolute path of this machine")]
    Path(String),
}

impl Location {
    /// A file or folder of this machine, by absolute path.
    ///
    /// # Errors
    /// The path is not absolute.
    pub fn file(path: &Path) -> Result<Self, LocationError> {
        let mut plain = PathBuf::new();
        for part in path.components() {
            match part {
                Component::ParentDir => drop(plain.pop()),
                part => plain.push(part),
            }
        }
        Url::from_file_path(plain)
            .map(Self)
            .map_err(|()| LocationError::Path(path.display().to_string()))
    }

    /// An object, or a prefix of objects, in a bucket. The key is taken literally: `?`, `#` and `%` are ordinary
    /// characters. Slashes at both ends are left out, because no store is asked for such keys.
    ///
    /// # Errors
    /// The bucket's name is empty or malformed.
    pub fn s3(bucket: &str, key: &str) -> Result<Self, LocationError> {
        let text = || format!("s3://{bucket}/{key}");
        if bucket.is_empty() {
            return Err(LocationError::NoBucket(text()));
        }
        let key = encoded(key.trim_matches('/'));
        let url = Url::parse(&format!("s3://{bucket}/{key}")).map_err(|source| {
            LocationError::Malformed {
                text: text(),
                source,
            }
        })?;
        Ok(Self(url))
    }

    /// Reads what a person types: `s3://bucket/literal key`, `file:///…`, or a path.
    ///
    /// # Errors
    /// The text is none of these.
    pub fn from_argument(text: &str) -> Result<Self, LocationError> {
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            return Self::s3(bucket, key);
        }
        if text.contains("://") {
            return text.parse();
        }
        let path = std::path::absolute(text).map_err(|_| LocationError::Path(text.to_owned()))?;
        Self::file(&path)
    }

    /// The local path of a file.
    pub fn path(&self) -> Option<PathBuf> {
        (self.0.scheme() == "file")
            .then(|| self.0.to_file_path().ok())
            .flatten()
    }

    /// The name of the bucket.
    pub fn bucket(&self) -> Option<&str> {
        (self.0.scheme() == "s3")
            .then(|| self.0.host_str())
            .flatten()
    }

    /// The whole bucket of an object.
    pub fn whole_bucket(&self) -> Option<Self> {
        Self::s3(self.bucket()?, "").ok()
    }

    /// The key within the bucket, decoded; the path for a file.
    pub fn key(&self) -> String {
        percent_decoded(self.0.path().trim_start_matches('/'))
    }

    /// The last part of the name, decoded.
    pub fn name(&self) -> String {
        let path = self.0.path().trim_end_matches('/');
        percent_decoded(path.rsplit('/').next().unwrap_or_default())
    }

    /// A location below this one; `relative` uses `/` and is taken literally.
    pub fn join(&self, relative: &str) -> Self {
        let mut path = self.0.path().trim_end_matches('/').to_owned();
        for part in relative
            .split('/')
            .filter(|part| !matches!(*part, "" | "." | ".."))
        {
            path.push('/');
            path.push_str(&encoded(part));
        }
        let mut url = self.0.clone();
        url.set_path(&path);
        match url.to_file_path() {
            Ok(path) if !self.is_remote() => Self::file(&path).unwrap_or(Self(url)),
            _ => Self(url),
        }
    }

    /// The folder, or prefix, of the location; the folder of the top is the top itself.
    pub fn folder(&self) -> Self {
        let path = self.0.path().trim_end_matches('/');
        let mut url = self.0.clone();
        url.set_path(path.rsplit_once('/').map_or("", |(folder, _)| folder));
        url.as_str().parse().unwrap_or_else(|_| self.clone())
    }

    /// A location in the same folder, or below the same prefix.
    pub fn sibling(&self, name: &str) -> Self {
        self.folder().join(name)
    }

    /// Whether this name is below that of a folder or prefix. Names are compared decoded, part by part; a name with a
    /// `..` in it is below nothing.
    pub fn is_below(&self, folder: &Self) -> bool {
        if self.0.scheme() != folder.0.scheme() || self.0.host_str() != folder.0.host_str() {
            return false;
        }
        if let (Some(own), Some(folder)) = (self.path(), folder.path()) {
            return own != folder && own.starts_with(folder);
        }
        let (own, folder) = (self.key(), folder.key());
        let mut own = own.split('/');
        if own.clone().any(|part| part == "..") {
            return false;
        }
        folder
            .trim_end_matches('/')
            .split('/')
            .filter(|part| !part.is_empty())
            .all(|part| own.next() == Some(part))
            && own.next().is_some()
    }

    /// The address of this file as a link in the other one says it, e.g. `a%20film.mp4` or `../720p/film.mp4`. Both are in
    /// the same store.
    pub fn linked_from(&self, other: &Self) -> String {
        let (own, other) = (self.0.path(), other.0.path());
        let (own, other): (Vec<&str>, Vec<&str>) =
            (own.split('/').collect(), other.split('/').collect());
        // The last part of each is a file's name.
        let folders = own.len().min(other.len()).saturating_sub(1);
        let shared = (0..folders).take_while(|&at| own[at] == other[at]).count();
        let up = std::iter::repeat_n("..".to_owned(), other.len() - 1 - shared);
        let link = |part: &&str| {
            percent_encoding::utf8_percent_encode(&percent_decoded(part), LINKED).to_string()
        };
        up.chain(own[shared..].iter().map(link))
            .collect::<Vec<_>>()
            .join("/")
    }

    /// Whether the location is in an object store, which any machine can reach.
    pub fn is_remote(&self) -> bool {
        self.0.scheme() != "file"
    }
}

/// All characters but these are encoded: `Url` itself would drop newlines and tabs.
const LITERAL: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'/');

/// What is encoded in links: only what has another meaning there, because players that read files from a disk do not
/// decode.
const LINKED: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, LITERAL).to_string()
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|source| LocationError::Malformed {
            text: text.to_owned(),
            source,
        })?;
        match url.scheme() {
            "s3" if url.host_str().is_none_or(str::is_empty) => {
                Err(LocationError::NoBucket(text.to_owned()))
            }
            "s3" => {
                let read = Self(url);
                Self::s3(read.bucket().unwrap_or_default(), &read.key())
            }
            "file" => {
                let path = url.to_file_path();
                path.map_or_else(
                    |()| Err(LocationError::Path(text.to_owned())),
                    |path| Self::file(&path),
                )
            }
            _ => Err(LocationError::Scheme(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Location {
    type Error = LocationError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Location> for String {
    fn from(location: Location) -> Self {
        location.0.into()
    }
}

/// The form for people: a path, or the URL with its key decoded. Names may come from strangers, so control characters
/// are escaped: a terminal must not obey them, and a log line stays one line.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (self.path(), self.bucket()) {
            (Some(path), _) => path.display().to_string(),
            (None, Some(bucket)) => format!("s3://{bucket}/{}", self.key()),
            (None, None) => self.0.to_string(),
        };
        f.write_str(&printable(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_survive_the_round_trip() {
        for name in [
            "a b",
            "50% off?",
            "#1",
            "new\nline",
            "emoji 🎬",
            "-rf",
            "it's \"quoted\"",
            "a%20b",
        ] {
            let wire = |location: &Location| {
                let text = String::from(location.clone());
                text.parse::<Location>().expect("our own text")
            };
            let object = Location::from_argument(&format!("s3://media/in/{name}")).expect("s3");
            assert_eq!(wire(&object), object);
            assert_eq!(object.key(), format!("in/{name}"));
            assert_eq!(object.name(), name);
            let joined = Location::s3("media", "in").expect("s3").join(name);
            assert_eq!(joined, object);

            let path = std::env::temp_dir().join(name);
            let file = Location::file(&path).expect("a path");
            assert_eq!(wire(&file).path(), Some(path.clone()));
            let folder = Location::file(&std::env::temp_dir()).expect("a folder");
            assert_eq!(folder.join(name).path(), Some(path));
        }
    }

    #[cfg(unix)]
    #[test]
    fn one_name_has_one_spelling() {
        for (odd, plain) in [
            ("file:///films/%73rc.mp4", "file:///films/src.mp4"),
            ("file:///films//./src.mp4", "file:///films/src.mp4"),
            ("file:///films/x/..%2fsrc.mp4", "file:///films/src.mp4"),
            (
                "file:///films/x/%2e%2E/src.mp4?a#b",
                "file:///films/src.mp4",
            ),
            ("file://localhost/films/src.mp4", "file:///films/src.mp4"),
            ("s3://media/%69n/a%20b.mp4?x=1#y", "s3://media/in/a%20b.mp4"),
            ("s3://me@media:80/in/(a).mp4", "s3://media/in/%28a%29.mp4"),
            ("s3://media/in/..%2fout/a.mp4", "s3://media/out/a.mp4"),
            ("s3://media/in/a.mp4/", "s3://media/in/a.mp4"),
            ("s3://media/in/a.mp4%2F/", "s3://media/in/a.mp4"),
            ("s3://media//in/a.mp4", "s3://media/in/a.mp4"),
        ] {
            let read: Location = odd.parse().expect("a location");
            assert_eq!(String::from(read), plain, "{odd}");
        }
        // Job ids are made of these texts, so they must not change.
        let file = Location::file(Path::new("/films/it's (1), 50%.mp4")).expect("absolute");
        let joined = Location::file(Path::new("/films")).expect("absolute");
        assert_eq!(
            String::from(file.clone()),
            "file:///films/it's%20(1),%2050%25.mp4"
        );
        assert_eq!(joined.join("it's (1), 50%.mp4"), file);
        let odd = "file:///films/it%27s%20%281%29%2c%2050%25.mp4".parse::<Location>();
        assert_eq!(odd.expect("a location"), file);
    }

    #[test]
    fn a_text_that_is_no_location_says_so() {
        for bad in ["s3://", "s3:///key", "ftp://host/x", "file://relative"] {
            assert!(Location::from_argument(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_location_has_a_folder() {
        for (location, folder) in [
            ("s3://media/in/a", "s3://media/in"),
            ("s3://media/a", "s3://media/"),
            ("s3://media/", "s3://media/"),
            ("file:///films/a%20b/c", "file:///films/a%20b"),
            ("file:///films", "file:///"),
            ("file:///", "file:///"),
        ] {
            let location: Location = location.parse().expect("a location");
            assert_eq!(String::from(location.folder()), folder);
        }
    }

    #[test]
    fn joining_never_leaves_the_folder() {
        let folder = Location::s3("media", "out").expect("s3");
        assert_eq!(folder.join("../../etc/passwd").key(), "out/etc/passwd");
    }

    #[test]
    fn files_are_linked_from_the_folder_of_the_other() {
        let at = |key: &str| Location::s3("media", key).expect("a location");
        let master = at("out/film.m3u8");
        let link = |key: &str| at(key).linked_from(&master);
        assert_eq!(link("out/a film (1)-720p.mp4"), "a%20film%20(1)-720p.mp4");
        assert_eq!(
            link("out/50% #1: ü?.mp4"),
            "50%25%20%231%3A%20%C3%BC%3F.mp4"
        );
        assert_eq!(link("out/720p/film.mp4"), "720p/film.mp4");
        assert_eq!(link("720p/film.mp4"), "../720p/film.mp4");
        assert_eq!(link("out2/film.mp4"), "../out2/film.mp4");
    }
}
