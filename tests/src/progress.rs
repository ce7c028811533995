//! Progress of a long run: a line on standard error for each phase, and another line every ten seconds while the phase
//! lasts.

use std::fmt::Display;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The time between two lines about the same phase.
const PAUSE: Duration = Duration::from_secs(10);

/// Prints that a phase begins, and then regularly that it lasts.
pub fn phase(what: impl Display) {
    static PHASES: OnceLock<Mutex<Sender<String>>> = OnceLock::new();
    let phases = PHASES.get_or_init(|| {
        let (sender, phases) = channel();
        // A thread, because a measurement may block every thread of the runtime.
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
