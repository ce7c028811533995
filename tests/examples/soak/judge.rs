//! Who is charged with a fault, and whether strangers' files are left alone.

use common::farm::worker::WorkerStatus;
use harness::outside::audit::{Charges, Finding};
use harness::{paths, poll};

use crate::faults::Fault;
use crate::field::{FILMS, Field, PRECIOUS};

impl Field {
    pub(crate) async fn charges(&self, index: usize) -> Charges {
        let job = &self.jobs[index].id;
        poll::until("the broker to say what a job is charged with", async || {
            self.auditor.charges(job).await.ok()
        })
        .await
    }

    /// Finds workers and jobs that are charged with a fault that is not theirs.
    pub(crate) async fn blame(&mut self, fault: Fault, open: &[usize], before: &[Charges]) {
        for (index, before) in open.iter().zip(before) {
            let after = self.charges(*index).await;
            let allowed = before.spent + u64::from(!before.is_running);
            if after.spent > allowed || after.workers > before.workers {
                let job = &self.jobs[*index].id;
                let what = format!("{fault}: {job} went from {before:?} to {after:?}");
                self.findings.push((Finding::Blamed, what));
            }
        }
        for victim in &self.workers {
            let name = &victim.worker.name;
            let heartbeat = self.farm.heartbeat(name).await;
            if heartbeat.is_some_and(|alive| alive.status == WorkerStatus::Quarantined) {
                let what = format!("{fault}: {name} is in quarantine");
                self.findings.push((Finding::Blamed, what));
            }
        }
    }

    /// Checks what is not the farm's: the inputs, and strangers' objects at outputs.
    pub(crate) async fn foreign(&mut self) {
        for film in FILMS {
            let kept = self.store.get(&format!("in/{film}")).await;
            let original = std::fs::read(paths::media(film)).ok();
            if kept != original {
                let kind = match kept {
                    None => Finding::Destroyed,
                    Some(_) => Finding::Overwritten,
                };
                self.findings.push((kind, format!("the source {film}")));
            }
        }
        for index in self.occupied.clone() {
            let job = &self.jobs[index];
            let key = format!("out/{}", job.output);
            match self.store.get(&key).await {
                None => self.findings.push((Finding::Destroyed, key.clone())),
                Some(bytes) if bytes == PRECIOUS => {}
                Some(_) => self.findings.push((Finding::Overwritten, key.clone())),
            }
            // All other objects in the output place are the farm's from here on.
            self.store.remove(&key).await;
        }
        for index in 0..self.jobs.len() {
            let id = &self.jobs[index].id;
            let end = self.auditor.end(id).await.ok().flatten();
            if end == Some("failed") && !self.occupied.contains(&index) {
                let why = self.auditor.last_failure(id).await.ok().flatten();
                let why = why.unwrap_or_default();
                let what = format!("{id} failed by no fault of its own: {why}");
                self.findings.push((Finding::Blamed, what));
            }
        }
    }
}
