//! One occurrence on its way to one hook, and the rules of its retries: pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::names::token::Token;
use crate::notify::occurrence::Occurrence;
use crate::wire;

/// How long an occurrence is tried: what is older is news to nobody.
pub const PATIENCE: SignedDuration = SignedDuration::from_hours(24);
/// How long one program may take for one attempt. After that, another may take the delivery over: the first has died.
pub const HOLD: SignedDuration = SignedDuration::from_secs(30);
/// The wait after the first attempt; each further wait is three times as long.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(2);
/// The longest wait between two attempts.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// One occurrence on its way to one hook, stored in the bucket `notifications`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// What is told.
    pub occurrence: Occurrence,
    /// How often it was tried.
    pub attempts: u32,
    /// How far it is.
    pub state: DeliveryState,
}

impl wire::Message for Delivery {}

/// How far a delivery is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It waits for its next attempt.
    Waiting {
        /// The time of the attempt.
        until: Timestamp,
    },
    /// A program sends it.
    Sending {
        /// The program.
        by: Uuid,
        /// When the program counts as dead.
        until: Timestamp,
    },
    /// The other side has taken it.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// It was given up.
    Failed {
        /// When.
        at: Timestamp,
        /// Why, in one sentence.
        error: String,
    },
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The other side has taken the message. The words are its own.
    Taken(String),
    /// The other side does not take it now.
    Later {
        /// Why, in one sentence.
        error: String,
        /// How long it asks to be left alone.
        after: Option<Duration>,
    },
    /// The other side will never take it.
    Refused(String),
}

impl Answer {
    /// The answer to an HTTP request with this status.
    pub fn of_status(status: u16, words: String, after: Option<Duration>) -> Self {
        match status {
            200..=299 => Self::Taken(words),
            408 | 429 | 500..=599 => Self::Later {
                error: words,
                after,
            },
            _ => Self::Refused(words),
        }
    }

    /// What became of it, in one sentence.
    pub fn words(&self) -> &str {
        match self {
            Self::Taken(words) | Self::Later { error: words, .. } | Self::Refused(words) => words,
        }
    }
}

impl Delivery {
    /// A delivery that is due now.
    pub fn new(occurrence: Occurrence, now: Timestamp) -> Self {
        Self {
            occurrence,
            attempts: 0,
            state: DeliveryState::Waiting { until: now },
        }
    }

    /// When the delivery is to be sent next; `None` if it has ended.
    pub fn due(&self) -> Option<Timestamp> {
        match &self.state {
            DeliveryState::Waiting { until } | DeliveryState::Sending { until, .. } => Some(*until),
            DeliveryState::Sent { .. } | DeliveryState::Failed { .. } => None,
        }
    }

    /// The delivery while a program sends it.
    #[must_use]
    pub fn taken(&self, by: Uuid, now: Timestamp) -> Self {
        Self {
            occurrence: self.occurrence.clone(),
            attempts: self.attempts + 1,
            state: DeliveryState::Sending {
                by,
                until: now + HOLD,
            },
        }
    }

    /// The delivery after an attempt.
    #[must_use]
    pub fn concluded(&self, answer: &Answer, now: Timestamp) -> Self {
        let failed = |error: String| DeliveryState::Failed { at: now, error };
        let state = match answer {
            Answer::Taken(_) => DeliveryState::Sent { at: now },
            Answer::Refused(error) => failed(error.clone()),
            Answer::Later { error, after } => match self.next(*after, now) {
                Some(until) => DeliveryState::Waiting { until },
                None => failed(format!(
                    "given up after {} attempts in a day: {error}",
                    self.attempts
                )),
            },
        };
        Self {
            occurrence: self.occurrence.clone(),
            attempts: self.attempts,
            state,
        }
    }

    /// The time of the attempt after this one; `None` if it would be too late.
    fn next(&self, after: Option<Duration>, now: Timestamp) -> Option<Timestamp> {
        let factor = 3_i32.saturating_pow(self.attempts.saturating_sub(1).min(10));
        let asked = after.and_then(|after| SignedDuration::try_from(after).ok());
        let wait = FIRST_WAIT
            .saturating_mul(factor)
            .max(asked.unwrap_or_default())
            .min(LONGEST_WAIT);
        let next = now + wait;
        (next.duration_since(self.occurrence.at) < PATIENCE).then_some(next)
    }
}

/// The last things that became of a hook's messages, stored in the bucket `notifications`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HookHealth {
    /// When this was noted.
    pub at: Timestamp,
    /// When the other side last took a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Timestamp>,
    /// When an attempt last failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Timestamp>,
    /// Why, in one sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How many messages were dropped because too many waited. A success clears nothing of it.
    #[serde(default, skip_serializing_if = "wire::is_default")]
    pub dropped: u64,
}

impl wire::Message for HookHealth {}

impl HookHealth {
    /// Notes what became of an attempt.
    #[must_use]
    pub fn noted(mut self, answer: &Answer, now: Timestamp) -> Self {
        self.at = now;
        match answer {
            Answer::Taken(_) => self.sent = Some(now),
            Answer::Later { error, .. } | Answer::Refused(error) => {
                self.failed = Some(now);
                self.error = Some(error.clone());
            }
        }
        self
    }

    /// Notes that messages were dropped.
    #[must_use]
    pub fn dropping(mut self, messages: u64, now: Timestamp) -> Self {
        self.at = now;
        self.dropped = self.dropped.saturating_add(messages);
        self
    }

    /// Whether the last attempt failed.
    pub fn is_failing(&self) -> bool {
        self.failed > self.sent
    }
}

/// The address of a delivery: the occurrence and the hook.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryKey {
    /// The occurrence's id.
    pub occurrence: Uuid,
    /// The hook's name.
    pub hook: Token,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn later(after: Option<u64>) -> Answer {
        Answer::Later {
            error: "answered 500".to_owned(),
            after: after.map(Duration::from_secs),
        }
    }

    #[test]
    fn statuses_are_final_or_not() {
        for (status, is_final) in [
            (200, true),
            (204, true),
            (301, true),
            (400, true),
            (401, true),
            (404, true),
            (410, true),
        ] {
            let answer = Answer::of_status(status, String::new(), None);
            assert_eq!(
                !matches!(answer, Answer::Later { .. }),
                is_final,
                "{status}"
            );
        }
        for status in [408, 429, 500, 502, 503, 504] {
            let answer = Answer::of_status(status, String::new(), None);
            assert!(matches!(answer, Answer::Later { .. }), "{status}");
        }
    }

    #[test]
    fn waits_grow_until_a_day_is_over() {
        let mut delivery = Delivery::new(Occurrence::test(at(0)), at(0));
        let mut now = at(0);
        let mut waits = Vec::new();
        let error = loop {
            delivery = delivery
                .taken(Uuid::nil(), now)
                .concluded(&later(None), now);
            match &delivery.state {
                DeliveryState::Waiting { until } => {
                    waits.push(until.duration_since(now).as_secs());
                    now = *until;
                }
                DeliveryState::Failed { error, .. } => break error.clone(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(waits[..9], [2, 6, 18, 54, 162, 486, 1458, 3600, 3600]);
        assert_eq!(waits.len(), 30);
        assert_eq!(error, "given up after 31 attempts in a day: answered 500");
        assert!(now < at(24 * 3600));
    }

    #[test]
    fn the_other_side_may_ask_for_more_time_up_to_an_hour() {
        let delivery = Delivery::new(Occurrence::test(at(0)), at(0)).taken(Uuid::nil(), at(0));
        for (asked, waited) in [
            (Some(1), 2),
            (Some(60), 60),
            (Some(99_999), 3600),
            (None, 2),
        ] {
            let next = delivery.concluded(&later(asked), at(0));
            assert_eq!(next.due(), Some(at(waited)), "{asked:?}");
        }
        let gone = delivery.concluded(&Answer::Refused("answered 404".to_owned()), at(0));
        assert_eq!(gone.due(), None);
    }

    #[test]
    fn what_a_dead_program_was_sending_is_due_again() {
        let delivery = Delivery::new(Occurrence::test(at(0)), at(0));
        assert_eq!(delivery.due(), Some(at(0)));
        let taken = delivery.taken(Uuid::nil(), at(5));
        assert_eq!((taken.due(), taken.attempts), (Some(at(35)), 1));
        let sent = taken.concluded(&Answer::Taken("answered 200".to_owned()), at(6));
        assert_eq!(sent.due(), None);
    }

    #[test]
    fn a_hook_fails_while_its_last_attempt_did() {
        let health = HookHealth::default().noted(&later(None), at(1));
        let health = health.dropping(3, at(1));
        assert!(health.is_failing());
        let health = health.noted(&Answer::Taken(String::new()), at(2));
        assert!(!health.is_failing());
        assert_eq!(health.error.as_deref(), Some("answered 500"));
        assert_eq!(health.dropped, 3);
    }
}
