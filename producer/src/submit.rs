//! Handing jobs in: each once, and none that would replace what is there.

use std::path::Path;

use common::broker::{Broker, Holder, Outcome};
use common::id::JobId;
use common::job::{Hops, Job};
use common::location::Location;
use common::queue::{Lane, Priority, Queue};
use common::recipe::Recipe;
use common::run::{Run, State};
use common::store::Stores;
use common::worker::WorkerName;
use uuid::Uuid;

use crate::exit::Error;
use crate::present::Present;
use crate::sources::Source;

/// On what terms jobs are handed in.
#[derive(Clone, Debug)]
pub struct Terms {
    /// How to encode.
    pub recipe: Recipe,
    /// Further queues that are opened to jobs that wait too long.
    pub hops: Option<Hops>,
    /// The only worker that may run them, where one is named.
    pub worker: Option<WorkerName>,
    /// How urgently.
    pub priority: Priority,
    /// How often each job may be tried.
    pub attempts: u32,
    /// Whether what is done already is done anew.
    pub again: bool,
    /// Whether files that are there already are replaced.
    pub overwrite: bool,
    /// Which jobs that are over get a new one in their place.
    pub renew: Renew,
}

/// Which jobs that are over get a new one in their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renew {
    /// None.
    Never,
    /// Those that are done, but whose output is gone.
    Gone,
    /// These, and those that failed or were cancelled.
    Ended,
}

impl Terms {
    /// Where such jobs wait.
    pub fn lane(&self) -> Lane {
        Lane {
            priority: self.priority,
            queue: match &self.worker {
                Some(worker) => Queue::On(worker.clone()),
                None => self.recipe.queue(),
            },
        }
    }
}

/// One source on its way to its output, with where it stands.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The source's path below the folder that was given, for people.
    pub name: String,
    /// The job.
    pub job: Job,
    /// Where it stands.
    pub standing: Standing,
    /// Whether it was done before, and its output is gone.
    pub is_gone: bool,
}

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Handed in just now.
    Added,
    /// It was waiting already.
    Pending,
    /// It was taken before: under way, or ended.
    Run(Box<Run>),
    /// Not handed in: a file that this job did not make is at its output.
    Occupied,
    /// Not handed in: another job is about to make its output.
    OutputTaken(Holder),
}

impl Entry {
    /// Whether something is still to happen.
    pub fn is_open(&self) -> bool {
        match &self.standing {
            Standing::Added | Standing::Pending => true,
            Standing::Run(run) => !run.state.is_terminal(),
            Standing::Occupied | Standing::OutputTaken(_) => false,
        }
    }
}

/// Hands in what is missing, as a batch that is known by `label`. Running it
/// again with the same sources and terms finds the same jobs.
///
/// # Errors
/// Where the broker or the store gives no answer.
pub async fn submit(
    broker: &Broker,
    stores: &Stores,
    sources: Vec<(Source, Location)>,
    folder: &Location,
    terms: &Terms,
    label: &str,
) -> Result<Vec<Entry>, Error> {
    let mut hand_in = broker.hand_in(label);
    let batch = hand_in.batch();
    let now = broker.now();
    let lane = terms.lane();
    let present = Present::look(stores, folder, &sources).await?;
    let again = terms.again.then(Uuid::now_v7);
    let mut entries: Vec<Entry> = sources
        .into_iter()
        .map(|(source, output)| {
            let recipe = terms.recipe.clone();
            let mut job = Job::new(batch, source.input, output, recipe, again);
            job.enqueued = now;
            job.attempts = terms.attempts;
            job.hops.clone_from(&terms.hops);
            job.replace = terms.overwrite || terms.again;
            Entry {
                name: as_text(&source.name),
                job,
                standing: Standing::Added,
                is_gone: false,
            }
        })
        .collect();
    let first: Vec<JobId> = entries.iter().map(|entry| entry.job.id).collect();

    let mut turn: Vec<usize> = (0..entries.len()).collect();
    for generation in 1_u32.. {
        let mut wanted = Vec::new();
        for index in turn {
            let entry = &mut entries[index];
            let is_occupied = present.size(&entry.job.output).is_some()
                && !(terms.overwrite || terms.again)
                && broker.job(&entry.job.id).await?.is_none();
            if is_occupied {
                entry.standing = Standing::Occupied;
            } else {
                wanted.push(index);
            }
        }
        let jobs: Vec<(Job, Lane)> = wanted
            .iter()
            .map(|index| (entries[*index].job.clone(), lane.clone()))
            .collect();
        let outcomes = hand_in.enqueue(&jobs).await?;
        turn = Vec::new();
        for (index, (_, outcome)) in wanted.into_iter().zip(outcomes) {
            let entry = &mut entries[index];
            entry.standing = match outcome {
                Outcome::Added => Standing::Added,
                Outcome::AlreadyPending => Standing::Pending,
                Outcome::Known(run) => Standing::Run(run),
                Outcome::OutputTaken(holder) => Standing::OutputTaken(holder),
            };
            let Standing::Run(run) = &entry.standing else {
                continue;
            };
            let size = present.size(&entry.job.output);
            let is_done = matches!(run.state, State::Completed { .. });
            entry.is_gone = is_done && size.is_none();
            let is_over = match &run.state {
                State::Completed { report } => size != Some(report.output_size),
                State::Failed { .. } | State::Cancelled => true,
                State::Running { .. } | State::Queued { .. } | State::Waiting { .. } => false,
            };
            let renews = match terms.renew {
                Renew::Never => false,
                Renew::Gone => entry.is_gone,
                Renew::Ended => is_over,
            };
            if renews {
                entry.is_gone = false;
                entry.job = renewed(&entry.job, &first[index], generation);
                turn.push(index);
            }
        }
        if turn.is_empty() {
            break;
        }
    }
    hand_in.close().await?;
    Ok(entries)
}

/// The job that stands in for one that is over. Its id follows from the first
/// one's, so that the next command finds it.
fn renewed(job: &Job, first: &JobId, generation: u32) -> Job {
    let salt = Uuid::new_v5(
        &Uuid::NAMESPACE_OID,
        format!("{first} renewed {generation}").as_bytes(),
    );
    Job {
        id: JobId::of(&job.input, &job.recipe, &job.output, Some(salt)),
        ..job.clone()
    }
}

fn as_text(name: &Path) -> String {
    name.to_string_lossy().into_owned()
}
