//! Keeps libraries in shape: of all workers that reach a library, one holds its scan lease and scans it.
//!
//! `keeper` holds the lease of one library and scans again and again. One scan (`scan`) lists the files (`list`),
//! decides about each (`common::library::next`), looks at new ones (`probe`), enqueues jobs (`orders`), and has files
//! checked (`checks`). `place` and `paths` find out whether two folders are one. `arrivals` tells files that are still being written from complete ones.

mod arrivals;
mod checks;
mod keeper;
mod lease;
mod list;
mod orders;
mod paths;
mod place;
mod probe;
mod records;
mod scan;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError};
use common::library::Library;
use common::names::token::Token;
use futures::StreamExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::attempt::executor::Executor;

/// Time between two readings of the libraries without a notice.
const LOOK: Duration = Duration::from_secs(30);
/// Wait before another request to a broker that gave no answer.
const AGAIN: Duration = Duration::from_secs(1);

/// The task that keeps one library.
struct Keeper {
    settings: watch::Sender<Library>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Keeps the libraries within reach of this worker until `stop` is cancelled.
pub async fn serve(executor: Arc<Executor>, stop: CancellationToken) {
    let mut keepers: HashMap<Token, Keeper> = HashMap::new();
    let broker = executor.broker.clone();
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            Err(error) = follow(&executor, &broker, &mut keepers, &stop) => {
                tracing::debug!(%error, "the libraries were not read");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(AGAIN) => {}
                }
            }
        }
    }
    // They stop by the same token, and give their leases back.
    for keeper in keepers.into_values() {
        let _ = keeper.task.await;
    }
}

/// Follows the libraries until the broker gives no answer.
async fn follow(
    executor: &Arc<Executor>,
    broker: &Broker,
    keepers: &mut HashMap<Token, Keeper>,
    stop: &CancellationToken,
) -> Result<std::convert::Infallible, BrokerError> {
    let mut connections = broker.connections();
    // Subscribes first, so that no change is missed between the reading and the subscription.
    let mut notices = broker.library_notices().await?;
    loop {
        let places = executor.reach.allowed();
        let mut libraries: HashMap<Token, Library> = broker
            .libraries()
            .await?
            .into_iter()
            .filter(|stored| places.admit_all(&stored.library.needed()).is_ok())
            .map(|stored| (stored.name, stored.library))
            .collect();
        keepers.retain(|name, keeper| {
            let is_kept = libraries.contains_key(name) && !keeper.task.is_finished();
            if !is_kept {
                keeper.stop.cancel();
            }
            is_kept
        });
        for (name, library) in libraries.drain() {
            match keepers.get(&name) {
                Some(keeper) => {
                    keeper.settings.send_if_modified(|known| {
                        let is_new = *known != library;
                        *known = library;
                        is_new
                    });
                }
                None => {
                    let keeper = start(executor, &name, library, stop);
                    keepers.insert(name, keeper);
                }
            }
        }
        tokio::select! {
            notice = notices.next() => if notice.is_none() {
                notices = broker.library_notices().await?;
            },
            Ok(()) = connections.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

fn start(
    executor: &Arc<Executor>,
    name: &Token,
    library: Library,
    stop: &CancellationToken,
) -> Keeper {
    let (settings, changes) = watch::channel(library);
    let stop = stop.child_token();
    let keeper = keeper::keep(Arc::clone(executor), name.clone(), changes, stop.clone());
    Keeper {
        settings,
        stop,
        task: tokio::spawn(keeper),
    }
}
