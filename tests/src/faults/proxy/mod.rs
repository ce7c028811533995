//! A network that breaks on demand: a proxy between a program and its broker or store.
//!
//! The proxy reads what the client sends request by request. So a test can wait for one particular message, hold it for
//! as long as it likes, and meanwhile stop, kill or cut off its sender. A test can meet a job at every moment in this
//! way, without a hook in the programs under test.
//!
//! A proxy runs on a thread of its own, so that a test that blocks or panics does not look like a broken network.

mod network;
mod request;
mod traffic;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

pub use network::{Answer, Fate, NetworkConditions};
pub use request::{Protocol, Request};

use network::{Network, Trap, lock};

use crate::poll;

/// A proxy in front of one server on this machine. Its connections end when it is dropped.
pub struct Proxy {
    port: u16,
    network: Arc<Network>,
    _until_dropped: oneshot::Sender<()>,
}

impl Proxy {
    /// Starts a proxy in front of the server that listens on `port`.
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
            answers: Mutex::default(),
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

    /// The URL of the broker through the proxy.
    pub fn nats_url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The URL of the store through the proxy.
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Changes the conditions, also for data that is already under way.
    pub fn set(&self, conditions: NetworkConditions) {
        self.network.conditions.send_replace(conditions);
    }

    /// Breaks all connections. New connections are accepted.
    pub fn break_all(&self) {
        self.network.breaks.send_modify(|times| *times += 1);
    }

    /// What clients got so far, connection by connection.
    pub fn answers(&self) -> Vec<Answer> {
        lock(&self.network.answers).clone()
    }

    /// Decides from now on the fate of each request that is not held.
    pub fn judge(&self, judge: impl Fn(&Request) -> Fate + Send + Sync + 'static) {
        *lock(&self.network.judge) = Arc::new(judge);
    }

    /// Holds the next request that is wanted, once, and with it all that follows on its connection.
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

/// A request that is or will be held. The request is lost when this is dropped.
pub struct Held {
    is_caught: watch::Receiver<bool>,
    decide: watch::Sender<Option<Fate>>,
}

impl Held {
    /// Waits until the request is caught.
    pub async fn caught(&mut self, what: &str) {
        tokio::time::timeout(poll::PATIENCE, self.is_caught.wait_for(|caught| *caught))
            .await
            .unwrap_or_else(|_| panic!("waited in vain for {what}"))
            .unwrap_or_else(|_| panic!("the proxy ended before {what}"));
    }

    /// Whether the request has been caught.
    pub fn is_caught(&self) -> bool {
        *self.is_caught.borrow()
    }

    /// Passes the request on, whether or not its sender still lives.
    pub fn release(self) {
        self.decide(Fate::Passed);
    }

    /// Decides the fate of the request.
    pub fn decide(self, fate: Fate) {
        self.decide.send_replace(Some(fate));
    }
}
