//! Counts viewers. While nobody looks, the monitor asks the broker nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Counts viewers.
#[derive(Clone)]
pub(crate) struct Audience {
    looking: Arc<watch::Sender<usize>>,
    linger: Duration,
}

/// One viewer, until dropped.
pub(crate) struct Viewer {
    looking: Arc<watch::Sender<usize>>,
}

impl Audience {
    /// An audience of nobody that counts as gone `linger` after its last viewer left.
    pub(crate) fn new(linger: Duration) -> Self {
        Self {
            looking: Arc::new(watch::Sender::new(0)),
            linger,
        }
    }

    /// Counts one more viewer.
    pub(crate) fn join(&self) -> Viewer {
        self.looking.send_modify(|looking| *looking += 1);
        Viewer {
            looking: self.looking.clone(),
        }
    }

    /// Waits until somebody looks.
    pub(crate) async fn arrival(&self) {
        let mut looking = self.looking.subscribe();
        // The sender lives as long as `self`: this cannot fail.
        let _ = looking.wait_for(|looking| *looking > 0).await;
    }

    /// Waits until nobody has looked for the time that the audience lingers.
    pub(crate) async fn departure(&self) {
        let mut looking = self.looking.subscribe();
        loop {
            let _ = looking.wait_for(|looking| *looking == 0).await;
            let back = looking.wait_for(|looking| *looking > 0);
            if tokio::time::timeout(self.linger, back).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.looking.send_modify(|looking| *looking -= 1);
    }
}
