//! The search for the smallest file of a quality, as a pure state machine: scores go in, qualities to try come out.
//!
//! A worse quality gives a lower score and a smaller file. So every score narrows the range, and the next quality to
//! try is where a straight line between the nearest good and the nearest bad score meets the target. The search ends
//! when two neighbours are known, or when a score is close enough above the target; what counts as close grows with
//! each round, because a smaller file is worth less than the time for finding it.

use std::collections::BTreeMap;

use common::job::run::quality::rounded;
use common::recipe::{Metric, QualityTarget};

use crate::attempt::quality::scale::Scale;

/// The excess over a target that ends the search, in units of the metric.
const CLOSE: f64 = 0.1;
/// The largest excess that does.
const CLOSE_AT_MOST: f64 = 0.8;
/// The rounds after which every second one halves the range: a straight line may approach a curve slowly.
const LINES: u32 = 4;

/// A search under way.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    scale: Scale,
    target: QualityTarget,
    tried: BTreeMap<u32, Try>,
    rounds: u32,
}

/// The result of one quality.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Try {
    pub(crate) score: f64,
    /// Bytes of the encoded samples in percent of the same parts of the source's video.
    pub(crate) percent: f64,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    /// Try the qualities of these steps.
    Try(Vec<u32>),
    /// This step is the answer.
    Found(u32, Try),
    /// There is no answer; holds the reason.
    Refused(String),
}

impl Search {
    pub(crate) fn new(scale: Scale, target: QualityTarget) -> Self {
        Self {
            scale,
            target,
            tried: BTreeMap::new(),
            rounds: 0,
        }
    }

    /// Records the result of a step.
    pub(crate) fn note(&mut self, step: u32, result: Try) {
        self.tried.insert(step, result);
    }

    /// The number of steps that were tried.
    pub(crate) fn tries(&self) -> u32 {
        u32::try_from(self.tried.len()).unwrap_or(u32::MAX)
    }

    /// The next steps to try, at most `width` at once, or the end of the search.
    pub(crate) fn next(&mut self, width: usize) -> Next {
        let good = self.good();
        let bad = self.bad(good);
        let last = self.scale.last();
        if let Some((step, result)) = good {
            let is_last = step == last || bad.is_some_and(|(worse, _)| worse == step + 1);
            let is_close = result.score < self.target.score.value + self.close_enough();
            if is_last && !self.is_small(result) {
                return Next::Refused(self.refusal());
            }
            if self.is_small(result) && (is_last || is_close) {
                return Next::Found(step, result);
            }
        }
        // A better picture only makes a larger file.
        if let Some((step, result)) = bad
            && good.is_none()
            && (step == 0 || !self.is_small(result))
        {
            return Next::Refused(self.refusal());
        }
        if let (Some(_), Some((_, worse))) = (good, bad)
            && !self.is_small(worse)
        {
            return Next::Refused(self.refusal());
        }
        self.rounds += 1;
        Next::Try(self.candidates(good, bad, width.max(1)))
    }

    /// The worst quality that reaches the target.
    fn good(&self) -> Option<(u32, Try)> {
        let mut tried = self.tried.iter().rev();
        tried
            .find(|(_, result)| result.score >= self.target.score.value)
            .map(|(step, result)| (*step, *result))
    }

    /// The best quality that does not, among those worse than `good`.
    fn bad(&self, good: Option<(u32, Try)>) -> Option<(u32, Try)> {
        let from = good.map_or(0, |(step, _)| step + 1);
        let first = self.tried.range(from..).next();
        first.map(|(step, result)| (*step, *result))
    }

    fn is_small(&self, result: Try) -> bool {
        result.percent <= f64::from(self.target.max_percent)
    }

    fn close_enough(&self) -> f64 {
        let doublings = i32::try_from(self.rounds)
            .unwrap_or(i32::MAX)
            .saturating_sub(1);
        let grown = CLOSE * self.scale.step().min(1.0) * 2_f64.powi(doublings.max(0));
        grown.clamp(CLOSE, CLOSE_AT_MOST) * unit(self.target.score.metric)
    }

    /// Steps between the nearest good and the nearest bad one, none of them tried.
    fn candidates(
        &self,
        good: Option<(u32, Try)>,
        bad: Option<(u32, Try)>,
        width: usize,
    ) -> Vec<u32> {
        let last = self.scale.last();
        let wanted: Vec<f64> = match (good, bad) {
            (None, None) => spread(-1.0, f64::from(last) + 1.0, width, 0.5),
            // The answer is more often near the middle of the scale than at its ends.
            (Some((step, _)), None) if self.rounds <= 2 => {
                spread(f64::from(step), f64::from(last) + 1.0, width, 0.6)
            }
            (None, Some((step, _))) if self.rounds <= 2 => {
                let mut steps = spread(-f64::from(step), 1.0, width, 0.6);
                steps.iter_mut().for_each(|step| *step = -*step);
                steps
            }
            (Some(_), None) => vec![f64::from(last)],
            (None, Some(_)) => vec![0.0],
            (Some(good), Some(bad)) => self.between(good, bad, width),
        };
        let from = good.map_or(0, |(step, _)| step + 1);
        let to = bad.map_or(last, |(step, _)| step - 1);
        let mut steps: Vec<u32> = Vec::new();
        for step in wanted {
            let step = (step.round().max(0.0) as u32).clamp(from, to);
            if !steps.contains(&step) && !self.tried.contains_key(&step) {
                steps.push(step);
            }
        }
        steps
    }

    /// Steps around the place where a straight line between two results meets the target.
    fn between(&self, good: (u32, Try), bad: (u32, Try), width: usize) -> Vec<f64> {
        let (better, worse) = (f64::from(good.0), f64::from(bad.0));
        let gap = worse - better;
        let halves = self.rounds > LINES && self.rounds.is_multiple_of(2);
        let share = if halves {
            0.5
        } else {
            (good.1.score - self.target.score.value) / (good.1.score - bad.1.score)
        };
        let centre = (better + gap * share).round();
        // Neighbours of the answer end the search, so further steps go close to it, alternately on both sides.
        let distance = (gap / 8.0).round().max(1.0);
        (0..width)
            .map(|nth| {
                let way = distance * nth.div_ceil(2) as f64;
                if nth % 2 == 1 {
                    centre + way
                } else {
                    centre - way
                }
            })
            .collect()
    }

    /// Why there is no answer.
    fn refusal(&self) -> String {
        let QualityTarget { score, max_percent } = self.target;
        let small = self
            .tried
            .iter()
            .filter(|(_, result)| self.is_small(**result));
        let best = small.max_by(|(_, a), (_, b)| a.score.total_cmp(&b.score));
        let smallest = || {
            let all = self.tried.iter();
            all.min_by(|(_, a), (_, b)| a.percent.total_cmp(&b.percent))
        };
        let best = best.or_else(smallest).map(|(step, result)| {
            let crf = self.scale.at(*step);
            let reached = rounded(score.metric, result.score);
            format!(
                "best was {} {reached} at {:.1} % with crf {crf}",
                score.metric, result.percent
            )
        });
        format!(
            "no quality reaches {} {} within {max_percent} % of the source's video: {}. Ask for less, or give a higher \
             --max-percent",
            score.metric,
            score.value,
            best.unwrap_or_default()
        )
    }
}

/// How much of a metric's score is one point of VMAF, roughly.
fn unit(metric: Metric) -> f64 {
    match metric {
        Metric::Vmaf | Metric::Xpsnr => 1.0,
        Metric::Ssim => 0.005,
    }
}

/// Places between two steps, for so many tries at once: one at a share of the way, several at equal distances.
fn spread(from: f64, to: f64, width: usize, share: f64) -> Vec<f64> {
    if width == 1 {
        return vec![from + (to - from) * share];
    }
    let parts = width as f64 + 1.0;
    (1..=width)
        .map(|nth| from + (to - from) * nth as f64 / parts)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(vmaf: f64, max_percent: u32) -> QualityTarget {
        QualityTarget {
            score: format!("vmaf={vmaf}").parse().expect("a score"),
            max_percent,
        }
    }

    fn scale(encoder: &str) -> Scale {
        Scale::of(&encoder.parse().expect("a name")).expect("a scale")
    }

    /// Runs a search to its end, with so many tries at once. Returns the end and the number of rounds.
    fn run(mut search: Search, width: usize, film: impl Fn(u32) -> Try) -> (Next, u32, u32) {
        let mut rounds = 0;
        loop {
            match search.next(width) {
                Next::Try(steps) => {
                    rounds += 1;
                    assert!(!steps.is_empty() && steps.len() <= width, "{search:?}");
                    assert!(rounds < 50, "{search:?}");
                    for step in steps {
                        assert!(!search.tried.contains_key(&step), "tried before: {step}");
                        search.note(step, film(step));
                    }
                }
                end => return (end, rounds, search.tries()),
            }
        }
    }

    /// A film whose score falls faster and faster, as VMAF does, and whose size halves every 6 CRF.
    fn film(scale: Scale, bend: f64, fall: f64, size: f64) -> impl Fn(u32) -> Try {
        move |step| {
            let way = f64::from(step) / f64::from(scale.last());
            Try {
                score: 100.0 - fall * way.powf(bend),
                percent: size * 2_f64.powf(-way * 6.0),
            }
        }
    }

    proptest! {
        #[test]
        fn the_answer_is_the_smallest_file_that_reaches_the_target(
            vmaf in 60.0_f64..99.5,
            bend in 0.8_f64..4.0,
            fall in 1.0_f64..90.0,
            width in 1_usize..5,
            encoder in prop::sample::select(vec!["libx264", "libsvtav1", "librav1e"]),
        ) {
            let scale = scale(encoder);
            let film = film(scale, bend, fall, 60.0);
            let search = Search::new(scale, target(vmaf, 100));
            let (end, rounds, tries) = run(search, width, &film);
            let Next::Found(step, result) = end else {
                panic!("every film begins with a score of 100: {end:?}");
            };
            prop_assert!(result.score >= vmaf);
            let next = film(step + 1).score;
            prop_assert!(
                step == scale.last() || next < vmaf || result.score < vmaf + CLOSE_AT_MOST,
                "step {step} has {}, the next one {next}", result.score
            );
            prop_assert!(rounds <= 12, "{rounds} rounds");
            prop_assert!(tries <= 12 * width as u32);
        }

        #[test]
        fn what_is_refused_has_no_answer(
            vmaf in 60.0_f64..99.5,
            bend in 0.8_f64..4.0,
            fall in 1.0_f64..90.0,
            size in 20.0_f64..400.0,
            width in 1_usize..5,
        ) {
            let scale = scale("libsvtav1");
            let film = film(scale, bend, fall, size);
            let (end, ..) = run(Search::new(scale, target(vmaf, 80)), width, &film);
            let fits = |step: &u32| {
                let result = film(*step);
                result.score >= vmaf && result.percent <= 80.0
            };
            let answer = (0..=scale.last()).rev().find(fits);
            match end {
                Next::Found(step, result) => {
                    prop_assert!(fits(&step), "{result:?}");
                }
                Next::Refused(why) => {
                    prop_assert_eq!(answer, None, "{}", why);
                    prop_assert!(why.contains("best was vmaf"), "{}", why);
                }
                Next::Try(_) => unreachable!(),
            }
        }

        #[test]
        fn noise_in_the_scores_does_not_keep_the_search_from_ending(
            scores in prop::collection::vec(50.0_f64..100.0, 361),
            width in 1_usize..5,
        ) {
            let film = |step: u32| Try { score: scores[step as usize], percent: 50.0 };
            let (end, ..) = run(Search::new(scale("libx264"), target(90.0, 80)), width, film);
            if let Next::Found(_, result) = end {
                prop_assert!(result.score >= 90.0);
            }
        }
    }

    #[test]
    fn few_tries_are_needed_on_usual_films_and_fewer_rounds_if_several_run_at_once() {
        let x264 = scale("libx264");
        let usual = || film(x264, 2.2, 45.0, 150.0);
        let (_, alone, tries) = run(Search::new(x264, target(95.0, 80)), 1, usual());
        assert!(tries <= 6, "{tries}");
        let (_, two, _) = run(Search::new(x264, target(95.0, 80)), 2, usual());
        let (_, four, _) = run(Search::new(x264, target(95.0, 80)), 4, usual());
        assert!(two < alone && four <= two, "{alone}, {two}, {four}");
    }

    #[test]
    fn a_refusal_names_the_best_result() {
        let scale = scale("libx264");
        let film = |step: u32| Try {
            score: 94.0 - f64::from(step) * 0.1,
            percent: 90.0 - f64::from(step) * 0.2,
        };
        let (end, ..) = run(Search::new(scale, target(95.0, 80)), 1, film);
        let Next::Refused(why) = end else {
            panic!("{end:?}");
        };
        assert!(
            why.starts_with(
                "no quality reaches vmaf 95 within 80 % of the source's video: best was vmaf 8"
            ),
            "{why}"
        );
    }
}
