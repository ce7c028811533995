//! Bringing results home: each copied under a hidden name, compared with what its
//! job has made, and only then given its name. What is there already and is not
//! the job's stays as it is.

use std::sync::Arc;
use std::time::Duration;

use common::job::run::Run;
use common::store::Stores;
use common::store::roots::Roots;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::event::Event;
use super::file::Bringer;
use super::target::Home;
use crate::exit::Error;

/// Files that are brought at once.
const AT_ONCE: usize = 3;
/// How long copies that are broken off may take to tidy up.
const GIVE_UP: Duration = Duration::from_secs(3);

/// Results on their way home.
pub(crate) struct Bringing {
    bringer: Arc<Bringer>,
    tasks: JoinSet<()>,
    turns: Arc<Semaphore>,
    told: mpsc::UnboundedSender<Event>,
    events: mpsc::UnboundedReceiver<Event>,
    stop: CancellationToken,
    open: usize,
}

impl Bringing {
    /// Begins to bring results home. `overwrite` replaces files that are there.
    ///
    /// # Errors
    /// Where the folder cannot be made or used.
    pub(crate) fn start(stores: &Stores, home: Home, overwrite: bool) -> Result<Self, Error> {
        let unusable = |why: &dyn std::fmt::Display| {
            Error::usage(format!(
                "cannot use the output folder {}: {why}",
                home.dir().display()
            ))
        };
        std::fs::create_dir_all(home.dir()).map_err(|error| unusable(&error))?;
        let roots = Roots::new([home.dir()]).map_err(|error| unusable(&error.source))?;
        let (told, events) = mpsc::unbounded_channel();
        Ok(Self {
            bringer: Arc::new(Bringer {
                stores: stores.clone(),
                roots,
                home,
                overwrite,
            }),
            tasks: JoinSet::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            told,
            events,
            stop: CancellationToken::new(),
            open: 0,
        })
    }

    /// Has the result of a completed run brought.
    pub(crate) fn add(&mut self, run: &Run) {
        let (bringer, turns) = (Arc::clone(&self.bringer), Arc::clone(&self.turns));
        let (told, stop, run) = (self.told.clone(), self.stop.clone(), run.clone());
        self.open += 1;
        self.tasks.spawn(async move {
            // Never closed.
            let _turn = turns.acquire().await;
            let job = run.job.id;
            let brought = bringer.bring(&run, &told, &stop).await;
            let _ = told.send(Event::Ended(job, brought));
        });
    }

    /// Whether all have been brought, or could not be.
    pub(crate) fn is_idle(&self) -> bool {
        self.open == 0
    }

    /// What happens next; never, where nothing is under way.
    pub(crate) async fn next(&mut self) -> Event {
        match self.events.recv().await {
            Some(event) => {
                if matches!(event, Event::Ended(..)) {
                    self.open -= 1;
                }
                event
            }
            // It holds a sender itself.
            None => std::future::pending().await,
        }
    }

    /// Breaks all copies off, and leaves nothing of them.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        let ending = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GIVE_UP, ending).await;
    }
}

/// The next event of what is under way, if anything is.
pub(crate) async fn next(bringing: &mut Option<Bringing>) -> Event {
    match bringing {
        Some(bringing) => bringing.next().await,
        None => std::future::pending().await,
    }
}
