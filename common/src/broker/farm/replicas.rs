//! The number of copies of a stream in a cluster.

use std::fmt;
use std::str::FromStr;

/// Copies that a cluster keeps of each stream: 1, 3 or 5. An even number survives no more lost servers than the odd
/// number below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replicas(u8);

impl Replicas {
    /// One copy, as a single server keeps it.
    pub const ONE: Self = Self(1);

    pub(crate) fn count(self) -> usize {
        self.0.into()
    }
}

/// The text is not 1, 3 or 5.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not 1, 3 or 5")]
pub struct ReplicasError(String);

impl FromStr for Replicas {
    type Err = ReplicasError;

    fn from_str(text: &str) -> Result<Self, ReplicasError> {
        match text.parse() {
            Ok(number @ (1 | 3 | 5)) => Ok(Self(number)),
            _ => Err(ReplicasError(text.to_owned())),
        }
    }
}

impl fmt::Display for Replicas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_odd_numbers_up_to_five_are_taken() {
        let taken = ["0", "1", "2", "3", "4", "5", "6", "", "-1", "three"]
            .map(|text| text.parse::<Replicas>().ok().map(Replicas::count));
        let expected = [
            None,
            Some(1),
            None,
            Some(3),
            None,
            Some(5),
            None,
            None,
            None,
            None,
        ];
        assert_eq!(taken, expected);
    }
}
