//! The farm's promises, checked from outside once the dust has settled: by a
//! plain client that asks the broker for its messages and reads them as JSON,
//! by looking at files, objects and processes, and by counting frames. Nothing
//! here knows the code under test; every name is spelled out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::outside::media::Media;
use crate::servers::store::TestStore;
use crate::{outside, poll};

/// How long an answer of the broker may take.
const ANSWER: Duration = Duration::from_secs(10);
/// The pause between two inspections.
const PAUSE: Duration = Duration::from_millis(100);

/// The states that end a job.
const ENDS: [&str; 3] = ["completed", "failed", "cancelled"];

/// A job that the farm has acknowledged.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub id: String,
    /// The name of its output in the output place.
    pub output: String,
    /// Video frames that the output must have.
    pub frames: u64,
}

impl Acknowledged {
    /// A job that keeps every frame of its input.
    pub fn new(id: impl Display, output: impl Into<String>, input: &Path) -> Self {
        Self {
            id: id.to_string(),
            output: output.into(),
            frames: Media::of(input).frames(),
        }
    }
}

/// The place of the outputs.
pub enum OutputPlace<'a> {
    Folder(PathBuf),
    /// A prefix of the test's bucket.
    Bucket(&'a TestStore, String),
}

/// The number of jobs for each way to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub completed: usize,
    /// Jobs that ended as dead letters.
    pub failed: usize,
}

/// Broken promises, each with a description.
pub type Findings = Vec<(Finding, String)>;

/// The kind of a broken promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// An acknowledged job, or its output, is gone or damaged.
    Lost,
    /// A job ran to its end twice, or is stored twice.
    Doubled,
    /// A job has not ended, or an ended job has left something behind.
    Stranded,
    /// A file or an object of a stranger is gone.
    Destroyed,
    /// A file or an object of a stranger, or a finished output, has changed.
    Overwritten,
    /// A job or a worker is charged with a fault that it did not cause.
    Blamed,
}

/// The failures with which a job's run charges the job and its workers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Charges {
    /// Whether an attempt is under way.
    pub is_running: bool,
    /// Attempts that count against the job.
    pub spent: u64,
    /// Failures that are a worker's fault, by the run.
    pub workers: usize,
}

/// A plain client of the broker.
pub struct Auditor {
    client: async_nats::Client,
}

impl Auditor {
    /// Connects to the broker itself, without a proxy.
    pub async fn connect(url: &str) -> Self {
        let client = async_nats::ConnectOptions::new()
            .retry_on_initial_connect()
            .request_timeout(Some(ANSWER))
            .connect(url.split(',').collect::<Vec<_>>())
            .await
            .expect("retried until it is there");
        Self::of(client)
    }

    /// Asks through a connection that exists, e.g. one with a key.
    pub fn of(client: async_nats::Client) -> Self {
        Self { client }
    }

    async fn ask(&self, subject: String, body: Value) -> Result<Value, String> {
        let answer = self
            .client
            .request(subject.clone(), body.to_string().into())
            .await
            .map_err(|error| format!("{subject}: {error}"))?;
        serde_json::from_slice(&answer.payload).map_err(|error| format!("{subject}: {error}"))
    }

    /// The subjects of a stream that hold messages, each with the number of its messages.
    async fn subjects(&self, stream: &str) -> Result<BTreeMap<String, u64>, String> {
        self.subjects_like(stream, ">").await
    }

    async fn subjects_like(
        &self,
        stream: &str,
        filter: &str,
    ) -> Result<BTreeMap<String, u64>, String> {
        let mut found = BTreeMap::new();
        loop {
            let body = json!({"subjects_filter": filter, "offset": found.len()});
            let answer = self
                .ask(format!("$JS.API.STREAM.INFO.{stream}"), body)
                .await?;
            let state = answer
                .get("state")
                .ok_or_else(|| format!("{stream}: {answer}"))?;
            let page = state["subjects"].as_object().cloned().unwrap_or_default();
            let is_last = page.is_empty();
            for (subject, count) in page {
                found.insert(subject, count.as_u64().unwrap_or(0));
            }
            if is_last || answer["total"].as_u64() <= Some(found.len() as u64) {
                return Ok(found);
            }
        }
    }

    /// The server that leads a stream; `None` if there is no leader.
    pub async fn leader(&self, stream: &str) -> Option<String> {
        let info = self
            .ask(format!("$JS.API.STREAM.INFO.{stream}"), json!({}))
            .await
            .ok()?;
        Some(info["cluster"]["leader"].as_str()?.to_owned())
    }

    /// Whether every server has all messages of a stream.
    pub async fn is_in_sync(&self, stream: &str) -> bool {
        let info = self
            .ask(format!("$JS.API.STREAM.INFO.{stream}"), json!({}))
            .await
            .unwrap_or_default();
        let replicas = info["cluster"]["replicas"].as_array();
        replicas.is_some_and(|replicas| {
            replicas
                .iter()
                .all(|one| one["current"] == true && one["offline"] != true)
        })
    }

    /// The number of jobs that have completed, by the history.
    pub async fn completed(&self) -> Result<usize, String> {
        let ends = self.subjects_like("EVENTS", "events.*.completed").await?;
        Ok(ends.len())
    }

    /// The jobs in the work queue, each as often as it is stored.
    pub async fn queued(&self) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        for (subject, count) in self.subjects("JOBS").await? {
            let job = subject.split('.').nth(3).unwrap_or_default();
            found.extend((0..count).map(|_| job.to_owned()));
        }
        Ok(found)
    }

    /// The stored run of a job; `None` if there is no run.
    async fn run(&self, job: &str) -> Result<Option<Value>, String> {
        let subject = format!("$JS.API.DIRECT.GET.KV_runs.$KV.runs.{job}.all");
        let answer = self
            .client
            .request(subject, "".into())
            .await
            .map_err(|error| format!("run of {job}: {error}"))?;
        match answer.status.map(|status| status.as_u16()) {
            None => {
                let run: Value = serde_json::from_slice(&answer.payload)
                    .map_err(|error| format!("run of {job}: {error}"))?;
                Ok(Some(run["body"].clone()))
            }
            Some(404) => Ok(None),
            Some(status) => Err(format!("run of {job}: {status}")),
        }
    }

    /// The failures with which a job's run charges the job and its workers.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub async fn charges(&self, job: &str) -> Result<Charges, String> {
        let run = self.run(job).await?.unwrap_or_default();
        let number = |key: &str| run[key].as_u64().unwrap_or(0);
        let failures = run["failures"].as_array().cloned().unwrap_or_default();
        Ok(Charges {
            is_running: run["state"].get("running").is_some(),
            spent: number("attempt") - number("returned"),
            workers: failures
                .iter()
                .filter(|attempt| attempt["failure"]["fault"] == "worker")
                .count(),
        })
    }

    /// How a job ended; `None` if the job has not ended.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub async fn end(&self, job: &str) -> Result<Option<&'static str>, String> {
        Ok(self.run(job).await?.and_then(|run| end_of(&run)))
    }

    /// The message of the last failed attempt of a job; `None` if no attempt failed.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub async fn last_failure(&self, job: &str) -> Result<Option<String>, String> {
        let run = self.run(job).await?.unwrap_or_default();
        let last = run["failures"]
            .as_array()
            .and_then(|failures| failures.last());
        Ok(last.and_then(|last| Some(last["failure"]["message"].as_str()?.to_owned())))
    }

    /// Whether a job has ended.
    pub async fn has_ended(&self, job: &str) -> Result<bool, String> {
        let run = self.run(job).await?;
        Ok(run.is_some_and(|run| end_of(&run).is_some()))
    }

    /// Inspects everything, and returns the broken promises; an error if the broker does not answer.
    pub async fn inspect(
        &self,
        jobs: &[Acknowledged],
        place: &OutputPlace<'_>,
        scratch: &Path,
    ) -> Result<(Tally, Findings), String> {
        let mut findings = Findings::new();
        let mut tally = Tally::default();
        let ids: BTreeSet<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        let history = self.subjects("EVENTS").await?;
        let dead = self.subjects("DEAD").await?;
        let mut expected = BTreeMap::new();
        for job in jobs {
            let id = &job.id;
            let run = self.run(id).await?.unwrap_or_default();
            let Some(ended) = end_of(&run) else {
                let what = format!("{id} has not ended: {}", run["state"]);
                findings.push((Finding::Stranded, what));
                continue;
            };
            let letters: u64 = dead
                .iter()
                .filter(|(subject, _)| subject.ends_with(id))
                .map(|(_, count)| count)
                .sum();
            match ended {
                "completed" => {
                    tally.completed += 1;
                    expected.insert(job.output.as_str(), job.frames);
                }
                "failed" => {
                    tally.failed += 1;
                    if letters == 0 {
                        let what = format!("{id} failed and is no dead letter");
                        findings.push((Finding::Lost, what));
                    }
                }
                _ => {}
            }
            if letters > u64::from(ended == "failed") {
                let what = format!("{id} {ended} and is {letters} dead letters");
                findings.push((Finding::Doubled, what));
            }
            // The history may miss an entry if its writer was killed, but never holds a wrong one.
            let ends: Vec<(&str, u64)> = ENDS
                .into_iter()
                .filter_map(|kind| {
                    let count = *history.get(&format!("events.{id}.{kind}"))?;
                    Some((kind, count))
                })
                .collect();
            if !(ends.is_empty() || ends == [(ended, 1)]) {
                let what = format!("{id} {ended}, and its history says {ends:?}");
                findings.push((Finding::Doubled, what));
            }
        }
        for subject in self.subjects("KV_runs").await?.keys() {
            let id = subject.split('.').nth(2).unwrap_or_default();
            if !ids.contains(id) {
                findings.push((Finding::Doubled, format!("{subject} is nobody's")));
            }
        }
        for subject in self.subjects("JOBS").await?.keys() {
            findings.push((Finding::Stranded, format!("{subject} is in the queue")));
        }
        outputs(place, &expected, &mut findings).await;
        for file in outside::scratch_files(scratch) {
            let what = format!("{} is in scratch", file.display());
            findings.push((Finding::Stranded, what));
        }
        for process in outside::encodes_in(scratch) {
            findings.push((Finding::Stranded, format!("{process:?} runs")));
        }
        Ok((tally, findings))
    }

    /// Inspects until all promises hold, or until the time is over.
    pub async fn inspect_when_quiet(
        &self,
        patience: Duration,
        jobs: &[Acknowledged],
        place: &OutputPlace<'_>,
        scratch: &Path,
    ) -> (Tally, Findings) {
        let deadline = Instant::now() + patience;
        loop {
            // An inspection of every job slows a busy farm down, so it begins with the queue.
            let queued = self.queued().await;
            let is_over = Instant::now() >= deadline;
            if is_over || queued.is_ok_and(|queued| queued.is_empty()) {
                match self.inspect(jobs, place, scratch).await {
                    Ok((tally, findings)) if is_over || findings.is_empty() => {
                        return (tally, findings);
                    }
                    Err(error) if is_over => panic!("nothing to be seen: {error}"),
                    _ => {}
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until all promises hold; panics with the broken ones after the usual deadline.
    pub async fn settled(
        &self,
        jobs: &[Acknowledged],
        place: &OutputPlace<'_>,
        scratch: &Path,
    ) -> Tally {
        let (tally, findings) = self
            .inspect_when_quiet(poll::PATIENCE, jobs, place, scratch)
            .await;
        assert!(findings.is_empty(), "{findings:#?}");
        tally
    }
}

/// The state that ended a run.
fn end_of(run: &Value) -> Option<&'static str> {
    let state = &run["state"];
    ENDS.into_iter()
        .find(|end| state.get(end).is_some() || *state == **end)
}

/// Compares the output place with what the jobs should have made.
async fn outputs(place: &OutputPlace<'_>, expected: &BTreeMap<&str, u64>, findings: &mut Findings) {
    let found: Vec<String> = match place {
        OutputPlace::Folder(folder) => outside::names(folder)
            .iter()
            .map(|name| name.display().to_string())
            .collect(),
        OutputPlace::Bucket(store, prefix) => store
            .keys()
            .await
            .iter()
            .filter_map(|key| key.strip_prefix(prefix.as_str()).map(str::to_owned))
            .collect(),
    };
    for name in &found {
        if !expected.contains_key(name.as_str()) {
            findings.push((Finding::Stranded, format!("{name} is nobody's output")));
        }
    }
    // Counting frames takes time, so it is done only if the rest is well.
    if !findings.is_empty() {
        return;
    }
    for (name, frames) in expected {
        if !found.iter().any(|found| found == name) {
            findings.push((Finding::Lost, format!("{name} is missing")));
            continue;
        }
        let counted = match place {
            OutputPlace::Folder(folder) => Media::of(&folder.join(name)).frames(),
            OutputPlace::Bucket(store, prefix) => {
                let bytes = store.get(&format!("{prefix}{name}")).await;
                let copy = tempfile::NamedTempFile::new().expect("room for an output");
                std::fs::write(copy.path(), bytes.unwrap_or_default()).expect("room for an output");
                Media::of(copy.path()).frames()
            }
        };
        if counted != *frames {
            let what = format!("{name} has {counted} frames of {frames}");
            findings.push((Finding::Lost, what));
        }
    }
}
