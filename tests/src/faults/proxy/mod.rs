//! A network that breaks on demand: a proxy between a program and its broker
//! or store.
//!
//! It reads what the client sends request by request, so that a test can wait
//! for one message in particular, keep it on its way for as long as it likes,
//! and stop, kill or cut whoever sent it meanwhile: every moment of a job can
//! be met exactly, without a hook in the programs under test.
//!
//! A proxy lives on a thread of its own: a test that blocks, or a panic of it,
//! must not look like a broken network.

mod network;
mod request;
mod traffic;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

pub use network::{Fate, NetworkConditions};
pub use request::{Protocol, Request};

use network::{Network, Trap, lock};

use crate::poll;

/// A proxy in front of one server of this machine. Connections end when it is dropped.
pub struct Proxy {
    port: u16,
    network: Arc<Network>,
    _until_dropped: oneshot::Sender<()>,
}

impl Proxy {
    /// Starts a proxy in front of the server that listens on `port` of this machine.
    pub fn start(protocol: Protocol, port: u16) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        let own_port = listener.local_addr().expect("bound").port();
        let network = Arc::new(Network {
            server: (Ipv4Addr::LOCALHOST, port).into(),
            protocol,
            conditions: watch::channel(NetworkConditions::GOOD).0,
            breaks: watch::channel(0).0,
            judge: Mutex::new(Arc::new(|_| Fate::Passed)),
            traps: Mutex::default(),
        });
        let (until_dropped, dropped) = oneshot::channel();
        let shared = Arc::clone(&network);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a socket");
                tokio::select! {
                    () = traffic::accept(&listener, &shared) => {}
                    _ = dropped => {}
                }
            });
        });
        Self {
            port: own_port,
            network,
            _until_dropped: until_dropped,
        }
    }

    /// Where the broker behind it is to be reached.
    pub fn nats_url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Where the store behind it is to be reached.
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Changes the conditions, for what is under way, too.
    pub fn set(&self, conditions: NetworkConditions) {
        self.network.conditions.send_replace(conditions);
    }

    /// Ends all connections; new ones are welcome.
    pub fn break_all(&self) {
        self.network.breaks.send_modify(|times| *times += 1);
    }

    /// Decides from now on what becomes of each request that nothing holds.
    pub fn judge(&self, judge: impl Fn(&Request) -> Fate + Send + Sync + 'static) {
        *lock(&self.network.judge) = Arc::new(judge);
    }

    /// Holds the next request that is as wanted, and with it all that follows
    /// on its connection, once.
    pub fn hold(&self, wanted: impl Fn(&Request) -> bool + Send + 'static) -> Held {
        let (caught, is_caught) = watch::channel(false);
        let (decide, verdict) = watch::channel(None);
        lock(&self.network.traps).push(Trap {
            wanted: Box::new(wanted),
            caught,
            verdict,
        });
        Held { is_caught, decide }
    }
}

/// A request that is held, or will be. Dropped, it gets lost.
pub struct Held {
    is_caught: watch::Receiver<bool>,
    decide: watch::Sender<Option<Fate>>,
}

impl Held {
    /// Waits until it is caught.
    pub async fn caught(&mut self, what: &str) {
        tokio::time::timeout(poll::PATIENCE, self.is_caught.wait_for(|caught| *caught))
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {what}"))
            .unwrap_or_else(|_| panic!("the proxy ended before {what}"));
    }

    /// Whether it is caught by now.
    pub fn is_caught(&self) -> bool {
        *self.is_caught.borrow()
    }

    /// Lets it arrive after all, whether or not its sender still lives.
    pub fn release(self) {
        self.decide(Fate::Passed);
    }

    /// Decides what becomes of it.
    pub fn decide(self, fate: Fate) {
        self.decide.send_replace(Some(fate));
    }
}
