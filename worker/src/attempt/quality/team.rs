//! The workers that make the sample encodes of one search: this one, and helpers.
//!
//! This worker always works itself. Helpers get what is left. A helper that refuses or fails gets nothing more in
//! this search. A helper that is late or has died costs only time: once this worker has nothing else to do, it makes
//! the late sample encode itself, and the first result counts.

use std::collections::VecDeque;
use std::time::Duration;

use common::farm::sample::SampleScore;
use common::farm::worker_name::WorkerName;
use common::job::failure::Failure;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

/// How many times longer than this worker a helper may take before its work is made here, too.
const LATE: f64 = 1.5;
/// The least time that a helper gets: the network and the cut of its sample take some.
const LEAST: Duration = Duration::from_secs(2);

/// One sample at one quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    /// The step on the encoder's scale.
    pub(crate) step: u32,
    /// The number of the sample.
    pub(crate) sample: usize,
}

/// A score, and its maker; `None` for this worker.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scored {
    pub(crate) score: SampleScore,
    pub(crate) by: Option<WorkerName>,
}

/// How the sample encodes of a round are made.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    /// Makes one here.
    pub(crate) own: &'a (dyn Fn(Task) -> BoxFuture<'a, Result<SampleScore, Failure>> + Sync),
    /// Asks a helper for one.
    pub(crate) ask:
        &'a (dyn Fn(WorkerName, Task) -> BoxFuture<'static, Result<SampleScore, String>> + Sync),
    /// Gets the number of finished ones.
    pub(crate) on_done: &'a (dyn Fn(usize) + Sync),
}

/// A helper's answer.
struct Answer {
    by: WorkerName,
    round: u32,
    /// The number of the task in its round.
    task: usize,
    result: Result<SampleScore, String>,
}

/// This worker and the helpers of a search.
#[derive(Default)]
pub(crate) struct Team {
    round: u32,
    idle: Vec<WorkerName>,
    /// The helpers that work, for this round or still for an earlier one.
    busy: Vec<WorkerName>,
    /// The helpers that refused or failed.
    dropped: Vec<WorkerName>,
    asked: FuturesUnordered<BoxFuture<'static, Answer>>,
}

/// What has become of the tasks of a round.
struct Round {
    done: Vec<Option<Scored>>,
    /// The tasks that nobody has begun.
    open: VecDeque<usize>,
    /// Since when helpers have had their tasks.
    given: Vec<Option<Instant>>,
    /// The longest time that this worker took for a task.
    longest: Duration,
}

impl Round {
    fn of(tasks: usize) -> Self {
        Self {
            done: vec![None; tasks],
            open: (0..tasks).collect(),
            given: vec![None; tasks],
            longest: Duration::ZERO,
        }
    }

    fn is_over(&self) -> bool {
        self.done.iter().all(Option::is_some)
    }

    /// The task that a helper has had for the longest time, and when it counts as late.
    fn next_late(&self) -> Option<(usize, Instant)> {
        let patience = self.longest.mul_f64(LATE).max(LEAST);
        let given = self.given.iter().zip(&self.done).enumerate();
        given
            .filter(|(_, (_, done))| done.is_none())
            .filter_map(|(task, (since, _))| Some((task, (*since)? + patience)))
            .min_by_key(|(_, late)| *late)
    }

    /// The next task for this worker.
    fn next(&mut self) -> Option<usize> {
        let late = self.next_late().filter(|(_, late)| *late <= Instant::now());
        self.open.pop_front().or(late.map(|(task, _)| task))
    }
}

impl Team {
    /// Replaces the helpers that are free.
    pub(crate) fn join(&mut self, free: Vec<WorkerName>) {
        self.idle = free;
        let (busy, dropped) = (&self.busy, &self.dropped);
        self.idle
            .retain(|name| !busy.contains(name) && !dropped.contains(name));
    }

    /// How many sample encodes can be made at once.
    pub(crate) fn size(&self) -> usize {
        1 + self.idle.len()
    }

    /// Makes these sample encodes. The scores are in the order of the tasks.
    ///
    /// # Errors
    /// The failure of a sample encode of this worker.
    pub(crate) async fn make(
        &mut self,
        tasks: &[Task],
        means: Means<'_>,
    ) -> Result<Vec<Scored>, Failure> {
        self.round += 1;
        let mut round = Round::of(tasks.len());
        let mut mine: Option<(usize, Instant, BoxFuture<'_, _>)> = None;
        while !round.is_over() {
            if mine.is_none()
                && let Some(task) = round.next()
            {
                mine = Some((task, Instant::now(), (means.own)(tasks[task])));
            }
            while let Some(helper) = self.idle.pop_if(|_| !round.open.is_empty()) {
                if let Some(task) = round.open.pop_back() {
                    round.given[task] = Some(Instant::now());
                    let request = (means.ask)(helper.clone(), tasks[task]);
                    self.ask(helper, task, request);
                }
            }
            let late = round.next_late().map(|(_, late)| late);
            let late = late.filter(|_| mine.is_none());
            let own = async {
                match &mut mine {
                    Some((.., work)) => work.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                result = own => {
                    let score = result?;
                    if let Some((task, since, _)) = mine.take() {
                        round.longest = round.longest.max(since.elapsed());
                        round.done[task] = Some(Scored { score, by: None });
                    }
                }
                Some(answer) = self.asked.next() => {
                    let task = (answer.round == self.round).then_some(answer.task);
                    let own = mine.as_ref().map(|(own, ..)| *own);
                    if self.answered(answer, &mut round, own) && own.is_some() && own == task {
                        mine = None;
                    }
                }
                () = at(late) => {}
            }
            (means.on_done)(round.done.iter().flatten().count());
        }
        Ok(round.done.into_iter().flatten().collect())
    }

    fn ask(
        &mut self,
        by: WorkerName,
        task: usize,
        request: BoxFuture<'static, Result<SampleScore, String>>,
    ) {
        self.busy.push(by.clone());
        let round = self.round;
        self.asked.push(Box::pin(async move {
            Answer {
                by,
                round,
                task,
                result: request.await,
            }
        }));
    }

    /// Takes a helper's answer. Returns whether it finished a task of this round. `own` is the task under way here.
    fn answered(&mut self, answer: Answer, round: &mut Round, own: Option<usize>) -> bool {
        let Answer { by, task, .. } = answer;
        self.busy.retain(|name| *name != by);
        let is_wanted = answer.round == self.round && round.done[task].is_none();
        match answer.result {
            Ok(score) => {
                self.idle.push(by.clone());
                if is_wanted {
                    round.done[task] = Some(Scored {
                        score,
                        by: Some(by),
                    });
                }
                is_wanted
            }
            Err(why) => {
                tracing::info!(helper = %by, %why, "no sample encode from there");
                self.dropped.push(by);
                if is_wanted {
                    round.given[task] = None;
                    if own != Some(task) {
                        round.open.push_back(task);
                    }
                }
                false
            }
        }
    }
}

/// Returns at `time`; never if it is `None`.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn name(name: &str) -> WorkerName {
        name.parse().expect("a name")
    }

    fn tasks(count: usize) -> Vec<Task> {
        (0..count).map(|sample| Task { step: 7, sample }).collect()
    }

    fn score(task: Task) -> SampleScore {
        SampleScore {
            score: 90.0 + task.sample as f64,
            encoded: 1,
            source: 2,
        }
    }

    /// Makes the tasks with helpers that answer by `ask`. Returns the makers, and the seconds that it took.
    async fn make(
        team: &mut Team,
        count: usize,
        ask: impl Fn(WorkerName, Task) -> BoxFuture<'static, Result<SampleScore, String>> + Sync,
    ) -> (Vec<String>, u64) {
        let since = Instant::now();
        let tasks = tasks(count);
        let own = |task| -> BoxFuture<'_, _> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(10)).await;
                Ok(score(task))
            })
        };
        let seen = Mutex::new(0);
        let on_done = |done| {
            let mut seen = seen.lock().expect("whole");
            assert!(done >= *seen, "it never falls");
            *seen = done;
        };
        let means = Means {
            own: &own,
            ask: &ask,
            on_done: &on_done,
        };
        let scored = team.make(&tasks, means).await.expect("made");
        for (task, scored) in tasks.iter().zip(&scored) {
            assert_eq!(scored.score, score(*task), "in the order of the tasks");
        }
        let makers = scored.iter().map(|scored| match &scored.by {
            None => "own".to_owned(),
            Some(name) => name.to_string(),
        });
        (makers.collect(), since.elapsed().as_secs())
    }

    fn after(seconds: u64, task: Task) -> BoxFuture<'static, Result<SampleScore, String>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok(score(task))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn helpers_share_the_work() {
        let mut team = Team::default();
        team.join(vec![name("a"), name("b")]);
        let (makers, seconds) = make(&mut team, 6, |_, task| after(10, task)).await;
        assert_eq!(seconds, 20);
        assert_eq!(makers.iter().filter(|maker| *maker == "own").count(), 2);
        let (makers, seconds) = make(&mut Team::default(), 2, |_, _| unreachable!()).await;
        assert_eq!((makers.len(), seconds), (2, 20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_helper_that_dies_costs_only_time() {
        let mut team = Team::default();
        team.join(vec![name("dead")]);
        let never = |_, _| -> BoxFuture<'static, _> { Box::pin(std::future::pending()) };
        let (makers, seconds) = make(&mut team, 2, never).await;
        assert_eq!(makers, ["own", "own"]);
        assert_eq!(seconds, 25, "15 seconds of patience, and then its own time");
        team.join(vec![name("dead"), name("alive")]);
        assert_eq!(team.size(), 2, "it is busy for ever");
        let (makers, _) = make(&mut team, 2, |_, task| after(5, task)).await;
        assert_eq!(makers, ["own", "alive"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_helper_that_refuses_gets_nothing_more() {
        let mut team = Team::default();
        team.join(vec![name("a")]);
        let refuse = |_, _| -> BoxFuture<'static, _> {
            Box::pin(async { Err("all its slots are busy".to_owned()) })
        };
        let (makers, seconds) = make(&mut team, 3, refuse).await;
        assert_eq!((makers.len(), seconds), (3, 30));
        team.join(vec![name("a")]);
        assert_eq!(team.size(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_helper_that_is_quicker_in_the_end_wins() {
        let mut team = Team::default();
        team.join(vec![name("slow")]);
        let (makers, seconds) = make(&mut team, 2, |_, task| after(18, task)).await;
        assert_eq!((makers[1].as_str(), seconds), ("slow", 18));
        // An answer that comes after its round frees the helper, and counts for nothing else.
        team.join(vec![name("slow")]);
        let (makers, seconds) = make(&mut team, 2, |_, task| after(40, task)).await;
        assert_eq!((makers[1].as_str(), seconds), ("own", 25));
        let (makers, seconds) = make(&mut team, 3, |_, task| after(1, task)).await;
        assert_eq!(makers, ["own", "own", "slow"]);
        assert_eq!(seconds, 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_here_ends_the_search() {
        let own = |_| -> BoxFuture<'_, _> { Box::pin(async { Err(Failure::worker("full disk")) }) };
        let ask = |_, _| -> BoxFuture<'static, _> { unreachable!("there is no helper") };
        let means = Means {
            own: &own,
            ask: &ask,
            on_done: &|_| {},
        };
        let failure = Team::default().make(&tasks(2), means).await;
        failure.expect_err("the disk is full");
    }
}
