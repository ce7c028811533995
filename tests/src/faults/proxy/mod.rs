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

mod request;
mod traffic;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

pub use request::{Protocol, Request};

use crate::poll;

/// What happens to everything that passes from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NetworkConditions {
    /// Nothing passes, and nobody is told: the cable is out. What was on its
    /// way arrives when it is back, as TCP would send it again.
    pub cut: bool,
    /// Each piece takes so much longer, and holds up those behind it.
    pub delay: Duration,
    /// Each piece arrives so much later, as over a long way: many may be under
    /// way at once.
    pub latency: Duration,
    /// Bytes a second that one connection carries; as many as it can where 0.
    pub rate: u32,
    /// How many of a hundred pieces get lost. TCP sends them again a while
    /// later, so to the programs they are late, with all that follows them.
    pub lost: u32,
    /// How many of a thousand pieces break their connection.
    pub broken: u32,
}

impl NetworkConditions {
    /// All passes at once.
    pub const GOOD: Self = Self {
        cut: false,
        delay: Duration::ZERO,
        latency: Duration::ZERO,
        rate: 0,
        lost: 0,
        broken: 0,
    };
    /// Nothing passes.
    pub const CUT: Self = Self {
        cut: true,
        ..Self::GOOD
    };
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is passed on.
    Passed,
    /// It disappears, and what follows it on its connection is passed on.
    Lost,
    /// It is answered by an HTTP status, and the server hears nothing of it.
    Refused(u16),
    /// It is never answered, and the server hears nothing of it.
    Ignored,
    /// A message goes to this subject instead, where somebody else may answer.
    Rerouted(&'static str),
    /// The server does as it is asked, but its answer breaks off after so many
    /// bytes: with few of them, that is a client that never learns what its
    /// request has done.
    CutShort(usize),
    /// The server does as it is asked, but its answer, and all that follows on
    /// the connection, never comes.
    Unanswered,
}

type Judge = Arc<dyn Fn(&Request) -> Fate + Send + Sync>;

/// A proxy in front of one server of this machine. Connections end when it is dropped.
pub struct Proxy {
    port: u16,
    network: Arc<Network>,
    _until_dropped: oneshot::Sender<()>,
}

/// What all connections share.
struct Network {
    server: SocketAddr,
    protocol: Protocol,
    conditions: watch::Sender<NetworkConditions>,
    /// Counts how often all connections were broken on purpose.
    breaks: watch::Sender<u64>,
    judge: Mutex<Judge>,
    traps: Mutex<Vec<Trap>>,
}

/// What a [`Held`] waits for.
struct Trap {
    wanted: Box<dyn Fn(&Request) -> bool + Send>,
    caught: watch::Sender<bool>,
    verdict: watch::Receiver<Option<Fate>>,
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

impl Network {
    /// The trap that this request walks into.
    fn trap(&self, request: &Request) -> Option<Trap> {
        let mut traps = lock(&self.traps);
        let index = traps.iter().position(|trap| (trap.wanted)(request))?;
        Some(traps.swap_remove(index))
    }

    /// What is to become of a request; takes as long as a test holds it.
    async fn fate(&self, request: &Request) -> Fate {
        if let Some(mut trap) = self.trap(request) {
            trap.caught.send_replace(true);
            // A test that is over lets go of what it held.
            return match trap.verdict.wait_for(Option::is_some).await {
                Ok(verdict) => verdict.unwrap_or(Fate::Lost),
                Err(_) => Fate::Lost,
            };
        }
        let judge = Arc::clone(&lock(&self.judge));
        judge(request)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
