//! Carries out the steps of an autoscaler: commands that start and end workers, and orders that drain them.

use std::process::ExitStatus;

use common::broker::{Broker, BrokerError};
use common::farm::orders::Target;
use common::farm::worker_name::WorkerName;
use common::matching::scale::decide::Step;
use tokio::sync::mpsc;

use super::template::Template;

/// A start command that failed, with the reason.
pub(super) type Failed = (WorkerName, String);

/// What carries out steps.
pub(super) struct Steps {
    pub(super) broker: Broker,
    pub(super) start: Template,
    /// Without it, drained workers end by themselves.
    pub(super) stop: Option<Template>,
    failed: mpsc::UnboundedSender<Failed>,
}

impl Steps {
    /// Also returns where failed starts are told.
    pub(super) fn new(
        broker: Broker,
        start: Template,
        stop: Option<Template>,
    ) -> (Self, mpsc::UnboundedReceiver<Failed>) {
        let (failed, told) = mpsc::unbounded_channel();
        let steps = Self {
            broker,
            start,
            stop,
            failed,
        };
        (steps, told)
    }

    /// Takes a step. Starting and ending a worker is not waited for.
    ///
    /// # Errors
    /// The broker gives no answer. What the step was for is seen again at the next look.
    pub(super) async fn take(&self, step: &Step) -> Result<(), BrokerError> {
        match step {
            Step::Start(worker) => self.start(worker),
            Step::Stop(worker) => self.stop(worker),
            Step::Drain(worker) => {
                let target = Target::Worker(worker.clone());
                self.broker.pause_target(&target, true).await?;
            }
            Step::Resume(worker) | Step::Lift(worker) => {
                let target = Target::Worker(worker.clone());
                self.broker.pause_target(&target, false).await?;
            }
        }
        Ok(())
    }

    fn start(&self, worker: &WorkerName) {
        let (worker, failed) = (worker.clone(), self.failed.clone());
        match self.start.command(&worker).spawn() {
            Ok(mut child) => {
                tokio::spawn(async move {
                    // The command may be the worker itself, and run for days.
                    let why = failure(child.wait().await);
                    let _ = why.map(|why| failed.send((worker, why)));
                });
            }
            Err(error) => {
                let _ = failed.send((worker, format!("the command cannot be run: {error}")));
            }
        }
    }

    fn stop(&self, worker: &WorkerName) {
        let Some(stop) = &self.stop else {
            return;
        };
        let spawned = stop.command(worker).spawn();
        let worker = worker.clone();
        tokio::spawn(async move {
            let why = match spawned {
                Ok(mut child) => failure(child.wait().await),
                Err(error) => Some(format!("the command cannot be run: {error}")),
            };
            if let Some(why) = why {
                tracing::warn!(%worker, %why, "the stop command failed");
            }
        });
    }
}

fn failure(ended: std::io::Result<ExitStatus>) -> Option<String> {
    match ended {
        Ok(status) if status.success() => None,
        Ok(status) => Some(format!("the command ended with {status}")),
        Err(error) => Some(format!("the command cannot be waited for: {error}")),
    }
}
