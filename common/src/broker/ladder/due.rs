//! Writing the master files of a ladder: whether they are due, and the record around the writing.

use crate::broker::ladder::record;
use crate::broker::{Broker, BrokerError};
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::ladder::{Ladder, LadderStream};
use crate::job::master::{MasterContents, MasterRecord, MasterState, streams_for};
use crate::job::run::Run;
use crate::names::location::Location;
use crate::names::subject;
use crate::names::subject::OUTPUTS;
use crate::wire;

/// The master files of a ladder whose members are all completed, and which are not known to be there.
pub struct DueMaster {
    broker: Broker,
    ladder: Ladder,
    streams: Vec<LadderStream>,
    before: Option<MasterRecord>,
    /// The revision of the record that was read; 0 if there was none.
    revision: u64,
    may_replace: bool,
}

/// Master files that are about to be written, as their record says.
pub struct AnnouncedMaster {
    broker: Broker,
    record: MasterRecord,
    revision: u64,
    may_replace: bool,
}

impl DueMaster {
    /// The streams that the files tell of, in the order of the members.
    pub fn streams(&self) -> &[LadderStream] {
        &self.streams
    }

    /// Records that files with these contents are about to be written. `None` if another program has written the record
    /// since it was read, so that the streams may be out of date.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub async fn announce(
        self,
        contents: &MasterContents,
    ) -> Result<Option<AnnouncedMaster>, BrokerError> {
        let of = (&self.ladder, self.streams.as_slice());
        let record = MasterRecord::announce(of, contents, self.before.as_ref());
        let revision = self.broker.write_master(&record, self.revision).await?;
        Ok(revision.map(|revision| AnnouncedMaster {
            broker: self.broker,
            record,
            revision,
            may_replace: self.may_replace,
        }))
    }
}

impl AnnouncedMaster {
    /// The record of the files: where they belong, and which files there are the farm's own.
    pub fn record(&self) -> &MasterRecord {
        &self.record
    }

    /// Whether files of another origin may be replaced.
    pub fn may_replace(&self) -> bool {
        self.may_replace
    }

    /// Records whether the files are there; `false` if another program has written the record since then, so that the
    /// files may be out of date.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub async fn conclude(mut self, state: MasterState) -> Result<bool, BrokerError> {
        self.record.state = state;
        let written = self.broker.write_master(&self.record, self.revision);
        Ok(written.await?.is_some())
    }
}

impl Broker {
    /// The master files of a ladder, if they are to be written now; `None` while a member is not completed, or if the
    /// record tells that they are there, or why they are not. `may_replace` says that a person lets them replace files of
    /// another origin, whatever the members say.
    ///
    /// # Errors
    /// The broker gives no answer, or a newer program has written what was read.
    pub async fn due_master(
        &self,
        ladder: &Ladder,
        may_replace: bool,
    ) -> Result<Option<DueMaster>, BrokerError> {
        // The record is read first: whoever writes it after this has read the members at least as late.
        let (before, revision) = self.master_record(ladder).await?;
        let Some(members) = self.completed_members(ladder).await? else {
            return Ok(None);
        };
        let streams = members.iter().filter_map(|run| streams_for(run, ladder));
        let streams: Vec<LadderStream> = streams.flatten().cloned().collect();
        let may_replace = may_replace || members.iter().any(|run| run.job.replace);
        if before.as_ref().is_some_and(|before| match &before.state {
            MasterState::Announced => false,
            // The files of another ladder are left as any file of another origin.
            MasterState::There if before.ladder != *ladder => !may_replace,
            _ => before.tells_of(ladder, &streams),
        }) {
            return Ok(None);
        }
        Ok(Some(DueMaster {
            broker: self.clone(),
            ladder: ladder.clone(),
            streams,
            before,
            revision,
            may_replace,
        }))
    }

    /// Has any worker write the master files of a ladder again: they are missing, although the job, a member, is
    /// completed. `replace` says that they may replace files of another origin.
    ///
    /// # Errors
    /// The broker gives no answer. Then this can be repeated.
    pub async fn remake_master(&self, run: &Run, replace: bool) -> Result<(), BrokerError> {
        let Some(ladder) = &run.job.ladder else {
            return Ok(());
        };
        let (before, revision) = self.master_record(ladder).await?;
        if let Some(mut before) = before.filter(|before| before.ladder == *ladder) {
            before.state = MasterState::Announced;
            // If another program was quicker, it writes the files, or asks for them as well.
            self.write_master(&before, revision).await?;
        }
        let job = Job {
            replace: replace || run.job.replace,
            ..run.job.clone()
        };
        let lane = run.lane();
        self.open_lane(&lane).await?;
        self.send_to(&job, &lane).await
    }

    /// Writes the record of master files if its key has this revision. Returns the new one; `None` if another program
    /// wrote first.
    async fn write_master(
        &self,
        record: &MasterRecord,
        revision: u64,
    ) -> Result<Option<u64>, BrokerError> {
        let key = subject::master(&record.ladder.master);
        let what = format!("recording the master files at {}", record.ladder.master);
        let value = wire::encode(record);
        match self
            .nats
            .replace(OUTPUTS, &key, value, revision, &what)
            .await
        {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The record of a ladder's master files, and its revision, from the leader.
    async fn master_record(
        &self,
        ladder: &Ladder,
    ) -> Result<(Option<MasterRecord>, u64), BrokerError> {
        let key = subject::master(&ladder.master);
        let what = format!(
            "reading the record of the master files at {}",
            ladder.master
        );
        match self.nats.confirmed(OUTPUTS, &key, &what).await? {
            Some((payload, revision)) => Ok((record(&self.nats, &key, &payload)?, revision)),
            None => Ok((None, 0)),
        }
    }

    /// The runs of all members of a ladder, in its order; `None` if one of them is not completed.
    async fn completed_members(&self, ladder: &Ladder) -> Result<Option<Vec<Run>>, BrokerError> {
        let mut members = Vec::with_capacity(ladder.members.len());
        for output in &ladder.members {
            let Some(job) = self.owner_of(output).await? else {
                return Ok(None);
            };
            let run = match self.confirmed_run(&job).await {
                Ok(Some(found)) => found.run,
                Ok(None) | Err(BrokerError::BrokenRun { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            if run.job.output != *output || streams_for(&run, ladder).is_none() {
                return Ok(None);
            }
            members.push(run);
        }
        Ok(Some(members))
    }

    /// The job that claimed an output last, from the leader.
    async fn owner_of(&self, output: &Location) -> Result<Option<JobId>, BrokerError> {
        let what = format!("reading the claim on {output}");
        let key = subject::output(output);
        let claim = self.nats.confirmed(OUTPUTS, &key, &what).await?;
        let job = |payload: &[u8]| std::str::from_utf8(payload).ok()?.parse().ok();
        Ok(claim.and_then(|(payload, _)| job(&payload)))
    }
}
