//! Group commit: writes that wait at the same time reach the disk together.
//!
//! A broker that flushes before it answers takes a millisecond or more for each
//! write, however small. So while one batch is on its way, what comes meanwhile
//! is gathered for the next; a write that comes alone goes alone, at once.

use async_nats::jetstream;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::atomic::{self, Batch, Message};

/// Writes that go together at the most.
const MOST: usize = 256;

/// How a write ended.
pub(super) enum Written {
    /// It is stored under this sequence.
    At(u64),
    /// It was refused. `is_sure` is false where an earlier try of the same
    /// write got no answer, so that it may have been stored then.
    No { error: PublishError, is_sure: bool },
}

struct Item {
    message: Message,
    answer: oneshot::Sender<Written>,
}

/// Hands writes of one stream to the task that gathers them.
#[derive(Clone)]
pub(super) struct Writer(mpsc::UnboundedSender<Item>);

impl Writer {
    /// A writer and the task that is to run behind it.
    pub(super) fn new() -> (Self, Gatherer) {
        let (send, receive) = mpsc::unbounded_channel();
        (Self(send), Gatherer(receive))
    }

    /// Writes one message, in the order of the calls; the future is done when
    /// the broker has it, or refuses it.
    pub(super) fn write(
        &self,
        subject: String,
        headers: HeaderMap,
        payload: Bytes,
    ) -> impl Future<Output = Written> + use<> {
        let message = Message {
            subject,
            headers,
            payload,
        };
        let (answer, answered) = oneshot::channel();
        // Without a gatherer the answer is dropped with the item.
        let _ = self.0.send(Item { message, answer });
        async move {
            answered.await.unwrap_or_else(|_| Written::No {
                error: PublishError::new(PublishErrorKind::Other),
                is_sure: false,
            })
        }
    }
}

/// The receiving end of a [`Writer`].
pub(super) struct Gatherer(mpsc::UnboundedReceiver<Item>);

impl Gatherer {
    /// Runs until the last writer is gone.
    pub(super) async fn run(mut self, client: Client, jetstream: jetstream::Context) {
        let mut items = Vec::new();
        while self.0.recv_many(&mut items, MOST).await > 0 {
            if items.len() == 1 {
                each(&jetstream, items.drain(..), true).await;
                continue;
            }
            let messages: Vec<Message> = items.iter().map(|item| item.message.clone()).collect();
            let count = messages.len() as u64;
            match atomic::publish(&client, "writing", messages).await {
                Ok(Batch::Stored(last)) => {
                    for (nth, item) in (1..).zip(items.drain(..)) {
                        let _ = item.answer.send(Written::At(last - count + nth));
                    }
                }
                // One that somebody else got in before must not stop the others.
                Ok(Batch::Refused) => each(&jetstream, items.drain(..), true).await,
                Err(error) => {
                    tracing::debug!(%error, "writing one by one");
                    let jetstream = jetstream.clone();
                    let items = std::mem::take(&mut items);
                    tokio::spawn(async move { each(&jetstream, items.into_iter(), false).await });
                }
            }
        }
    }
}

/// Writes every item by itself, all at once.
async fn each(jetstream: &jetstream::Context, items: impl Iterator<Item = Item>, is_sure: bool) {
    let writes = items.map(|item| async move {
        let Message {
            subject,
            headers,
            payload,
        } = item.message;
        let sent = jetstream.publish_with_headers(subject, headers, payload);
        let answer = match sent.await {
            Ok(acknowledged) => acknowledged.await,
            Err(error) => Err(error),
        };
        // Nobody may be waiting any more.
        let _ = item.answer.send(match answer {
            Ok(stored) => Written::At(stored.sequence),
            Err(error) => Written::No { error, is_sure },
        });
    });
    futures::future::join_all(writes).await;
}
