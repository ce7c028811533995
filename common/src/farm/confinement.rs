//! How well a worker confines ffmpeg.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The parts of a sandbox that a machine offers, and that a worker therefore puts around every tool that it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// A tool reads and writes its own files only.
    pub files: bool,
    /// A tool connects to its input only.
    pub network: bool,
    /// A tool has a network of its own, in which nothing but its input answers. Without, it may also connect to other
    /// hosts at the port of its input.
    #[serde(default)]
    pub own_network: bool,
    /// A tool makes no system call that a transcoder does not need.
    pub system_calls: bool,
}

impl Confinement {
    /// The parts that are missing, in words.
    pub fn missing(self) -> Vec<&'static str> {
        [
            (self.files, "files"),
            (self.network, "network"),
            (self.system_calls, "system calls"),
        ]
        .into_iter()
        .filter_map(|(is_there, name)| (!is_there).then_some(name))
        .collect()
    }

    /// Whether no part is missing.
    pub fn is_full(self) -> bool {
        self.missing().is_empty()
    }
}

/// `full`, `partial: network not confined`, or `none`.
impl fmt::Display for Confinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = self.missing();
        match missing.as_slice() {
            [] => f.pad("full"),
            [only] => f.pad(&format!("partial: {only} not confined")),
            [first, second] => f.pad(&format!("partial: {first} and {second} not confined")),
            _ => f.pad("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_says_what_is_missing() {
        let level = |files, network, system_calls| {
            let level = Confinement {
                files,
                network,
                own_network: false,
                system_calls,
            };
            level.to_string()
        };
        assert_eq!(level(true, true, true), "full");
        assert_eq!(level(true, false, true), "partial: network not confined");
        assert_eq!(
            level(false, false, true),
            "partial: files and network not confined"
        );
        assert_eq!(level(false, false, false), "none");
    }
}
