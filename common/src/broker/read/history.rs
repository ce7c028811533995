//! Reports of recently completed jobs, for estimates.

use crate::broker::{Broker, BrokerError};
use crate::job::event::{Event, What};
use crate::job::run::report::Report;
use crate::names::subject;
use crate::names::subject::EVENTS;

/// How many of the latest events are read: enough for a few thousand completed jobs.
const LOOK_BACK: u64 = 20_000;
/// Most reports that are returned.
const MOST: usize = 4000;
/// Events of one request.
const PAGE: usize = 1000;

impl Broker {
    /// Reports of recently completed jobs, the oldest first.
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
                    // A check says nothing about encodes and copies.
                    What::Completed(report) if report.health.is_none() => Some(*report),
                    _ => None,
                }
            }));
        }
        Ok(reports)
    }
}
