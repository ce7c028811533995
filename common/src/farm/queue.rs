//! Queues: one token that says which workers may run a job.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::names::token::{Token, TokenError};
use crate::recipe::encoder::{Codec, Encoder};
use crate::recipe::{Choice, Recipe};

/// The workers that may run a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Token", into = "Token")]
pub enum Queue {
    /// Any worker that has proved the encoder.
    Encoder(Encoder),
    /// Any worker that has proved an encoder of the codec: `any_hevc`.
    Any(Codec),
    /// One worker only: `on_<worker>`.
    On(WorkerName),
    /// Any worker: no video is encoded (remux, join).
    Copy,
}

impl Queue {
    /// The queue's token in subjects and consumer names.
    pub fn token(&self) -> Token {
        let text = match self {
            Self::Encoder(encoder) => encoder.to_string(),
            Self::Any(codec) => format!("any_{codec}"),
            Self::On(worker) => format!("on_{worker}"),
            Self::Copy => "copy".to_owned(),
        };
        Token::from_valid(text)
    }
}

impl From<Queue> for Token {
    fn from(queue: Queue) -> Self {
        queue.token()
    }
}

/// The token names no queue.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The text after `any_` is no codec.
    #[error(transparent)]
    Codec(#[from] crate::recipe::encoder::UnknownCodec),
    /// The name holds characters that a subject cannot carry.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl TryFrom<Token> for Queue {
    type Error = QueueError;

    fn try_from(token: Token) -> Result<Self, Self::Error> {
        let text = token.as_str();
        Ok(if text == "copy" {
            Self::Copy
        } else if let Some(codec) = text.strip_prefix("any_") {
            Self::Any(codec.parse()?)
        } else if let Some(worker) = text.strip_prefix("on_") {
            Self::On(worker.parse()?)
        } else {
            Self::Encoder(text.parse()?)
        })
    }
}

impl FromStr for Queue {
    type Err = QueueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Token>()?.try_into()
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.token().as_str())
    }
}

/// The queues of a recipe's jobs.
impl Recipe {
    /// The queue in which the recipe's jobs wait first.
    pub fn queue(&self) -> Queue {
        match self.video_encode().map(|encode| &encode.with) {
            Some(Choice::Encoder(encoder)) => Queue::Encoder(encoder.clone()),
            Some(Choice::FirstOf(encoders)) => Queue::Encoder(encoders.preferred().clone()),
            Some(Choice::Codec(codec)) => Queue::Any(*codec),
            None => Queue::Copy,
        }
    }

    /// The queues that open to the recipe's jobs one after the other, if the first one does not take them.
    pub fn fallback_queues(&self) -> Vec<Queue> {
        let encoders = self
            .video_encode()
            .map_or(&[][..], |encode| encode.with.encoders());
        encoders
            .iter()
            .skip(1)
            .cloned()
            .map(Queue::Encoder)
            .collect()
    }
}

/// How urgent a job is: 1 (low) to 10 (high).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

impl Priority {
    /// From the most to the least urgent: the order in which lanes are polled.
    pub fn descending() -> impl Iterator<Item = Self> {
        (1..=10).rev().map(Self)
    }

    /// The next more urgent one, if there is any.
    #[must_use]
    pub fn raised(self) -> Self {
        Self((self.0 + 1).min(10))
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(5)
    }
}

/// The number is no priority.
#[derive(Debug, thiserror::Error)]
#[error("priority {0} is out of range: 1 (low) to 10 (high)")]
pub struct PriorityError(String);

impl TryFrom<u8> for Priority {
    type Error = PriorityError;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        if (1..=10).contains(&number) {
            Ok(Self(number))
        } else {
            Err(PriorityError(number.to_string()))
        }
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

impl FromStr for Priority {
    type Err = PriorityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: u8 = text.parse().map_err(|_| PriorityError(text.to_owned()))?;
        number.try_into()
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One queue at one priority; on the broker, one durable pull consumer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    /// The lane's priority. It is the first field, so that the more urgent lane sorts later, whatever its queue.
    pub priority: Priority,
    /// The lane's queue.
    pub queue: Queue,
}

impl Lane {
    /// Name of the lane's consumer: `<queue>_p<priority>`.
    pub fn consumer(&self) -> String {
        format!("{}_p{}", self.queue, self.priority)
    }

    /// The lane of a consumer's name.
    pub fn from_consumer(name: &str) -> Option<Self> {
        let (queue, priority) = name.rsplit_once("_p")?;
        Some(Self {
            priority: priority.parse().ok()?,
            queue: queue.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_queue_reads_back_from_its_token() {
        for token in [
            "hevc_nvenc",
            "any_hevc",
            "on_mini-pc_p2",
            "copy",
            "libvpx-vp9",
        ] {
            let queue: Queue = token.parse().expect("a queue");
            assert_eq!(queue.to_string(), token);
            let lane = Lane {
                priority: Priority(10),
                queue,
            };
            assert_eq!(Lane::from_consumer(&lane.consumer()), Some(lane));
        }
        assert!("any_nothing".parse::<Queue>().is_err());
        assert!("a.b".parse::<Queue>().is_err());
        assert!("".parse::<Queue>().is_err());
    }

    #[test]
    fn priorities_end_at_one_and_ten() {
        assert!("11".parse::<Priority>().is_err());
        assert!("0".parse::<Priority>().is_err());
        assert!("high".parse::<Priority>().is_err());
        assert_eq!(Priority::descending().next(), Some(Priority(10)));
    }
}
