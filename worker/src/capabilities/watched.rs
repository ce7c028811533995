//! An encode that is watched packet by packet while it runs.

use std::io;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::ffmpeg::run::trial::{Ran, Trial};

/// How long an encode may take to end after its last packet.
const ENDING: Duration = Duration::from_secs(1);

/// A running encode, which is killed when this is dropped.
pub(crate) struct Watched {
    packets: mpsc::UnboundedReceiver<()>,
    run: JoinHandle<io::Result<Ran>>,
    stop: DropGuard,
}

impl Watched {
    /// Starts an encode that writes [`super::test_encode::PACKETS`].
    pub(crate) fn start(ffmpeg: &Trial, arguments: Vec<String>) -> Self {
        let stop = CancellationToken::new();
        let ffmpeg = ffmpeg.stopped_by(stop.clone());
        let (sender, packets) = mpsc::unbounded_channel();
        let run = tokio::spawn(async move {
            let on_line = |line: &str| {
                if is_packet(line) {
                    // An error means that nobody counts any more.
                    let _ = sender.send(());
                }
            };
            ffmpeg.run(arguments, on_line).await
        });
        Self {
            packets,
            run,
            stop: stop.drop_guard(),
        }
    }

    /// Waits for the next packet; `false` if no more will come.
    pub(crate) async fn packet(&mut self) -> bool {
        self.packets.recv().await.is_some()
    }

    /// Whether the encode ended by itself and successfully. To be called after the last packet.
    pub(crate) async fn succeeded(&mut self) -> bool {
        let ended = timeout(ENDING, &mut self.run).await;
        matches!(ended, Ok(Ok(Ok(ran))) if ran.succeeded())
    }

    /// Kills the encode and waits until it has ended.
    pub(crate) async fn end(self) {
        drop(self.stop);
        if !self.run.is_finished() {
            let _ = self.run.await;
        }
    }
}

/// Whether a line of the `framecrc` format describes a packet. Other lines are comments, or are printed by an encoder
/// library.
pub(crate) fn is_packet(line: &str) -> bool {
    let mut fields = line.split(',').map(str::trim);
    fields.next() == Some("0")
        && fields
            .next()
            .is_some_and(|timestamp| timestamp.parse::<i64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::is_packet;

    #[test]
    fn packets_are_distinguished_from_comments_and_other_output() {
        assert!(is_packet(
            "0,         -5,          1,        1,     4861, 0x4503681b"
        ));
        assert!(!is_packet("#dimensions 0: 1280x720"));
        assert!(!is_packet("POC     1 TId: 0 (IDR_W_RADL, I-SLICE, QP 21)"));
        assert!(!is_packet(""));
    }
}
