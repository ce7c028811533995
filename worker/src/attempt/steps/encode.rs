//! Encoding: ffmpeg makes the output, and the worker publishes the progress.

use std::time::Duration;

use common::job::failure::Failure;
use common::job::progress::EncodeProgress;
use common::job::run::Stage;
use common::job::split::SplitReport;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::attempt::rules::OutputLimit;
use crate::attempt::steps::runs::{Made, Notice, Share};
use crate::attempt::steps::{Attempt, Probed, Unfinished};
use crate::ffmpeg::run::runner::Finished;

/// The most lines of ffmpeg's log that are published in a second: a hostile input may make ffmpeg write a million.
const LOG_LINES: u32 = 50;
/// The most lines that wait to be published.
const WAITING_LINES: usize = 100;

/// An output that ffmpeg has made, and that is not checked yet.
pub struct Encoded {
    pub probed: Probed,
    pub finished: Finished,
}

impl Encoded {
    /// The time that ffmpeg took, in seconds; of an output that was made in parts, of all of them.
    pub(super) fn encode_seconds(&self) -> f64 {
        match &self.probed.split {
            Some(SplitReport::Parts(parts)) => parts.iter().map(|part| part.encode_seconds).sum(),
            Some(SplitReport::Whole(_) | SplitReport::Piece(_)) | None => {
                self.finished.elapsed.as_secs_f64()
            }
        }
    }
}

/// How an encode ended that ffmpeg did not fail at.
pub enum EncodeEnd {
    Made(Box<Encoded>),
    /// It was stopped, because the output would have been too large.
    TooLarge {
        probed: Box<Probed>,
        /// Bytes that the output would have had, by an estimate.
        would_be: u64,
    },
}

impl Probed {
    /// Makes the output, and stops if it will surely exceed the limit. `notify` is told what happens meanwhile.
    ///
    /// # Errors
    /// Those of [`Probed::make`].
    pub async fn encode_within(
        self,
        limit: Option<OutputLimit>,
        notify: impl FnMut(Notice<'_>),
    ) -> Result<EncodeEnd, Failure> {
        let made = self.make(limit, notify).await?;
        Ok(match made {
            Made::Whole(finished) => EncodeEnd::Made(Box::new(Encoded {
                probed: self,
                finished,
            })),
            Made::TooLarge(would_be) => EncodeEnd::TooLarge {
                probed: Box::new(self),
                would_be,
            },
        })
    }
}

impl Attempt<'_> {
    pub(super) async fn encode(&self, probed: Probed) -> Result<Encoded, Unfinished> {
        self.report(Stage::Encoding, Some(0.0)).await;
        let duration = probed.media.likely_duration();
        let (progress, mut latest) = watch::channel(None);
        let (lines, mut log) = mpsc::channel(WAITING_LINES);
        let (commands, mut begun) = mpsc::unbounded_channel();
        let mut limit = PerSecond::default();
        let limit_of_output = self.limit();
        let encoded = probed.encode_within(limit_of_output, move |notice| match notice {
            Notice::Commands(list) => drop(commands.send(list.join(" && "))),
            Notice::Progress(now, share) => drop(progress.send_replace(Some((now, share)))),
            // A line is dropped if the queue is full: nobody could read that many in time.
            Notice::Log(line) if limit.allows(LOG_LINES) => drop(lines.try_send(line.to_owned())),
            Notice::Log(_) => {}
        });
        let publishing = async {
            loop {
                tokio::select! {
                    Some(commands) = begun.recv() => self.reporter.command(commands).await,
                    Some(line) = log.recv() => self.reporter.log(line).await,
                    Ok(()) = latest.changed() => {
                        let now = *latest.borrow_and_update();
                        if let Some((now, share)) = now {
                            self.encoding(now, share, duration).await;
                        }
                    }
                    else => break,
                }
            }
        };
        let (encoded, ()) = tokio::join!(encoded, publishing);
        match encoded? {
            EncodeEnd::Made(encoded) => Ok(*encoded),
            EncodeEnd::TooLarge { probed, would_be } => Err(self.stopped_early(&probed, would_be)),
        }
    }

    /// Publishes the progress and the expected end of the encode.
    async fn encoding(&self, now: EncodeProgress, share: Share, duration: Option<f64>) {
        let (fraction, eta) = outlook(&now, share, duration);
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

/// The fraction that is done (0 to 1) and the seconds that are left, as far as they are known. `share` is the part
/// that the present run of ffmpeg takes.
fn outlook(
    progress: &EncodeProgress,
    share: Share,
    duration: Option<f64>,
) -> (Option<f32>, Option<f32>) {
    let Some(duration) = duration.filter(|duration| *duration > 0.0) else {
        return (None, None);
    };
    let Share { from, to } = share;
    let fraction = from + (to - from) * (progress.time / duration).clamp(0.0, 1.0) as f32;
    // The runs that follow take as long as this one for the same share. Nothing is known of them from a run without.
    let runs = (1.0 - fraction) / (to - from);
    let left = runs * duration as f32;
    let eta = (progress.speed > 0.0 && runs.is_finite()).then(|| (left / progress.speed).min(1e7));
    (Some(fraction), eta)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outlook_needs_a_length_and_a_speed() {
        let whole = Share { from: 0.0, to: 1.0 };
        let progress = EncodeProgress {
            time: 15.0,
            speed: 2.0,
            ..Default::default()
        };
        assert_eq!(outlook(&progress, whole, None), (None, None));
        assert_eq!(
            outlook(&progress, whole, Some(60.0)),
            (Some(0.25), Some(22.5))
        );
        let still = EncodeProgress {
            time: 15.0,
            ..Default::default()
        };
        assert_eq!(outlook(&still, whole, Some(60.0)), (Some(0.25), None));
        assert_eq!(
            outlook(&progress, whole, Some(10.0)),
            (Some(1.0), Some(0.0))
        );
    }

    #[test]
    fn the_outlook_of_a_first_pass_counts_the_second() {
        let first = Share { from: 0.0, to: 0.5 };
        let second = Share { from: 0.5, to: 1.0 };
        let progress = |time| EncodeProgress {
            time,
            speed: 2.0,
            ..Default::default()
        };
        let half = outlook(&progress(30.0), first, Some(60.0));
        assert_eq!(half, (Some(0.25), Some(45.0)));
        let end = outlook(&progress(60.0), first, Some(60.0));
        assert_eq!(end, (Some(0.5), Some(30.0)));
        let begin = outlook(&progress(0.0), second, Some(60.0));
        assert_eq!(begin, (Some(0.5), Some(30.0)));
    }

    #[test]
    fn no_more_lines_than_allowed_pass_in_a_second() {
        let mut limit = PerSecond::default();
        assert_eq!((0..1000).filter(|_| limit.allows(50)).count(), 50);
        limit.since -= Duration::from_secs(2);
        assert!(limit.allows(50));
    }
}
