//! The downloads of a command, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use common::job::id::JobId;
use common::job::master::MasterRecord;
use common::job::run::Run;
use common::store::Stores;
use common::store::roots::Roots;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::event::{DownloadEvent, DownloadResult};
use super::file::Downloader;
use super::target::DownloadTarget;
use crate::cli::exit::Error;

/// Files that are downloaded at once.
const AT_ONCE: usize = 3;
/// How long stopped downloads may take to clean up.
const GIVE_UP: Duration = Duration::from_secs(3);

pub(crate) struct Downloads {
    downloader: Arc<Downloader>,
    tasks: JoinSet<()>,
    turns: Arc<Semaphore>,
    sender: mpsc::UnboundedSender<DownloadEvent>,
    events: mpsc::UnboundedReceiver<DownloadEvent>,
    stop: CancellationToken,
    open: usize,
}

impl Downloads {
    /// `overwrite` replaces other files that have the names of results.
    ///
    /// # Errors
    /// If the folder cannot be made or used.
    pub(crate) fn start(
        stores: &Stores,
        target: DownloadTarget,
        overwrite: bool,
    ) -> Result<Self, Error> {
        let unusable = |why: &dyn std::fmt::Display| {
            Error::usage(format!(
                "cannot use the output folder {}: {why}",
                target.dir().display()
            ))
        };
        std::fs::create_dir_all(target.dir()).map_err(|error| unusable(&error))?;
        let roots = Roots::new([target.dir()]).map_err(|error| unusable(&error.source))?;
        let (sender, events) = mpsc::unbounded_channel();
        Ok(Self {
            downloader: Arc::new(Downloader {
                stores: stores.clone(),
                roots,
                target,
                overwrite,
            }),
            tasks: JoinSet::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            sender,
            events,
            stop: CancellationToken::new(),
            open: 0,
        })
    }

    /// Downloads the result of a completed run.
    pub(crate) fn add(&mut self, run: &Run) {
        let (downloader, turns) = (Arc::clone(&self.downloader), Arc::clone(&self.turns));
        let (sender, stop, run) = (self.sender.clone(), self.stop.clone(), run.clone());
        self.open += 1;
        self.tasks.spawn(async move {
            // The semaphore is never closed.
            let _turn = turns.acquire().await;
            let job = run.job.id;
            let result = downloader.download(&run, &sender, &stop).await;
            let _ = sender.send(DownloadEvent::Ended(job, result));
        });
    }

    /// Downloads the master files of a ladder, the master playlist last. `job` is a member of the ladder.
    pub(crate) async fn bring_masters(&self, job: JobId, record: &MasterRecord) -> DownloadResult {
        let (sender, stop) = (&self.sender, &self.stop);
        self.downloader
            .download_masters(job, record, sender, stop)
            .await
    }

    /// Whether all downloads have ended.
    pub(crate) fn is_idle(&self) -> bool {
        self.open == 0
    }

    /// The next event. Waits for ever if no download is running.
    pub(crate) async fn next(&mut self) -> DownloadEvent {
        match self.events.recv().await {
            Some(event) => {
                if matches!(event, DownloadEvent::Ended(..)) {
                    self.open -= 1;
                }
                event
            }
            // Never closed: `self` holds a sender.
            None => std::future::pending().await,
        }
    }

    /// Stops all downloads and removes their hidden files.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GIVE_UP, ended).await;
    }
}

/// The next event, if there are downloads. Waits for ever without any.
pub(crate) async fn next(downloads: &mut Option<Downloads>) -> DownloadEvent {
    match downloads {
        Some(downloads) => downloads.next().await,
        None => std::future::pending().await,
    }
}
