//! Deliveries: stored, taken, sent, retried. The broker keeps them; this holds those that have not ended.
//!
//! Each hook has one message under way at most, so a hook that never answers delays no other.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use common::broker::{Broker, BrokerError, StoredDelivery};
use common::job::id::BatchId;
use common::names::token::Token;
use common::notify::delivery::{Answer, Delivery, DeliveryKey, HOLD, PATIENCE};
use common::notify::hook::SavedHook;
use common::notify::occurrence::{Fact, Occurrence};
use common::notify::send::Sender;
use jiff::Timestamp;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use uuid::Uuid;

/// Most messages of single jobs that wait for one hook.
const MOST_OF_JOBS: usize = 1000;
/// Most messages that wait for one hook: news of batches, libraries and workers has room behind that of jobs.
const MOST_WAITING: usize = 2000;
/// Wait before what became of a message is written again.
const AGAIN: Duration = Duration::from_millis(500);

/// Deliveries that have not ended.
pub(super) struct Outbox {
    broker: Broker,
    sender: Sender,
    /// Tells this program's attempts from those of others.
    me: Uuid,
    /// The sequence from which deliveries are yet to be read.
    from: u64,
    open: BTreeMap<DeliveryKey, (Delivery, u64)>,
    /// The last end of each batch's jobs of which hooks were told.
    batches: HashMap<BatchId, Timestamp>,
    /// The same of each library's jobs.
    libraries: HashMap<Token, Timestamp>,
    /// Hooks that a message is on its way to.
    busy: HashSet<Token>,
    /// Messages to each hook that were dropped, and are not noted yet.
    dropped: HashMap<Token, u64>,
    sending: JoinSet<Token>,
}

impl Outbox {
    pub(super) fn new(broker: Broker, sender: Sender) -> Self {
        Self {
            broker,
            sender,
            me: Uuid::new_v4(),
            from: 1,
            open: BTreeMap::new(),
            batches: HashMap::new(),
            libraries: HashMap::new(),
            busy: HashSet::new(),
            dropped: HashMap::new(),
            sending: JoinSet::new(),
        }
    }

    /// Reads what this and other monitors have written.
    pub(super) async fn catch_up(&mut self) -> Result<(), BrokerError> {
        loop {
            let (deliveries, next) = self.broker.deliveries_since(self.from).await?;
            if next == self.from {
                return Ok(());
            }
            self.from = next;
            deliveries.into_iter().for_each(|stored| self.note(stored));
        }
    }

    fn note(&mut self, stored: StoredDelivery) {
        let StoredDelivery {
            key,
            delivery,
            revision,
        } = stored;
        self.note_told(&delivery.occurrence);
        let is_older = self
            .open
            .get(&key)
            .is_some_and(|(_, known)| *known > revision);
        match delivery.due() {
            _ if is_older => {}
            Some(_) => drop(self.open.insert(key, (delivery, revision))),
            None => drop(self.open.remove(&key)),
        }
    }

    fn note_told(&mut self, occurrence: &Occurrence) {
        let at = occurrence.at;
        match &occurrence.fact {
            Fact::BatchDone(done) => {
                if let Some(batch) = done.batch {
                    let told = self.batches.entry(batch).or_insert(at);
                    *told = (*told).max(at);
                }
            }
            Fact::LibraryFinished(finished) => {
                let told = self.libraries.entry(finished.library.clone()).or_insert(at);
                *told = (*told).max(at);
            }
            _ => {}
        }
    }

    /// The last end of a library's jobs of which hooks were told.
    pub(super) fn library_told(&self, library: &Token) -> Option<Timestamp> {
        self.libraries.get(library).copied()
    }

    /// The last end of a batch's jobs of which hooks were told.
    pub(super) fn batch_told(&self, batch: &BatchId) -> Option<Timestamp> {
        self.batches.get(batch).copied()
    }

    /// Stores a delivery for each hook that wants one, unless another monitor has.
    pub(super) async fn tell(
        &mut self,
        hooks: &[SavedHook],
        occurrence: &Occurrence,
    ) -> Result<(), BrokerError> {
        let now = self.broker.now();
        let is_news = now.duration_since(occurrence.at) < PATIENCE;
        let told = hooks
            .iter()
            .filter(|saved| is_news && saved.hook.wants(occurrence));
        for saved in told {
            let key = DeliveryKey {
                occurrence: occurrence.id,
                hook: saved.name.clone(),
            };
            let waiting = self.open.keys().filter(|open| open.hook == saved.name);
            if waiting.count() >= most_waiting(occurrence) {
                *self.dropped.entry(saved.name.clone()).or_default() += 1;
                continue;
            }
            let delivery = Delivery::new(occurrence.clone(), now);
            if let Some(revision) = self.broker.create_delivery(&key, &delivery).await? {
                self.open.insert(key, (delivery, revision));
            }
        }
        self.note_told(occurrence);
        Ok(())
    }

    /// Notes what was dropped since the last time, for people.
    pub(super) async fn note_dropped(&mut self) -> Result<(), BrokerError> {
        while let Some((hook, count)) = self.dropped.iter().next() {
            let (hook, count) = (hook.clone(), *count);
            self.broker.note_dropped(&hook, count).await?;
            self.dropped.remove(&hook);
        }
        Ok(())
    }

    /// Resolves once a message on its way has ended; never while none is.
    pub(super) async fn one_ended(&mut self) {
        match self.sending.join_next().await {
            Some(ended) => self.freed(ended),
            None => std::future::pending().await,
        }
    }

    fn freed(&mut self, ended: Result<Token, JoinError>) {
        match ended {
            Ok(hook) => drop(self.busy.remove(&hook)),
            // Which hook it was is not known: all that are not being sent to are free.
            Err(_) if self.sending.is_empty() => self.busy.clear(),
            Err(_) => {}
        }
    }

    /// Begins to send what is due: for each hook the message that has been due for longest.
    pub(super) fn send_due(&mut self, hooks: &[SavedHook]) {
        while let Some(ended) = self.sending.try_join_next() {
            self.freed(ended);
        }
        let now = self.broker.now();
        let mut next: HashMap<&Token, (&DeliveryKey, Timestamp)> = HashMap::new();
        for (key, (delivery, _)) in &self.open {
            let Some(due) = delivery.due().filter(|due| *due <= now) else {
                continue;
            };
            let first = next.entry(&key.hook).or_insert((key, due));
            if due < first.1 {
                *first = (key, due);
            }
        }
        for (hook, (key, _)) in next {
            if self.busy.contains(hook) {
                continue;
            }
            let (delivery, revision) = self.open[key].clone();
            let attempt = Attempt {
                broker: self.broker.clone(),
                sender: self.sender.clone(),
                me: self.me,
                hook: hooks.iter().find(|saved| saved.name == *hook).cloned(),
                stored: StoredDelivery {
                    key: key.clone(),
                    delivery,
                    revision,
                },
            };
            self.busy.insert(hook.clone());
            self.sending.spawn(attempt.run());
        }
    }

    /// Lets messages that are being sent arrive.
    pub(super) async fn finish(mut self, grace: Duration) {
        let all = async { while self.sending.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            tracing::debug!("some hooks did not answer in time; they are told again");
        }
    }
}

/// How many messages may wait for a hook that is told of this one.
fn most_waiting(occurrence: &Occurrence) -> usize {
    match occurrence.fact {
        Fact::JobFailed(_) | Fact::JobCompleted(_) => MOST_OF_JOBS,
        _ => MOST_WAITING,
    }
}

/// One attempt at one delivery.
struct Attempt {
    broker: Broker,
    sender: Sender,
    me: Uuid,
    /// `None` if the hook was removed.
    hook: Option<SavedHook>,
    stored: StoredDelivery,
}

impl Attempt {
    async fn run(self) -> Token {
        let StoredDelivery {
            key,
            delivery,
            revision,
        } = &self.stored;
        let now = self.broker.now();
        let taken = delivery.taken(self.me, now);
        match self.broker.write_delivery(key, &taken, *revision).await {
            Ok(Some(revision)) => {
                let answer = self.answer(&taken, now).await;
                tracing::debug!(hook = %key.hook, answer = answer.words(), "a hook was told");
                let concluded = taken.concluded(&answer, self.broker.now());
                self.write(&concluded, revision).await;
                if self.hook.is_some() {
                    note(&self.broker, &key.hook, &answer).await;
                }
            }
            // Another monitor sends it.
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "a message waits: the broker gives no answer"),
        }
        self.stored.key.hook
    }

    async fn answer(&self, delivery: &Delivery, now: Timestamp) -> Answer {
        let occurrence = &delivery.occurrence;
        let saved = match addressee(self.hook.as_ref(), occurrence, now) {
            Ok(saved) => saved,
            Err(why) => return Answer::Refused(why.to_owned()),
        };
        match saved.hook.prepare() {
            Ok(prepared) => self.sender.send(&prepared, occurrence, now).await,
            Err(error) => Answer::Refused(error.to_string()),
        }
    }

    /// Writes what became of the attempt; until then, no other monitor sends the message.
    async fn write(&self, concluded: &Delivery, revision: u64) {
        let give_up = Instant::now() + HOLD.unsigned_abs();
        while Instant::now() < give_up {
            let key = &self.stored.key;
            match self.broker.write_delivery(key, concluded, revision).await {
                Ok(_) => return,
                Err(error) => {
                    tracing::debug!(%error, "what became of a message is not stored yet");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }
}

/// The hook that an occurrence is sent to; an error if it is to be sent to nobody any more.
fn addressee<'a>(
    hook: Option<&'a SavedHook>,
    occurrence: &Occurrence,
    now: Timestamp,
) -> Result<&'a SavedHook, &'static str> {
    if now.duration_since(occurrence.at) >= PATIENCE {
        return Err("it is older than a day");
    }
    match hook {
        None => Err("the hook was removed"),
        // Saved anew under the same name, it may be the address of somebody else.
        Some(saved) if !saved.hook.wants(occurrence) => {
            Err("the hook was saved anew since, and is not told of it")
        }
        Some(saved) => Ok(saved),
    }
}

/// Notes how a hook was, for people.
async fn note(broker: &Broker, hook: &Token, answer: &Answer) {
    if let Err(error) = broker.note_answer(hook, answer).await {
        tracing::debug!(%error, "how a hook was is not stored");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::notify::hook::Hook;
    use common::notify::occurrence::{BatchDone, JobFailed};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn done() -> Occurrence {
        Occurrence::batch_done(BatchId::new(), BatchDone::default(), at(10))
    }

    #[test]
    fn a_hook_that_was_saved_anew_gets_nothing_of_the_old_one() {
        let saved = |added| SavedHook {
            name: "phone".parse().expect("a name"),
            hook: Hook::of_command("ntfy://films".into(), at(added)),
            revision: 1,
        };
        let (old, anew) = (saved(5), saved(15));
        assert!(addressee(Some(&old), &done(), at(20)).is_ok());
        let error = addressee(Some(&anew), &done(), at(20)).expect_err("another hook");
        assert!(error.contains("saved anew"), "{error}");
        assert!(addressee(None, &done(), at(20)).is_err());
        assert!(addressee(Some(&old), &done(), at(10) + PATIENCE).is_err());
    }

    #[test]
    fn a_batch_has_room_behind_its_jobs() {
        let place = || "s3://media/a.mkv".parse().expect("a location");
        let failed = Occurrence {
            fact: Fact::JobFailed(JobFailed {
                job: "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"
                    .parse()
                    .expect("an id"),
                batch: BatchId::new(),
                label: "films".to_owned(),
                library: None,
                input: place(),
                output: place(),
                worker: None,
                attempts: 1,
                message: "no video".to_owned(),
            }),
            ..done()
        };
        assert!(most_waiting(&failed) < most_waiting(&done()));
    }
}
