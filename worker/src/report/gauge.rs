//! Readings that may take long: a disk, or the server behind it, may never answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

/// A value that is read on a blocking thread, one reading at a time.
pub(crate) struct Gauge<T> {
    read: Arc<Mutex<Box<dyn FnMut() -> T + Send>>>,
    latest: Arc<watch::Sender<T>>,
}

impl<T: Clone + Send + Sync + 'static> Gauge<T> {
    /// `first` is the value until the first reading is done.
    pub(crate) fn new(first: T, read: impl FnMut() -> T + Send + 'static) -> Self {
        Self {
            read: Arc::new(Mutex::new(Box::new(read))),
            latest: Arc::new(watch::Sender::new(first)),
        }
    }

    /// Reads the value now. If that takes longer than `longest`, or if another reading is under way, returns the
    /// value of the last reading.
    pub(crate) async fn read(&self, longest: Duration) -> T {
        if let Ok(mut read) = Arc::clone(&self.read).try_lock_owned() {
            let latest = Arc::clone(&self.latest);
            let reading = tokio::task::spawn_blocking(move || latest.send_replace(read()));
            if tokio::time::timeout(longest, reading).await.is_err() {
                tracing::debug!("a reading takes long; the one before stands");
            }
        }
        self.latest.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_hanging_reading_does_not_block_and_is_not_repeated() {
        let (answer, answers) = mpsc::channel();
        let (began, begun) = mpsc::channel();
        let gauge = Gauge::new(0, move || {
            began.send(()).expect("counted");
            answers.recv().unwrap_or(0)
        });
        let long = Duration::from_secs(600);
        answer.send(1).expect("it listens");
        assert_eq!(gauge.read(long).await, 1);
        let short = Duration::from_millis(1);
        for _ in 0..3 {
            assert_eq!(gauge.read(short).await, 1, "as it was");
        }
        // A busy machine may begin the one that hangs late.
        for _ in 0..2 {
            let begun = begun.recv_timeout(Duration::from_secs(60));
            begun.expect("one was answered, one hangs");
        }
        assert!(begun.try_recv().is_err(), "no more are begun");
        answer.send(2).expect("it listens");
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        while gauge.read(short).await != 2 {
            assert!(tokio::time::Instant::now() < deadline, "it never ends");
        }
    }
}
