//! What a long run is at: a line on standard error for each phase, and one more
//! every ten seconds while it lasts.

use std::fmt::Display;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines about the same phase.
const PAUSE: Duration = Duration::from_secs(10);

/// Says that a phase begins, and from now on now and then that it lasts.
pub fn phase(what: impl Display) {
    static PHASES: OnceLock<Mutex<Sender<String>>> = OnceLock::new();
    let phases = PHASES.get_or_init(|| {
        let (sender, phases) = channel();
        // A thread: what is measured may block every thread of the runtime.
        std::thread::spawn(move || tell(&phases));
        Mutex::new(sender)
    });
    let phases = phases.lock().unwrap_or_else(PoisonError::into_inner);
    // The thread lives as long as the process.
    let _ = phases.send(what.to_string());
}

fn tell(phases: &Receiver<String>) {
    let started = Instant::now();
    let mut phase = String::new();
    loop {
        match phases.recv_timeout(PAUSE) {
            Ok(next) => phase = next,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if !phase.is_empty() {
            eprintln!("{:>5} s  {phase}", started.elapsed().as_secs());
        }
    }
}
