//! Conditions: one expression about a file, such as `video.codec in [hevc, av1] and height <= 1080`.
//!
//! A text passes three steps: the [grammar](syntax) makes a tree of words, [`typed`] makes an expression of known
//! fields and values, and the [analysis](analysis) refuses what can never hold or always holds. All of them are pure.
//! A stored condition passes only the first two: an analysis that learns more must not make a stored job unreadable.

mod analysis;
mod error;
mod expression;
mod field;
mod holds;
mod set;
mod syntax;
mod typed;
mod unit;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::rules::condition::error::ConditionError;
use crate::rules::condition::error::Problem;
use crate::rules::condition::expression::Expression;
use crate::rules::condition::field::Field;
use crate::rules::facts::Facts;

/// The longest text of a condition, in bytes.
const MOST_BYTES: usize = 4_000;

/// A condition about a file. It is stored and shown as its text, in one spelling: conditions that only differ in
/// blanks or in other names of a codec are the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
pub struct Condition(Expression);

impl Condition {
    /// Whether the condition holds for a file, at this time.
    pub fn holds(&self, facts: &Facts, now: Timestamp) -> bool {
        self.0.holds(facts, now)
    }

    /// The names of all fields, each with its meaning and an example of a comparison.
    pub fn fields() -> impl Iterator<Item = (&'static str, &'static str, String)> {
        let fields = Field::ALL.iter();
        fields.map(|field| (field.name(), field.meaning(), field.example()))
    }

    /// Checks that the condition makes sense. One that a person has written does; one that was sent as data may not.
    ///
    /// # Errors
    /// If it can never hold, or always holds.
    pub fn check(&self) -> Result<(), ConditionError> {
        match analysis::verdict(&self.0) {
            Some(verdict) => {
                let text = self.to_string();
                Err(ConditionError::new(&text, Problem::Senseless(verdict)))
            }
            None => Ok(()),
        }
    }

    /// Reads a condition without looking at whether it makes sense.
    fn read(text: &str) -> Result<Self, ConditionError> {
        let error = |problem| ConditionError::new(text, problem);
        if text.len() > MOST_BYTES {
            return Err(error(Problem::TooLong));
        }
        let syntax = syntax::parse(text).map_err(|unexpected| error(unexpected.into()))?;
        typed::expression(syntax).map(Self).map_err(error)
    }
}

impl FromStr for Condition {
    type Err = ConditionError;

    /// Reads a condition of a person.
    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let condition = Self::read(text)?;
        // The one spelling that is stored may be longer than the text, and must be readable as well.
        Self::read(&condition.to_string())?;
        condition.check().map(|()| condition)
    }
}

impl TryFrom<String> for Condition {
    type Error = ConditionError;

    /// Reads a stored condition.
    fn try_from(text: String) -> Result<Self, ConditionError> {
        Self::read(&text)
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.to_string()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
