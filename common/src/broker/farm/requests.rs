//! Requests to a worker, a bounded number of them: whoever reaches the broker can send any number, of any size.

use async_nats::{Message, ToSubject};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::broker::{Broker, BrokerError};

/// Requests of one kind that wait for their turn. Further ones are refused.
const WAITING: usize = 16;
/// The largest request that is read, in bytes. The requests of people are far below.
const LARGEST: usize = 256 << 10;

/// Requests of one kind to this worker.
pub type Requests = BoxStream<'static, Message>;

impl Broker {
    /// Listens for requests. Those that are too large, and those that come while too many wait, are refused at once, so
    /// that none piles up in memory. `what` names the listening in errors.
    pub(super) async fn requests(
        &self,
        what: &'static str,
        subject: impl ToSubject,
    ) -> Result<Requests, BrokerError> {
        let mut incoming = self.nats.subscribe(what, subject).await?;
        let (sender, waiting) = mpsc::channel(WAITING);
        let broker = self.clone();
        tokio::spawn(async move {
            loop {
                let asked = tokio::select! {
                    () = sender.closed() => return,
                    asked = incoming.next() => asked,
                };
                let Some(asked) = asked else {
                    return;
                };
                let (asked, why) = match asked.length > LARGEST {
                    true => (asked, format!("a request may have {} KiB", LARGEST >> 10)),
                    false => match sender.try_send(kept(asked)) {
                        Ok(()) => continue,
                        Err(TrySendError::Closed(_)) => return,
                        Err(TrySendError::Full(asked)) => {
                            let why =
                                "the worker is busy with other requests: ask again in a while";
                            (asked, why.to_owned())
                        }
                    },
                };
                if let Err(error) = broker.answer_question(&asked, Err(why), what).await {
                    tracing::debug!(%error, "the refusal of a request was not sent");
                }
            }
        });
        let next = |mut waiting: mpsc::Receiver<Message>| async {
            let asked = waiting.recv().await?;
            Some((asked, waiting))
        };
        Ok(stream::unfold(waiting, next).boxed())
    }
}

/// The message with memory of its own: as it came, it keeps all that was read from the network together with it.
fn kept(asked: Message) -> Message {
    Message {
        payload: Bytes::copy_from_slice(&asked.payload),
        ..asked
    }
}
