//! The master files of a ladder: written by the worker that finds all members completed, after its own is recorded as
//! completed, and before it acknowledges its message. If the worker dies in between, the message comes again, and the
//! worker that gets it writes them.

use std::time::Duration;

use common::broker::{AnnouncedMaster, BrokerError, CompletedJob};
use common::job::failure::{Failure, Fault};
use common::job::id::JobId;
use common::job::ladder::Ladder;
use common::job::master::{MasterContents, MasterFile, MasterState};
use common::names::location::Location;
use common::store::StoreError;
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::attempt::executor::Executor;
use crate::attempt::input::failure;
use crate::attempt::ladder::{manifest, master_playlist};
use crate::attempt::publish::earlier::{Announced, AtOutput, look};
use crate::attempt::publish::staged::stage;
use crate::attempt::publish::staged_file;
use crate::attempt::scratch::AttemptFolder;
use crate::attempt::tool_output::ToolOutput;

/// How long a store may take. After that, the message is left to any worker: this one has a slot to fill.
const PATIENCE: Duration = Duration::from_secs(20);
/// The wait before the message of a job whose master files could not be written is delivered again.
const AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// Why master files were not written.
enum Unwritten {
    /// A file of another origin is in their place.
    Refused(String),
    /// The store or the broker gave no answer, or this machine refuses.
    ForNow(String),
}

impl From<BrokerError> for Unwritten {
    fn from(error: BrokerError) -> Self {
        Self::ForNow(error.to_string())
    }
}

impl From<StoreError> for Unwritten {
    fn from(error: StoreError) -> Self {
        failure(error).into()
    }
}

impl From<Failure> for Unwritten {
    fn from(failure: Failure) -> Self {
        match failure.fault {
            Fault::Input => Self::Refused(failure.message),
            Fault::Worker | Fault::Passing => Self::ForNow(failure.message),
        }
    }
}

impl Executor {
    /// Writes the master files of a completed job's ladder, if all members are completed, and acknowledges the job's
    /// message.
    pub(super) async fn finish_ladder(&self, done: CompletedJob) {
        let run = done.run();
        // The message may be of somebody else.
        let may_replace = match self.check_order(&run.job) {
            Ok(()) => run.job.replace || (self.signers.is_none() && done.job().replace),
            Err(why) => {
                tracing::warn!(job = %run.job.id, %why, "the master files of its ladder are not written");
                if let Err(error) = done.ack().await {
                    tracing::debug!(%error, "not acknowledged; the broker delivers it again");
                }
                return;
            }
        };
        let ladder = run.job.ladder.clone();
        let written = match &ladder {
            Some(ladder) => {
                let written = self.write_masters(ladder, may_replace, &done);
                let late = |_| Err(Unwritten::ForNow("its store gives no answer".to_owned()));
                tokio::time::timeout(PATIENCE, written)
                    .await
                    .unwrap_or_else(late)
            }
            None => Ok(()),
        };
        let job = done.run().job.id;
        let settled = match written {
            Ok(()) => done.ack().await,
            Err(Unwritten::Refused(why) | Unwritten::ForNow(why)) => {
                tracing::warn!(%job, why, "the master files of its ladder are not written yet");
                done.leave(AGAIN).await
            }
        };
        if let Err(error) = settled {
            tracing::debug!(%job, %error, "not acknowledged; the broker delivers it again");
        }
    }

    /// Writes the master files until their record tells that they are there, or why not.
    async fn write_masters(
        &self,
        ladder: &Ladder,
        may_replace: bool,
        done: &CompletedJob,
    ) -> Result<(), Unwritten> {
        while let Some(due) = self.broker.due_master(ladder, may_replace).await? {
            let contents = MasterContents {
                playlist: master_playlist(due.streams(), &ladder.master),
                manifest: manifest(due.streams(), &ladder.manifest()),
            };
            // Another program has written the record meanwhile: what was read may be out of date.
            let Some(announced) = due.announce(&contents).await? else {
                continue;
            };
            let state = match self.place_masters(&announced, &contents, done).await {
                Ok(()) => {
                    tracing::info!(master = %ladder.master, "all renditions are there: published");
                    MasterState::There
                }
                Err(Unwritten::Refused(why)) => {
                    tracing::warn!(master = %ladder.master, why, "not published");
                    MasterState::Refused(why)
                }
                Err(for_now) => return Err(for_now),
            };
            announced.conclude(state).await?;
        }
        Ok(())
    }

    /// Makes both files appear, the master playlist last.
    async fn place_masters(
        &self,
        announced: &AnnouncedMaster,
        contents: &MasterContents,
        done: &CompletedJob,
    ) -> Result<(), Unwritten> {
        let run = done.run();
        let folder = self
            .scratch
            .attempt(&run.job.id, run.attempt)
            .map_err(|error| {
                Unwritten::ForNow(format!("scratch space for it cannot be made: {error}"))
            })?;
        let [manifest, playlist] = announced.record().files();
        staged_file::remove_leftovers(&self.stores, &playlist.0, &run.job.id).await;
        let (first, last) = (
            ("master.mpd", contents.manifest.as_str()),
            ("master.m3u8", contents.playlist.as_str()),
        );
        let of = (announced, &run.job.id);
        self.place(&folder, &manifest, first, of).await?;
        self.place(&folder, &playlist, last, of).await
    }

    /// Makes one file appear, unless it is there.
    async fn place(
        &self,
        folder: &AttemptFolder,
        (to, file): &(Location, &MasterFile),
        (name, text): (&str, &str),
        (master, job): (&AnnouncedMaster, &JobId),
    ) -> Result<(), Unwritten> {
        let announced = Announced {
            to,
            size: file.size,
            digest: &file.digest,
            is_companion: false,
        };
        let replace = match look(&self.stores, announced).await? {
            AtOutput::Ours => return Ok(()),
            AtOutput::Nothing => false,
            AtOutput::Foreign if master.may_replace() => true,
            AtOutput::Foreign => match self.stores.digest(to).await {
                Ok(digest) if master.record().knows(&digest) => true,
                Ok(_) | Err(StoreError::LeadsOut(_)) => {
                    return Err(Unwritten::Refused(occupied(to)));
                }
                Err(error) => return Err(error.into()),
            },
        };
        folder.put(name, text.to_owned()).await.map_err(|error| {
            Unwritten::ForNow(format!("{name} cannot be written to scratch: {error}"))
        })?;
        let made = ToolOutput::take(folder, name)?;
        let stop = CancellationToken::new();
        let staged = stage(&self.stores, &made, to, job, &|_| {}, &stop).await?;
        staged.commit(&self.stores, announced, replace).await?;
        Ok(())
    }
}

fn occupied(to: &Location) -> String {
    format!(
        "a file is where a master file belongs, and was left as it is: move it away, or replace it with --overwrite, and \
         submit the ladder again ({to})"
    )
}
