//! The open connections, and which of them gives way when there are too many.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use crate::access::network::Network;

/// The open connections.
#[derive(Clone)]
pub(super) struct Connections {
    table: Arc<Mutex<Table>>,
    most: usize,
}

#[derive(Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Arc<Connection>>,
}

/// One open connection.
pub(super) struct Connection {
    network: Network,
    /// Whether somebody who may come in has used it.
    pub(super) is_known: Arc<AtomicBool>,
    state: Mutex<State>,
    closed: CancellationToken,
}

/// Whether a request is being answered, and since when it is or is not.
#[derive(Clone, Copy)]
struct State {
    is_busy: bool,
    since: Instant,
}

impl Connections {
    /// There are to be at most so many connections, and a quarter of that of one network.
    pub(super) fn new(most: usize) -> Self {
        Self {
            table: Arc::default(),
            most,
        }
    }

    /// Takes one more connection. If there are too many, of this network or in all, another one is closed that is
    /// missed less; `None` if there is no such connection.
    ///
    /// Connections of a proxy are of many people, so they are bounded in all only.
    pub(super) fn admit(&self, network: Network, is_proxy: bool) -> Option<Place> {
        let mut table = lock(&self.table);
        let of_network = |connection: &&Arc<Connection>| connection.network == network;
        let open = table.open.values();
        if !is_proxy && open.clone().filter(of_network).count() >= self.most / 4 {
            give_way(open.filter(of_network))?;
        } else if table.open.len() >= self.most {
            give_way(open)?;
        }
        // Whoever was closed leaves the table now, so that the bounds hold whenever its task ends.
        table
            .open
            .retain(|_, connection| !connection.closed.is_cancelled());
        let connection = Arc::new(Connection {
            network,
            is_known: Arc::default(),
            state: Mutex::new(State {
                is_busy: false,
                since: Instant::now(),
            }),
            closed: CancellationToken::new(),
        });
        table.next += 1;
        let id = table.next;
        table.open.insert(id, connection.clone());
        Some(Place {
            table: self.table.clone(),
            id,
            connection,
        })
    }
}

/// Closes the connection that is missed least.
fn give_way<'a>(open: impl Iterator<Item = &'a Arc<Connection>>) -> Option<()> {
    let ranked = open.filter_map(|connection| Some((connection.rank()?, connection)));
    let (_, least) = ranked.min_by_key(|(rank, _)| *rank)?;
    least.closed.cancel();
    Some(())
}

impl Connection {
    /// Lower ranks give way first: strangers that send nothing, strangers that are answered, and others that send
    /// nothing; the oldest of each first. `None` if the connection is kept: somebody who may come in is answered.
    fn rank(&self) -> Option<(u8, Instant)> {
        let State { is_busy, since } = *lock(&self.state);
        let rank = match (self.is_known.load(Ordering::Relaxed), is_busy) {
            (false, false) => 0,
            (false, true) => 1,
            (true, false) => 2,
            (true, true) => return None,
        };
        Some((rank, since))
    }

    /// Says that a request is answered, until the turn is dropped.
    pub(super) fn turn(self: &Arc<Self>) -> Turn {
        self.set(true);
        Turn(self.clone())
    }

    fn set(&self, is_busy: bool) {
        *lock(&self.state) = State {
            is_busy,
            since: Instant::now(),
        };
    }
}

/// A request that is being answered.
pub(super) struct Turn(Arc<Connection>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// The place of a connection among the open ones, until dropped.
pub(super) struct Place {
    table: Arc<Mutex<Table>>,
    id: u64,
    pub(super) connection: Arc<Connection>,
}

impl Place {
    /// Waits until the connection has to give way.
    pub(super) async fn closed(&self) {
        self.connection.closed.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.table).open.remove(&self.id);
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code panics while it holds one of these locks.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    const MOST: usize = 40;
    const MOST_OF_ONE: usize = 10;

    fn network(number: usize) -> Network {
        let number = u32::try_from(number).expect("a small number");
        IpAddr::from(Ipv4Addr::from(number)).into()
    }

    fn is_closed(place: &Place) -> bool {
        place.connection.closed.is_cancelled()
    }

    #[test]
    fn the_oldest_silent_connection_of_a_network_gives_way_to_its_next() {
        let connections = Connections::new(MOST);
        let mut places: Vec<Place> = (0..MOST_OF_ONE)
            .map(|_| connections.admit(network(1), false).expect("room"))
            .collect();
        let other = connections.admit(network(2), false).expect("room");
        let working = places[0].connection.turn();
        places.push(connections.admit(network(1), false).expect("room"));
        let closed: Vec<usize> = (0..places.len())
            .filter(|i| is_closed(&places[*i]))
            .collect();
        assert_eq!(closed, [1]);
        assert!(!is_closed(&other));
        drop(working);
        for _ in 0..2 * MOST_OF_ONE {
            places.push(
                connections
                    .admit(network(3), true)
                    .expect("a proxy has room"),
            );
        }
    }

    #[test]
    fn strangers_give_way_to_all_and_whoever_is_answered_stays() {
        let connections = Connections::new(MOST);
        let places: Vec<Place> = (0..MOST)
            .map(|number| connections.admit(network(number), false).expect("room"))
            .collect();
        let known = |place: &Place| place.connection.is_known.store(true, Ordering::Relaxed);
        places.iter().skip(2).for_each(known);
        let mut turns: Vec<Turn> = places.iter().skip(3).map(|p| p.connection.turn()).collect();
        turns.push(places[1].connection.turn());
        // A silent stranger, a stranger that is answered, somebody known that is silent.
        for gone in 0..3 {
            let next = connections
                .admit(network(MOST + gone), false)
                .expect("room");
            next.connection.is_known.store(true, Ordering::Relaxed);
            turns.push(next.connection.turn());
            let closed = places.iter().filter(|place| is_closed(place)).count();
            assert_eq!(closed, gone + 1);
            assert!(is_closed(&places[gone]));
            std::mem::forget(next);
        }
        assert!(connections.admit(network(9999), false).is_none());
        drop(places);
        assert!(connections.admit(network(9999), false).is_some());
    }
}
