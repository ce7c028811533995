//! Autoscalers: their records and leases, and the question how many workers a class needs, which monitors answer.

use std::num::NonZeroU32;
use std::time::Duration;

use async_nats::{Message, Subscriber};
use serde::{Deserialize, Serialize};

use crate::broker::farm::ask::AskError;
use crate::broker::nats::kv::KeyValue;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Queue;
use crate::matching::scale::autoscaler::Autoscaler;
use crate::matching::scale::{Class, ClassError, Scale};
use crate::names::subject;
use crate::names::subject::{AUTOSCALERS, MONITORS, SCALE};
use crate::names::token::Token;
use crate::wire;

/// How long an answer is awaited: a monitor may have to read a million jobs' changes first.
const PATIENCE: Duration = Duration::from_secs(10);

/// The question how many workers a class needs; answered by a [`Scale`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleQuestion {
    /// The queues of the class.
    pub queues: Vec<Queue>,
    /// How the names of its workers begin.
    pub prefix: String,
    /// Jobs that each of its workers runs at once.
    pub jobs_per_worker: NonZeroU32,
}

impl wire::Message for ScaleQuestion {}

impl ScaleQuestion {
    /// The class.
    ///
    /// # Errors
    /// The queues make none.
    pub fn class(&self) -> Result<Class, ClassError> {
        let class = Class::of_queues(self.queues.iter().cloned())?;
        Ok(class.named(&*self.prefix))
    }
}

/// Why nobody tells how many workers a class needs.
#[derive(Debug, thiserror::Error)]
pub enum ScaleError {
    /// No monitor runs.
    #[error("no monitor answers: start one with `monitor --nats URL`, it counts the jobs")]
    NoMonitor,
    /// The monitor does not know yet; holds its reason.
    #[error("{0}")]
    Refused(String),
    /// The request to the broker failed.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// The record of an autoscaler that this program holds, or may take.
#[derive(Clone, Debug)]
pub struct StoredAutoscaler {
    /// The record; `None` if there is none.
    pub record: Option<Autoscaler>,
    revision: u64,
}

impl Broker {
    /// Asks the monitors how many workers a class needs.
    pub async fn scale(&self, question: &ScaleQuestion) -> Result<Scale, ScaleError> {
        let what = "asking how many workers are needed";
        let question = wire::encode(question);
        match self
            .await_answer(SCALE.to_owned(), question, PATIENCE, what)
            .await
        {
            Ok(answer) => {
                wire::decode(&answer).map_err(|error| ScaleError::Refused(error.to_string()))
            }
            Err(AskError::Refused(why)) => Err(ScaleError::Refused(why)),
            Err(AskError::NotConnected | AskError::Gone) => Err(ScaleError::NoMonitor),
            Err(AskError::TimedOut(error) | AskError::Broker(error)) => Err(error.into()),
        }
    }

    /// Questions how many workers a class needs; each holds a [`ScaleQuestion`] and reaches one monitor.
    pub async fn scale_questions(&self) -> Result<Subscriber, BrokerError> {
        let what = "listening for questions of autoscalers";
        let client = &self.nats.client;
        client
            .queue_subscribe(SCALE, MONITORS.to_owned())
            .await
            .map_err(BrokerError::request(what))
    }

    /// Answers such a question, or says why there is no answer.
    pub async fn answer_scale(
        &self,
        asked: &Message,
        scale: Result<Scale, String>,
    ) -> Result<(), BrokerError> {
        let answer = scale.map(|scale| wire::encode(&scale));
        self.answer_question(asked, answer, "answering an autoscaler")
            .await
    }

    /// The records of all autoscalers, by name; unreadable ones are left out.
    pub async fn autoscalers(&self) -> Result<Vec<Autoscaler>, BrokerError> {
        let stored = match self.nats.values(AUTOSCALERS, "").await {
            // A farm of an older version has no such bucket.
            Err(_) if self.nats.lacks(&subject::bucket(AUTOSCALERS)).await => Vec::new(),
            stored => stored?,
        };
        let record = |stored: KeyValue<Autoscaler>| stored.value;
        let mut records: Vec<Autoscaler> = stored.into_iter().map(record).collect();
        records.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(records)
    }

    /// The record of an autoscaler, read from the leader.
    ///
    /// # Errors
    /// The record is a newer program's, or the broker gives no answer.
    pub async fn autoscaler(&self, name: &Token) -> Result<StoredAutoscaler, BrokerError> {
        let what = format!("reading the record of autoscaler {name}");
        let key = name.as_str();
        let last = self.nats.last_of_key(AUTOSCALERS, key, &what).await?;
        Ok(match last {
            None => StoredAutoscaler {
                record: None,
                revision: 0,
            },
            Some((payload, revision)) => StoredAutoscaler {
                record: match payload.is_empty() {
                    true => None,
                    false => Some(
                        wire::decode(&payload)
                            .map_err(|source| BrokerError::Wire { what, source })?,
                    ),
                },
                revision,
            },
        })
    }

    /// Stores the record of an autoscaler in place of the one that was read; `None` if another process has written it
    /// meanwhile.
    pub async fn keep_autoscaler(
        &self,
        before: &StoredAutoscaler,
        record: Autoscaler,
    ) -> Result<Option<StoredAutoscaler>, BrokerError> {
        let what = format!("storing the record of autoscaler {}", record.name);
        let value = wire::encode(&record);
        let key = record.name.as_str();
        let replaced = self
            .nats
            .replace(AUTOSCALERS, key, value, before.revision, &what);
        match replaced.await {
            Ok(revision) => Ok(Some(StoredAutoscaler {
                record: Some(record),
                revision,
            })),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
