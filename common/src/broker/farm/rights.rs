//! Which rights of its role a user lacks: tried on the broker, which says what it refuses.

use std::time::Duration;

use async_nats::HeaderMap;

use crate::broker::server::Subjects;
use crate::broker::{Broker, BrokerError};

/// Stands for any name in a subject. Nothing of a farm has this name.
const ANY: &str = "doctor";
/// No stream has so many messages. A stream stores no message that expects so many, so that trying changes nothing.
const EXPECTED_LAST: (&str, &str) = ("Nats-Expected-Last-Sequence", "9007199254740991");
/// No request of JetStream: it is refused as such where the right is there.
const NO_REQUEST: &str = "doctor";
/// The client tells of refusals a little after the server has.
const TELLS: Duration = Duration::from_millis(200);

/// A subject that the pattern matches.
fn example(pattern: &str) -> String {
    let tokens = pattern.split('.').map(|token| match token {
        "*" | ">" => ANY,
        token => token,
    });
    tokens.collect::<Vec<_>>().join(".")
}

impl Broker {
    /// What the broker has last refused to take from this user, for want of a right: `publish to "wake.x"`. A request
    /// that it refuses gets no answer.
    pub fn refused(&self) -> Option<String> {
        self.nats.link.last_unpublished()
    }

    /// Those of the rights that the user of this connection lacks, as phrases: `publish to "later.*.*"`. Changes nothing:
    /// messages are such that no stream stores them, and no program expects them.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub async fn lacking(&self, needs: &Subjects) -> Result<Vec<String>, BrokerError> {
        let what = "trying the rights of this user";
        self.nats.link.take_refused();
        let mut headers = HeaderMap::new();
        headers.insert(EXPECTED_LAST.0, EXPECTED_LAST.1);
        for pattern in &needs.publish {
            let client = self.client();
            let (subject, headers) = (example(pattern), headers.clone());
            let sent = client.publish_with_headers(subject, headers, NO_REQUEST.into());
            sent.await.map_err(BrokerError::request(what))?;
        }
        let mut subscriptions = Vec::new();
        for pattern in &needs.subscribe {
            subscriptions.push(self.subscribe(what, pattern.clone()).await?);
        }
        let flushed = self.client().flush().await;
        flushed.map_err(BrokerError::request(what))?;
        tokio::time::sleep(TELLS).await;
        drop(subscriptions);
        let refused = self.nats.link.take_refused();
        let is_refused = |verb: &str, subject: &str| {
            refused.iter().any(|told| {
                let told = told.to_ascii_lowercase();
                told.starts_with(verb)
                    && told.contains(&format!("\"{}\"", subject.to_ascii_lowercase()))
            })
        };
        let publish = needs.publish.iter();
        let publish = publish.filter(|pattern| is_refused("publish", &example(pattern)));
        let publish = publish.map(|pattern| format!("publish to \"{pattern}\""));
        let subscribe = needs.subscribe.iter();
        let subscribe = subscribe.filter(|pattern| is_refused("subscription", pattern));
        let subscribe = subscribe.map(|pattern| format!("subscribe to \"{pattern}\""));
        Ok(publish.chain(subscribe).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_a_name_for_each_wildcard() {
        assert_eq!(example("jobs.*.*"), "jobs.doctor.doctor");
        assert_eq!(example("$KV.runs.>"), "$KV.runs.doctor");
        assert_eq!(example("scale"), "scale");
    }
}
