//! Recording a run: its dead letter first, its history afterwards.

use crate::broker::queue::runs::{Tries, Write};
use crate::broker::{Broker, BrokerError};
use crate::job::event::Event;
use crate::job::run::{Run, RunState};
use crate::names::subject;
use crate::wire;

impl Broker {
    /// Writes a run and its history. The dead letter of a failed job is stored first, so that no job is failed
    /// without one. Parts of split jobs have neither: what becomes of them is part of their job's story.
    pub(crate) async fn record_run(
        &self,
        next: &Run,
        expected: u64,
        tries: Tries,
    ) -> Result<Write, BrokerError> {
        let letter = match next.state {
            RunState::Failed { .. } if next.job.id.is_whole() => loop {
                match self.store_dead_letter(next).await {
                    Ok(letter) => break letter,
                    Err(error) if tries != Tries::Endless => return Err(error),
                    Err(error) => tracing::debug!(%error, "no answer; trying again"),
                }
                self.nats.before_retry().await;
            },
            _ => None,
        };
        let written = self.write_run(next, expected, tries).await?;
        match (&written, letter) {
            (Write::Done(_), _) => self.record(next).await,
            // A letter that was stored before may be the true owner's; only this program's own is removed.
            (Write::Conflict, Some(letter)) => {
                self.remove_dead_letter(&next.job.id, letter).await?;
            }
            (Write::Conflict, None) => {}
        }
        Ok(written)
    }

    /// Adds the state that was just written to the job's history.
    async fn record(&self, run: &Run) {
        let event = Event::of(run);
        if run.attempt == 1 && matches!(run.state, RunState::Running { .. }) {
            self.record_event(&Event::queued(run)).await;
        }
        self.record_event(&event).await;
    }

    /// Adds an event to a job's history, without waiting for an ack: no decision reads the history, and a lost event
    /// costs nothing else. Events of parts are not recorded.
    pub async fn record_event(&self, event: &Event) {
        if !event.job.is_whole() {
            return;
        }
        let subject = subject::event(&event.job, event.what.kind());
        let recorded = self
            .nats
            .notify("recording an event", subject, wire::encode(event));
        if let Err(error) = recorded.await {
            tracing::warn!(job = %event.job, %error, "an event was not recorded");
        }
    }
}
