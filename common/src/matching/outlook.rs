//! Estimates of when work will end: the one estimate that every program shows, made from the progress of running jobs
//! and the times of recently completed ones. Pure.

use jiff::Timestamp;

use crate::job::progress::Progress;
use crate::job::run::Stage;

/// How many of the latest completed jobs of a queue an estimate uses.
pub const LATELY: usize = 1000;
/// Most waiting jobs that are placed one by one.
const STEPS: u64 = 1000;
/// Below this done share, the time that a job has taken so far says nothing.
const EARLY: f64 = 0.05;

impl Stage {
    /// The stage's part of a whole job, as shares from 0 to 1.
    fn part(self) -> (f64, f64) {
        match self {
            Self::Reading => (0.0, 0.02),
            // The search has a share of its own in no other job, so the job's share stands still meanwhile.
            Self::Searching => (0.02, 0.02),
            Self::Encoding => (0.02, 0.90),
            Self::Verifying => (0.90, 0.98),
            Self::Publishing => (0.98, 1.0),
        }
    }
}

impl Progress {
    /// Done share of the whole job, 0 to 1. It never falls from stage to stage.
    pub fn share(&self) -> f64 {
        let (from, to) = self.stage.part();
        let fraction = f64::from(self.fraction.unwrap_or(0.0));
        from + (to - from) * fraction.clamp(0.0, 1.0)
    }

    /// Seconds until the whole job ends, if it has run since `since`; `None` if there is nothing to estimate by.
    pub fn seconds_left(&self, since: Timestamp) -> Option<f64> {
        if self.waits_for.is_some() {
            return None;
        }
        let share = self.share();
        let (_, end) = self.stage.part();
        let of_stage = self
            .eta
            .filter(|eta| *eta > 0.0)
            .map(|eta| f64::from(eta) / (end - share) * (1.0 - share));
        let so_far = self.at.duration_since(since).as_secs_f64();
        let by_time = (share >= EARLY && so_far > 0.0).then(|| so_far / share * (1.0 - share));
        of_stage.filter(|left| left.is_finite()).or(by_time)
    }
}

/// Jobs that have not ended, and the times of completed ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlook {
    running: Vec<Running>,
    waiting: Waiting,
    past: Past,
}

/// Sums over completed jobs: bytes of their inputs, and seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Past {
    bytes: f64,
    seconds: f64,
}

/// Jobs that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Number of jobs.
    pub jobs: u64,
    /// Bytes of their inputs.
    pub bytes: u64,
    /// Bytes of the largest input.
    pub largest: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Running {
    bytes: f64,
    seconds: f64,
    left: Option<f64>,
}

impl Running {
    /// Seconds until the job ends: its own estimate, otherwise by `pace`, in seconds for each byte.
    fn left_at(&self, pace: Option<f64>) -> Option<f64> {
        let expected = || Some((pace? * self.bytes - self.seconds).max(0.0));
        self.left.or_else(expected)
    }
}

impl Past {
    /// Adds a job with an input of so many bytes, which took so many seconds.
    pub fn add(&mut self, bytes: u64, seconds: f64) {
        self.bytes += bytes as f64;
        self.seconds += seconds;
    }
}

impl Waiting {
    /// Adds a waiting job with an input of so many bytes.
    pub fn add(&mut self, bytes: u64) {
        self.jobs += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.largest = self.largest.max(bytes);
    }
}

impl Outlook {
    /// Adds a running job: bytes of its input, seconds since its claim, and seconds left as
    /// [`Progress::seconds_left`] estimates.
    pub fn running(&mut self, bytes: u64, seconds: f64, left: Option<f64>) {
        self.running.push(Running {
            bytes: bytes as f64,
            seconds: seconds.max(0.0),
            left,
        });
    }

    /// Adds waiting jobs.
    pub fn waiting(&mut self, more: Waiting) {
        self.waiting.jobs += more.jobs;
        self.waiting.bytes = self.waiting.bytes.saturating_add(more.bytes);
        self.waiting.largest = self.waiting.largest.max(more.largest);
    }

    /// Adds completed jobs.
    pub fn past(&mut self, more: Past) {
        self.past.bytes += more.bytes;
        self.past.seconds += more.seconds;
    }

    /// Number of running jobs.
    pub fn jobs_running(&self) -> usize {
        self.running.len()
    }

    /// Seconds until all jobs have ended, with this many slots; `None` if no job is left, or there is nothing to
    /// estimate by. For a single running job, the seconds that the job has left.
    pub fn seconds_left(&self, slots: u32) -> Option<f64> {
        let pace = self.pace();
        let mut sum = 0.0;
        let mut longest: f64 = 0.0;
        for job in &self.running {
            let left = job.left_at(pace)?;
            sum += left;
            longest = longest.max(left);
        }
        if self.waiting.jobs > 0 {
            sum += pace? * self.waiting.bytes as f64;
            longest = longest.max(pace? * self.waiting.largest as f64);
        }
        let jobs = self.running.len() as f64 + self.waiting.jobs as f64;
        let at_once = f64::from(slots).max(self.running.len() as f64).min(jobs);
        (jobs > 0.0).then(|| longest.max(sum / at_once.max(1.0)))
    }

    /// Seconds until one of the slots is free for a job that comes after all of these; `None` if there is nothing to
    /// estimate by.
    pub fn seconds_until_free(&self, slots: u32) -> Option<f64> {
        let pace = self.pace();
        let left = self.running.iter().map(|job| job.left_at(pace));
        let mut free: Vec<f64> = left.collect::<Option<_>>()?;
        free.resize(free.len().max(slots as usize).max(1), 0.0);
        let jobs = self.waiting.jobs;
        let each = match jobs {
            0 => 0.0,
            jobs => pace? * self.waiting.bytes as f64 / jobs as f64,
        };
        // Each waiting job goes to the slot that is free first; if there are very many, the rest are spread evenly.
        let stepped = jobs.min(STEPS);
        for _ in 0..stepped {
            if let Some(first) = free.iter_mut().min_by(|one, other| one.total_cmp(other)) {
                *first += each;
            }
        }
        let rest = (jobs - stepped) as f64 * each / free.len() as f64;
        free.into_iter().reduce(f64::min).map(|first| first + rest)
    }

    /// Seconds that a job takes for each byte of its input.
    fn pace(&self) -> Option<f64> {
        let Past {
            mut bytes,
            mut seconds,
        } = self.past;
        for job in &self.running {
            if let Some(left) = job.left {
                bytes += job.bytes;
                seconds += job.seconds + left;
            }
        }
        (bytes > 0.0).then_some(seconds / bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::id::JobId;

    fn progress(stage: Stage, fraction: Option<f32>, eta: Option<f32>, second: i64) -> Progress {
        Progress {
            job: "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"
                .parse::<JobId>()
                .expect("an id"),
            worker: "w1".parse().expect("a name"),
            attempt: 1,
            stage,
            fraction,
            encode: None,
            eta,
            waits_for: None,
            at: Timestamp::from_second(second).expect("in range"),
        }
    }

    fn left(progress: &Progress) -> Option<f64> {
        progress
            .seconds_left(Timestamp::UNIX_EPOCH)
            .map(|left| left.round())
    }

    #[test]
    fn the_done_share_of_a_job_follows_its_stages() {
        let share = |stage, fraction| progress(stage, fraction, None, 0).share();
        let shares = [
            share(Stage::Reading, Some(1.0)),
            share(Stage::Searching, Some(0.9)),
            share(Stage::Encoding, Some(0.0)),
            share(Stage::Encoding, Some(0.5)),
            share(Stage::Verifying, None),
            share(Stage::Publishing, Some(7.0)),
        ];
        assert_eq!(shares, [0.02, 0.02, 0.02, 0.46, 0.90, 1.0]);
    }

    #[test]
    fn a_job_has_more_seconds_left_than_its_stage() {
        let encoding = progress(Stage::Encoding, Some(0.5), Some(44.0), 50);
        assert_eq!(left(&encoding), Some(54.0));
        // A stage without an estimate goes by the time that the job has taken so far.
        let verifying = progress(Stage::Verifying, None, None, 90);
        assert_eq!(left(&verifying), Some(10.0));
        let done = progress(Stage::Encoding, Some(1.0), Some(0.0), 90);
        assert_eq!(left(&done), Some(10.0));
        assert_eq!(left(&progress(Stage::Reading, None, None, 90)), None);
        let mut held = encoding;
        held.waits_for = Some("s3://media/out".parse().expect("a location"));
        assert_eq!(left(&held), None);
    }

    #[test]
    fn the_estimate_for_one_job_is_that_jobs_own() {
        let mut outlook = Outlook::default();
        assert_eq!(outlook.seconds_left(1), None);
        outlook.running(1000, 10.0, None);
        assert_eq!(outlook.seconds_left(1), None, "nothing tells");
        let mut outlook = Outlook::default();
        outlook.running(1000, 10.0, Some(30.0));
        assert_eq!(outlook.seconds_left(1), Some(30.0));
        assert_eq!(outlook.seconds_left(8), Some(30.0));
    }

    #[test]
    fn all_jobs_take_their_sum_over_the_slots_and_at_least_the_longest() {
        let mut outlook = Outlook::default();
        outlook.running(1000, 10.0, Some(30.0));
        outlook.running(1000, 0.0, Some(40.0));
        let mut waiting = Waiting::default();
        waiting.add(1000);
        waiting.add(3000);
        outlook.waiting(waiting);
        // 80 s for 2000 bytes: the waiting jobs take 40 and 120 s.
        assert_eq!(
            outlook.seconds_left(1),
            Some(120.0),
            "two run at once already"
        );
        assert_eq!(outlook.seconds_left(4), Some(120.0));
        waiting = Waiting::default();
        waiting.add(10_000);
        outlook.waiting(waiting);
        assert_eq!(outlook.seconds_left(2), Some(400.0));
        // Completed jobs count as much as running ones.
        let mut past = Past::default();
        past.add(2000, 0.0);
        outlook.past(past);
        assert_eq!(outlook.seconds_left(2), Some(200.0));
    }

    #[test]
    fn a_job_starts_in_the_slot_that_is_free_first() {
        let mut outlook = Outlook::default();
        outlook.running(1000, 10.0, Some(30.0));
        outlook.running(1000, 0.0, Some(40.0));
        assert_eq!(outlook.seconds_until_free(2), Some(30.0));
        assert_eq!(outlook.seconds_until_free(3), Some(0.0));
        // 80 s for 2000 bytes: the waiting job takes 40 s, from 30 s on.
        let mut waiting = Waiting::default();
        waiting.add(1000);
        outlook.waiting(waiting);
        assert_eq!(outlook.seconds_until_free(2), Some(40.0));
        let mut many = Waiting::default();
        (0..2000).for_each(|_| many.add(1000));
        outlook.waiting(many);
        let last = outlook.seconds_until_free(2).expect("known");
        assert!((last - 40_000.0).abs() < 100.0, "{last}");
        let mut unknown = Outlook::default();
        unknown.running(1000, 10.0, None);
        assert_eq!(unknown.seconds_until_free(1), None);
    }

    #[test]
    fn a_running_job_without_progress_is_estimated_by_the_others() {
        let mut past = Past::default();
        past.add(1000, 60.0);
        let mut outlook = Outlook::default();
        outlook.past(past);
        outlook.running(1000, 20.0, None);
        assert_eq!(outlook.seconds_left(1), Some(40.0));
        let mut late = Outlook::default();
        late.past(past);
        late.running(1000, 90.0, None);
        assert_eq!(late.seconds_left(1), Some(0.0));
    }
}
