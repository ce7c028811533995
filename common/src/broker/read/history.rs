//! What was completed lately.

use crate::broker::{Broker, BrokerError};
use crate::job::event::{Event, What};
use crate::job::run::report::Report;
use crate::names::subject;
use crate::names::subject::EVENTS;

/// So much of the history is looked at: a few thousand completed jobs' worth.
const LOOK_BACK: u64 = 20_000;
/// Reports that are read at the most.
const MOST: usize = 4000;
/// Events of one request.
const PAGE: usize = 1000;

impl Broker {
    /// What the jobs made that were completed lately, the oldest first.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn recent_reports(&self) -> Result<Vec<Report>, BrokerError> {
        let last = self.nats.extent(EVENTS).await?.last;
        let mut from = last.saturating_sub(LOOK_BACK);
        let mut reports = Vec::new();
        while reports.len() < MOST {
            let page = self
                .nats
                .page(EVENTS, subject::COMPLETED, from, PAGE)
                .await?;
            let Some(stored) = page.last() else {
                break;
            };
            from = stored.sequence + 1;
            reports.extend(page.iter().filter_map(|stored| {
                match self.nats.read::<Event>(stored)?.what {
                    What::Completed(report) => Some(*report),
                    _ => None,
                }
            }));
        }
        Ok(reports)
    }
}
