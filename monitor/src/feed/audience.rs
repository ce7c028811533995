//! Counts viewers. While nobody looks, the monitor asks the broker nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// How long the feed goes on after the last viewer left: a page that is reloaded finds everything
/// ready.
const PATIENCE: Duration = Duration::from_secs(10);

/// Counts viewers.
#[derive(Clone)]
pub(crate) struct Audience {
    looking: Arc<watch::Sender<usize>>,
}

/// One viewer, until dropped.
pub(crate) struct Viewer {
    looking: Arc<watch::Sender<usize>>,
}

impl Audience {
    pub(crate) fn new() -> Self {
        Self {
            looking: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Counts one more viewer.
    pub(crate) fn join(&self) -> Viewer {
        self.looking.send_modify(|looking| *looking += 1);
        Viewer {
            looking: self.looking.clone(),
        }
    }

    /// The number of viewers.
    pub(crate) fn size(&self) -> usize {
        *self.looking.borrow()
    }

    /// Waits until somebody looks.
    pub(crate) async fn arrival(&self) {
        let mut looking = self.looking.subscribe();
        // The sender lives as long as `self`: this cannot fail.
        let _ = looking.wait_for(|looking| *looking > 0).await;
    }

    /// Waits until nobody has looked for a while.
    pub(crate) async fn departure(&self) {
        let mut looking = self.looking.subscribe();
        loop {
            let _ = looking.wait_for(|looking| *looking == 0).await;
            let back = looking.wait_for(|looking| *looking > 0);
            if tokio::time::timeout(PATIENCE, back).await.is_err() {
                return;
            }
        }
    }
}

impl Default for Audience {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.looking.send_modify(|looking| *looking -= 1);
    }
}
