//! Sets of values that a field may have.

use std::collections::BTreeSet;

use crate::names::language;
use crate::rules::condition::expression::Value;
use crate::rules::condition::field::{Field, Kind};

/// A set of values of one field: numbers, or words.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Set {
    /// Ranges with both ends, in order and apart.
    Ranges(Vec<(u64, u64)>),
    /// These words.
    Listed(BTreeSet<String>),
    /// All words but these.
    AllBut(BTreeSet<String>),
}

impl Set {
    /// All values of the field.
    pub(super) fn all(field: Field) -> Self {
        match field.kind() {
            Kind::Number(unit) => Self::range(0, unit.most()),
            _ => Self::AllBut(BTreeSet::new()),
        }
    }

    pub(super) fn none() -> Self {
        Self::Ranges(Vec::new())
    }

    pub(super) fn range(first: u64, last: u64) -> Self {
        Self::Ranges(vec![(first, last)])
    }

    /// These values, and for languages all that they stand for.
    pub(super) fn of(field: Field, values: &[Value]) -> Self {
        match field.kind() {
            Kind::Number(_) => {
                let points: BTreeSet<u64> = numbers(values).collect();
                Self::Ranges(points.into_iter().map(|point| (point, point)).collect())
            }
            Kind::Language => Self::Listed(words(values).map(|tag| primary(&tag)).collect()),
            _ => Self::Listed(words(values).collect()),
        }
    }

    /// All values but these. A language with a region leaves others of the same language.
    pub(super) fn without(field: Field, values: &[Value]) -> Self {
        match field.kind() {
            Kind::Number(_) => {
                let points: BTreeSet<u64> = numbers(values).collect();
                let mut ranges = Vec::new();
                let mut next = Some(0_u64);
                for point in points {
                    let last = point.checked_sub(1);
                    let before = next.zip(last).filter(|(first, last)| first <= last);
                    ranges.extend(before);
                    next = point.checked_add(1);
                }
                ranges.extend(next.map(|first| (first, u64::MAX)));
                Self::Ranges(ranges)
            }
            Kind::Language => {
                let whole = words(values).filter(|tag| !tag.contains('-'));
                Self::AllBut(whole.map(|tag| primary(&tag)).collect())
            }
            _ => Self::AllBut(words(values).collect()),
        }
    }

    /// The values that are in both sets.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Ranges(one), Self::Ranges(other)) => {
                let pairs = one
                    .iter()
                    .flat_map(|one| other.iter().map(move |other| (one, other)));
                let both = pairs.map(|(one, other)| (one.0.max(other.0), one.1.min(other.1)));
                Self::Ranges(both.filter(|(first, last)| first <= last).collect())
            }
            (Self::Listed(one), Self::Listed(other)) => {
                Self::Listed(one.intersection(&other).cloned().collect())
            }
            (Self::Listed(listed), Self::AllBut(out))
            | (Self::AllBut(out), Self::Listed(listed)) => {
                Self::Listed(listed.difference(&out).cloned().collect())
            }
            (Self::AllBut(one), Self::AllBut(other)) => {
                Self::AllBut(one.union(&other).cloned().collect())
            }
            // A field has numbers or words, never both.
            (Self::Ranges(_), _) | (_, Self::Ranges(_)) => Self::none(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Ranges(ranges) => ranges.is_empty(),
            Self::Listed(words) => words.is_empty(),
            Self::AllBut(_) => false,
        }
    }
}

fn numbers(values: &[Value]) -> impl Iterator<Item = u64> {
    values.iter().filter_map(|value| match value {
        Value::Number(number) => Some(*number),
        Value::Word(_) => None,
    })
}

fn words(values: &[Value]) -> impl Iterator<Item = String> {
    values.iter().filter_map(|value| match value {
        Value::Word(word) => Some(word.clone()),
        Value::Number(_) => None,
    })
}

/// The language without its region and script, in the code by which all its codes are compared.
fn primary(tag: &str) -> String {
    let tag = language::bcp47(tag);
    let (primary, _) = tag.split_once('-').unwrap_or((&tag, ""));
    primary.to_lowercase()
}
