//! Encoding: ffmpeg makes the output, and the worker publishes the progress.

use std::time::Duration;

use common::job::failure::Failure;
use common::job::progress::EncodeProgress;
use common::job::run::Stage;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::attempt::steps::{Attempt, Probed, Unfinished};
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Finished, Sign};

/// The most lines of ffmpeg's log that are published in a second: a hostile input may make ffmpeg write a million.
const LOG_LINES: u32 = 50;
/// The most lines that wait to be published.
const WAITING_LINES: usize = 100;

/// An output that ffmpeg has made, and that is not checked yet.
pub struct Encoded {
    pub probed: Probed,
    pub finished: Finished,
}

impl Probed {
    /// Makes the output. `on_sign` gets the progress and the log lines meanwhile.
    ///
    /// # Errors
    /// If ffmpeg fails, stalls, or is stopped. The input's fault if it holds no frame.
    pub async fn encode(self, on_sign: impl FnMut(Sign<'_>)) -> Result<Encoded, Failure> {
        let origin = Origin::of(&self.prepared.source);
        let writing = self.prepared.writing();
        let encoded = writing.ffmpeg(&self.arguments.list, origin, on_sign).await;
        let finished = self.inspected().blame_empty_input(encoded).await?;
        Ok(Encoded {
            probed: self,
            finished,
        })
    }
}

impl Attempt<'_> {
    pub(super) async fn encode(&self, probed: Probed) -> Result<Encoded, Unfinished> {
        self.report(Stage::Encoding, Some(0.0)).await;
        let line = probed
            .prepared
            .writing()
            .command_line(&probed.arguments.list);
        self.reporter.command(line).await;
        let duration = probed.media.likely_duration();
        let (progress, mut latest) = watch::channel(EncodeProgress::default());
        let (lines, mut log) = mpsc::channel(WAITING_LINES);
        let mut limit = PerSecond::default();
        let encoded = probed.encode(move |sign| match sign {
            Sign::Progress(now) => drop(progress.send_replace(now)),
            // A line is dropped if the queue is full: nobody could read that many in time.
            Sign::Log(line) if limit.allows(LOG_LINES) => drop(lines.try_send(line.to_owned())),
            Sign::Log(_) => {}
        });
        let publishing = async {
            loop {
                tokio::select! {
                    Some(line) = log.recv() => self.reporter.log(line).await,
                    Ok(()) = latest.changed() => {
                        let now = *latest.borrow_and_update();
                        self.encoding(now, duration).await;
                    }
                    else => break,
                }
            }
        };
        let (encoded, ()) = tokio::join!(encoded, publishing);
        Ok(encoded?)
    }

    /// Publishes the progress and the expected end of the encode.
    async fn encoding(&self, now: EncodeProgress, duration: Option<f64>) {
        let (fraction, eta) = outlook(&now, duration);
        if let Some(eta) = eta {
            let end = Instant::now() + Duration::from_secs_f32(eta);
            self.expected.set(end);
        }
        self.reporter
            .report(Stage::Encoding, fraction, Some(now), eta)
            .await;
    }
}

/// Counts events in the current second.
struct PerSecond {
    since: Instant,
    count: u32,
}

impl Default for PerSecond {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            count: 0,
        }
    }
}

impl PerSecond {
    /// Counts an event. Returns whether it is within the limit.
    fn allows(&mut self, most: u32) -> bool {
        if self.since.elapsed() > Duration::from_secs(1) {
            *self = Self::default();
        }
        self.count += 1;
        self.count <= most
    }
}

/// The fraction that is done (0 to 1) and the seconds that are left, as far as they are known.
fn outlook(progress: &EncodeProgress, duration: Option<f64>) -> (Option<f32>, Option<f32>) {
    let Some(duration) = duration.filter(|duration| *duration > 0.0) else {
        return (None, None);
    };
    let fraction = (progress.time / duration).clamp(0.0, 1.0) as f32;
    let left = (duration - progress.time).max(0.0) as f32;
    let eta = (progress.speed > 0.0).then(|| (left / progress.speed).min(1e7));
    (Some(fraction), eta)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outlook_needs_a_length_and_a_speed() {
        let progress = EncodeProgress {
            time: 15.0,
            speed: 2.0,
            ..Default::default()
        };
        assert_eq!(outlook(&progress, None), (None, None));
        assert_eq!(outlook(&progress, Some(60.0)), (Some(0.25), Some(22.5)));
        let still = EncodeProgress {
            time: 15.0,
            ..Default::default()
        };
        assert_eq!(outlook(&still, Some(60.0)), (Some(0.25), None));
        assert_eq!(outlook(&progress, Some(10.0)), (Some(1.0), Some(0.0)));
    }

    #[test]
    fn no_more_lines_than_allowed_pass_in_a_second() {
        let mut limit = PerSecond::default();
        assert_eq!((0..1000).filter(|_| limit.allows(50)).count(), 50);
        limit.since -= Duration::from_secs(2);
        assert!(limit.allows(50));
    }
}
