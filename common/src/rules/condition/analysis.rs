//! Conditions that make no sense: those that can never hold, and those that always hold.
//!
//! A condition is brought into disjunctive normal form: it holds if all comparisons of one of its conjunctions do. A
//! conjunction can hold if, for each field, a value is left that all its comparisons allow. Sets that are not known
//! exactly are taken larger than they are, so a condition that some file meets is never refused. Fields are looked at
//! one by one: what two fields exclude together is not found.

use std::collections::BTreeMap;
use std::fmt;

use crate::rules::condition::expression::{Expression, Is, Test, Value};
use crate::rules::condition::field::{Count, Field, Kind};
use crate::rules::condition::set::Set;

/// Most conjunctions that are looked at: the form may be exponentially larger than the condition. A condition with
/// more is not judged.
const MOST_CONJUNCTIONS: usize = 256;

/// Why a condition makes no sense.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// No file can meet these comparisons.
    Never(Vec<String>),
    /// Every file meets this.
    Always(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never(tests) => match tests.as_slice() {
                [test] => write!(f, "'{test}' can never hold"),
                tests => {
                    let tests: Vec<_> = tests.iter().map(|test| format!("'{test}'")).collect();
                    write!(
                        f,
                        "the condition can never hold: no file meets {} at once",
                        tests.join(" and ")
                    )
                }
            },
            Self::Always(what) => write!(f, "'{what}' holds for every file"),
        }
    }
}

/// A comparison, or the opposite of one.
#[derive(Clone, Copy)]
struct Literal<'a> {
    test: &'a Test,
    is_negated: bool,
}

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.is_negated { "not " } else { "" };
        write!(f, "{not}{}", self.test)
    }
}

/// What is wrong with a condition; `None` if it makes sense, or is too large to be judged.
pub(super) fn verdict(expression: &Expression) -> Option<Verdict> {
    // The smallest part that makes no sense is the one to be named.
    for test in expression.tests() {
        if let Is::Like(pattern) = &test.is {
            if pattern.takes_none() {
                return Some(Verdict::Never(vec![test.to_string()]));
            }
            if pattern.takes_all() {
                return Some(Verdict::Always(test.to_string()));
            }
        }
        let literal = |is_negated| Literal { test, is_negated };
        if conflict(&[literal(false)]).is_some() {
            return Some(Verdict::Never(vec![test.to_string()]));
        }
        if conflict(&[literal(true)]).is_some() {
            return Some(Verdict::Always(test.to_string()));
        }
    }
    if let Some(conflicts) = conflicts(expression, false) {
        return Some(Verdict::Never(conflicts));
    }
    conflicts(expression, true).map(|_| Verdict::Always(expression.to_string()))
}

/// The first conflict, if each conjunction has one.
fn conflicts(expression: &Expression, is_negated: bool) -> Option<Vec<String>> {
    let conjunctions = conjunctions(expression, is_negated)?;
    let mut found = conjunctions.iter().map(|literals| conflict(literals));
    let first = found.next()??;
    found.all(|conflict| conflict.is_some()).then(|| {
        let literals = first.iter().map(ToString::to_string);
        literals.collect()
    })
}

/// The disjunctive normal form; `None` if it is too large.
fn conjunctions(expression: &Expression, is_negated: bool) -> Option<Vec<Vec<Literal<'_>>>> {
    let (parts, is_any) = match expression {
        Expression::Test(test) => return Some(vec![vec![Literal { test, is_negated }]]),
        Expression::Not(inner) => return conjunctions(inner, !is_negated),
        Expression::Any(parts) => (parts, !is_negated),
        Expression::All(parts) => (parts, is_negated),
    };
    let parts = parts.iter().map(|part| conjunctions(part, is_negated));
    let mut all = if is_any { Vec::new() } else { vec![Vec::new()] };
    for part in parts {
        let part = part?;
        all = if is_any {
            all.into_iter().chain(part).collect()
        } else {
            if all.len() * part.len() > MOST_CONJUNCTIONS {
                return None;
            }
            let pairs = all
                .iter()
                .flat_map(|before| part.iter().map(move |part| (before, part)));
            pairs
                .map(|(before, part)| before.iter().chain(part).copied().collect())
                .collect()
        };
        if all.len() > MOST_CONJUNCTIONS {
            return None;
        }
    }
    Some(all)
}

/// The comparisons of one field that no file meets at once; `None` if all comparisons can be met.
fn conflict<'a>(literals: &[Literal<'a>]) -> Option<Vec<Literal<'a>>> {
    let mut fields: BTreeMap<Field, Vec<Literal<'_>>> = BTreeMap::new();
    for literal in literals {
        let of_field = fields.entry(literal.test.field).or_default();
        if !of_field
            .iter()
            .any(|known| known.test == literal.test && known.is_negated == literal.is_negated)
        {
            of_field.push(*literal);
        }
    }
    fields
        .into_iter()
        .find_map(|(field, literals)| match field.count() {
            _ if matches!(field.kind(), Kind::Flag) => {
                let differ = literals.iter().any(|one| one.is_negated)
                    && literals.iter().any(|one| !one.is_negated);
                differ.then_some(literals)
            }
            Count::Any => of_tracks(field, &literals),
            count => of_one(field, count == Count::AtMostOne, literals),
        })
}

/// The same for a field with one value, or none if it `may_lack`.
fn of_one(field: Field, may_lack: bool, literals: Vec<Literal<'_>>) -> Option<Vec<Literal<'_>>> {
    // A file without a value meets no comparison, and the opposite of each.
    if may_lack && literals.iter().all(|literal| literal.is_negated) {
        return None;
    }
    let sets = literals.iter().map(|literal| allowed(field, *literal));
    let left = sets.fold(Set::all(field), Set::and);
    is_empty(&left, &literals).then_some(literals)
}

/// The same for a field with a value for each track: each comparison needs a track, and each opposite is about all.
fn of_tracks<'a>(field: Field, literals: &[Literal<'a>]) -> Option<Vec<Literal<'a>>> {
    let negated = || {
        literals
            .iter()
            .filter(|literal| literal.is_negated)
            .copied()
    };
    let mut needed = literals.iter().filter(|literal| !literal.is_negated);
    needed.find_map(|one| {
        let sets = negated().map(|literal| allowed(field, literal));
        let left = sets.fold(allowed(field, *one), Set::and);
        let all: Vec<_> = [*one].into_iter().chain(negated()).collect();
        is_empty(&left, &all).then_some(all)
    })
}

/// Whether no value is left. Patterns are no sets: they are tried where the values are known one by one.
fn is_empty(left: &Set, literals: &[Literal<'_>]) -> bool {
    let patterns = || {
        let likes = literals
            .iter()
            .filter(|literal| matches!(literal.test.is, Is::Like(_)));
        likes.copied()
    };
    let meets = |word: &String| {
        let value = Value::Word(word.clone());
        patterns().all(|like| like.test.matches(&value) != like.is_negated)
    };
    let contradict = patterns().any(|one| {
        let mut others = patterns();
        !one.is_negated && others.any(|other| other.is_negated && one.test == other.test)
    });
    match left {
        Set::Listed(words) => !words.iter().any(meets),
        left => left.is_empty() || contradict,
    }
}

/// The values with which a comparison holds, or its opposite: not fewer than they are.
fn allowed(field: Field, literal: Literal<'_>) -> Set {
    let all = || Set::all(field);
    let below = |end: u64| {
        end.checked_sub(1)
            .map_or(Set::none(), |last| Set::range(0, last))
    };
    let above = |end: u64| {
        end.checked_add(1)
            .map_or(Set::none(), |first| Set::range(first, u64::MAX))
    };
    let set = match (&literal.test.is, literal.is_negated) {
        (Is::Less(end), false) | (Is::AtLeast(end), true) => below(*end),
        (Is::AtLeast(end), false) | (Is::Less(end), true) => Set::range(*end, u64::MAX),
        (Is::Greater(end), false) | (Is::AtMost(end), true) => above(*end),
        (Is::AtMost(end), false) | (Is::Greater(end), true) => Set::range(0, *end),
        (Is::OneOf(values), false) | (Is::NoneOf(values), true) => Set::of(field, values),
        (Is::NoneOf(values), false) | (Is::OneOf(values), true) => Set::without(field, values),
        (Is::True | Is::Like(_), _) => all(),
    };
    set.and(all())
}
