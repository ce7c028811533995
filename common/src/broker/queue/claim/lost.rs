//! A job whose message the broker has lost.

use crate::broker::queue::claim::owner::Owner;
use crate::broker::queue::messages;
use crate::broker::queue::runs::{Tries, Versioned};
use crate::broker::{Broker, BrokerError};
use crate::job::run::RunState;

impl Broker {
    /// Sends the message of a job again that waits, or whose owner is gone: then whoever gets it takes the job over.
    /// `false` if a worker runs the job: it needs no message. If this is done twice, the second message is dropped.
    pub(crate) async fn send_again(&self, found: Versioned) -> Result<bool, BrokerError> {
        let Versioned { run, revision } = found;
        let lane = run.lane();
        self.open_lane(&lane).await?;
        let RunState::Running { worker, .. } = &run.state else {
            self.send_to(&run.job, &lane).await?;
            return Ok(true);
        };
        if self.owner(worker, &run.job.id, run.attempt).await? != Owner::Gone {
            return Ok(false);
        }
        let what = format!("sending the message of job {} again", run.job.id);
        let message = messages::pending(&run.job, &lane);
        let sequence = self.nats.store(&what, message).await?;
        // On a conflict, another program has written the run, and so knows of it. If the message is delivered before this,
        // it is dropped, and the next look sends another one.
        self.write_run(&run.sent_again(sequence), revision, Tries::One)
            .await
            .map(|_| true)
    }
}
