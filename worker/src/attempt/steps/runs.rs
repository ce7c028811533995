//! The runs of ffmpeg that make an output: one, two passes, or as many as a size takes.

use std::ffi::OsString;

use common::job::failure::Failure;
use common::job::progress::EncodeProgress;

use crate::attempt::rules::OutputLimit;
use crate::attempt::steps::Probed;
use crate::attempt::steps::read::OUTPUT;
use crate::ffmpeg::arguments::{REST, STATISTICS, SizePlan, at_bitrate};
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Finished, Runner, Sign};
use crate::ffmpeg::tracks::extras;

/// How often an output of the wrong size is made anew.
const CORRECTIONS: u32 = 4;

/// The share of the progress that the first try to reach a size takes.
const FIRST_TRY: f32 = 0.9;

/// What a running encode tells.
#[derive(Clone, Debug)]
pub enum Notice<'a> {
    /// These command lines follow, in order.
    Commands(Vec<String>),
    /// The progress of the present run, and its share of the whole encode.
    Progress(EncodeProgress, Share),
    /// A parsed line of ffmpeg's log.
    Log(&'a str),
}

/// The part of an encode's progress, from 0 to 1, that one of its runs takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    pub from: f32,
    pub to: f32,
}

impl Share {
    const WHOLE: Self = Self { from: 0.0, to: 1.0 };

    fn halves(self) -> [Self; 2] {
        let middle = (self.from + self.to) / 2.0;
        let (from, to) = (self.from, self.to);
        [Self { from, to: middle }, Self { from: middle, to }]
    }
}

/// What the runs have made.
pub(super) enum Made {
    Whole(Finished),
    /// They were stopped, because the output would have had about so many bytes.
    TooLarge(u64),
}

/// The runs of one encode.
struct Runs<'a, N> {
    probed: &'a Probed,
    runner: Runner,
    /// The limit of the output's size, if the rules set one.
    limit: Option<OutputLimit>,
    /// The estimated size of an output that is too large.
    too_large: Option<u64>,
    notify: N,
}

impl Probed {
    /// Makes the output. `notify` is told what happens meanwhile.
    ///
    /// # Errors
    /// If ffmpeg fails, stalls, or is stopped. The input's fault if it holds no frame, or does not fit into the size
    /// that the recipe asks for.
    pub(super) async fn make(
        &self,
        limit: Option<OutputLimit>,
        notify: impl FnMut(Notice<'_>),
    ) -> Result<Made, Failure> {
        let mut runner = self.prepared.writing();
        runner.stop = runner.stop.child_token();
        let mut runs = Runs {
            probed: self,
            runner,
            // The tries for a size may all miss it but the last.
            limit: limit.filter(|_| self.arguments.size.is_none()),
            too_large: None,
            notify,
        };
        let made = match &self.arguments.size {
            Some(plan) => runs.encode_to_size(plan).await,
            None => runs.passes(None, Share::WHOLE).await,
        };
        match runs.too_large {
            Some(would_be) if made.is_err() => Ok(Made::TooLarge(would_be)),
            _ => self
                .inspected()
                .blame_empty_input(made)
                .await
                .map(Made::Whole),
        }
    }

    /// Bytes of a file in the folder where ffmpeg writes; 0 if there is none.
    fn written(&self, name: &str) -> u64 {
        let work = self.prepared.folder.work();
        work.symlink_metadata(name).map_or(0, |found| found.len())
    }

    /// Whether the first pass has left statistics.
    fn has_statistics(&self) -> bool {
        let files = self.prepared.folder.work().entries();
        files.is_ok_and(|files| {
            files.flatten().any(|file| {
                let is_named = file.file_name().to_string_lossy().starts_with(STATISTICS);
                is_named && file.metadata().is_ok_and(|found| found.len() > 0)
            })
        })
    }
}

impl<N: FnMut(Notice<'_>)> Runs<'_, N> {
    /// Runs the only pass, or both. `bitrate` is for recipes that ask for a size.
    async fn passes(&mut self, bitrate: Option<u64>, share: Share) -> Result<Finished, Failure> {
        let arguments = &self.probed.arguments;
        let with = |list: &Vec<OsString>| match bitrate {
            Some(bitrate) => at_bitrate(list, bitrate),
            None => list.clone(),
        };
        let last = with(&arguments.list);
        let Some(first) = arguments.first_pass.as_ref().map(with) else {
            self.announce(&[&last]);
            return self.run(&last, share).await;
        };
        self.announce(&[&first, &last]);
        let [first_half, second_half] = share.halves();
        let before = self.run(&first, first_half).await?;
        if !self.probed.has_statistics() {
            return Err(Failure::worker(
                "the encoder wrote no statistics in its first pass: this ffmpeg cannot encode in two passes with it",
            ));
        }
        let mut finished = self.run(&last, second_half).await?;
        finished.elapsed += before.elapsed;
        Ok(finished)
    }

    /// Makes an output of the size that the recipe asks for: measures what is not video, gives the rest to the video,
    /// and corrects the bitrate if the encoder has missed.
    async fn encode_to_size(&mut self, plan: &SizePlan) -> Result<Finished, Failure> {
        let rest = self.rest(plan).await?;
        let mut bitrate = plan.budget.bitrate(rest)?;
        let mut share = Share {
            to: FIRST_TRY,
            ..Share::WHOLE
        };
        let mut finished = self.passes(Some(bitrate), share).await?;
        let mut known = None;
        for left in (0..CORRECTIONS).rev() {
            let made = self.probed.written(OUTPUT);
            let Some(better) = plan.budget.better(bitrate, made, rest) else {
                break;
            };
            bitrate = match known {
                _ if !plan.budget.is_exceeded_by(made) => {
                    // If more bits have made nothing of it, the picture needs no more.
                    let is_enough = known.is_some_and(|(_, before)| made <= before + before / 50);
                    if is_enough || left == 0 {
                        break;
                    }
                    known = Some((bitrate, made));
                    better
                }
                Some((small_enough, _)) if left == 0 => small_enough,
                _ => better,
            };
            share = Share {
                from: share.to,
                to: (1.0 + share.to) / 2.0,
            };
            let again = self.again(bitrate, share).await?;
            finished = Finished {
                elapsed: finished.elapsed + again.elapsed,
                ..again
            };
        }
        Ok(finished)
    }

    /// Makes the output once more, with the statistics of the first pass if there are some.
    async fn again(&mut self, bitrate: u64, share: Share) -> Result<Finished, Failure> {
        let last = at_bitrate(&self.probed.arguments.list, bitrate);
        self.announce(&[&last]);
        self.run(&last, share).await
    }

    /// The bytes of all tracks but the films, measured.
    async fn rest(&mut self, plan: &SizePlan) -> Result<u64, Failure> {
        let arguments = &self.probed.arguments;
        let covers = extras::covers_in(&arguments.tracks).map(|name| self.probed.written(&name));
        let covers: u64 = covers.sum();
        let Some(list) = &plan.rest else {
            return Ok(covers);
        };
        let nothing = Share { from: 0.0, to: 0.0 };
        self.run(list, nothing).await?;
        let bytes = self.probed.written(REST);
        let removed = self.probed.prepared.folder.work().remove_file(REST);
        removed.map_err(|error| {
            Failure::worker(format!("the measured tracks cannot be removed: {error}"))
        })?;
        Ok(bytes + covers)
    }

    fn announce(&mut self, lists: &[&Vec<OsString>]) {
        let lines = lists.iter().map(|list| self.runner.command_line(list));
        (self.notify)(Notice::Commands(lines.collect()));
    }

    async fn run(&mut self, list: &[OsString], share: Share) -> Result<Finished, Failure> {
        let origin = Origin::of(&self.probed.prepared.source);
        let duration = self.probed.media.likely_duration();
        let (notify, too_large) = (&mut self.notify, &mut self.too_large);
        let on_sign = |sign: Sign<'_>| match sign {
            Sign::Progress(now) => {
                notify(Notice::Progress(now, share));
                let limit = self.limit.filter(|_| too_large.is_none());
                let exceeded = limit.and_then(|limit| {
                    limit.exceeded(self.probed.written(OUTPUT), now.time, duration)
                });
                if exceeded.is_some() {
                    *too_large = exceeded;
                    self.runner.stop.cancel();
                }
            }
            Sign::Log(line) => notify(Notice::Log(line)),
        };
        self.runner.ffmpeg(list, origin, on_sign).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_passes_have_half_of_the_progress_each() {
        let [first, second] = Share::WHOLE.halves();
        assert_eq!((first.from, first.to), (0.0, 0.5));
        assert_eq!((second.from, second.to), (0.5, 1.0));
    }
}
