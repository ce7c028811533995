//! `producer autoscale`: starts workers of a class while jobs wait for them, and ends idle ones.

mod hold;
mod steps;
mod template;

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;
use common::broker::{Broker, ScaleQuestion};
use common::farm::orders::Orders;
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::matching::scale::Class;
use common::matching::scale::autoscaler::{Autoscaler, AutoscalerLease, Decision, Rules};
use common::matching::scale::decide::{Seen, Step};
use common::names::printable::printable;
use common::names::token::Token;
use common::recipe::encoder::Encoder;
use common::say;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::hold::Hold;
use self::steps::{Failed, Steps};
use self::template::Template;
use crate::cli::args;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::{output, times};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Encoders of the workers: each stands for its own queue and for that of any encoder of its codec
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub encoder: Vec<Encoder>,
    /// Queues of the workers, exactly these, e.g. libx265,any_hevc,copy
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub queue: Vec<Queue>,
    /// Name of this autoscaler, with which its workers' names begin [default: the first encoder or queue]
    #[arg(long, value_name = "NAME")]
    pub name: Option<Token>,
    /// Workers to keep, whatever waits
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub min: u32,
    /// The most workers at once
    #[arg(long, value_name = "N")]
    pub max: u32,
    /// Jobs that each worker runs at once: its --max-jobs
    #[arg(long, value_name = "N", default_value_t = NonZeroU32::MIN)]
    pub jobs_per_worker: NonZeroU32,
    /// How long a worker must be idle before it is drained
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = args::duration)]
    pub cool_down: Duration,
    /// The most workers to start in a minute
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub up_per_minute: u32,
    /// The most workers to drain in a minute
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub down_per_minute: u32,
    /// Time between two looks at the farm
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = args::duration)]
    pub poll: Duration,
    /// How long a started worker may take to appear in the farm
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = args::duration)]
    pub start_within: Duration,
    /// Command that starts a worker of the name {name}; no shell runs it
    #[arg(long, value_name = "COMMAND")]
    pub start: String,
    /// Command that ends the drained worker {name}; may be left out if workers end when idle (--exit-when-idle)
    #[arg(long, value_name = "COMMAND")]
    pub stop: Option<String>,
    /// Have `sh` run both commands
    #[arg(long)]
    pub shell: bool,
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Print each decision as a line of JSON
    #[arg(long)]
    pub json: bool,
}

impl Options {
    fn queues(&self) -> Result<Vec<Queue>, Error> {
        let encoders = self.encoder.iter().flat_map(Class::queues_of);
        let queues: Vec<Queue> = encoders.chain(self.queue.iter().cloned()).collect();
        Class::of_queues(queues.iter().cloned()).map_err(|error| {
            Error::usage(format!("{error}: give --encoder NAME or --queue NAME"))
        })?;
        Ok(queues)
    }

    fn rules(&self) -> Result<Rules, Error> {
        if self.max < self.min.max(1) {
            return Err(Error::usage("--max must be at least 1, and at least --min"));
        }
        if self.up_per_minute == 0 || self.poll.is_zero() {
            return Err(Error::usage(
                "--up-per-minute and --poll must be more than 0",
            ));
        }
        Ok(Rules {
            min: self.min,
            max: self.max,
            jobs_per_worker: self.jobs_per_worker,
            up_per_minute: self.up_per_minute,
            down_per_minute: self.down_per_minute,
            cool_down: self.cool_down.as_secs(),
            start_within: self.start_within.as_secs(),
        })
    }

    fn template(&self, option: &str, line: &str) -> Result<Template, Error> {
        let template = Template::parse(line, self.shell);
        template.map_err(|why| Error::usage(format!("{option} '{line}': {why}")))
    }
}

/// # Errors
/// If the options make no sense, another process is this autoscaler, or the farm is out of reach at the start.
pub(crate) async fn run(
    options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let queues = options.queues()?;
    let rules = options.rules()?;
    let start = options.template("--start", &options.start)?;
    let stop = options.stop.as_deref();
    let stop = stop
        .map(|line| options.template("--stop", line))
        .transpose()?;
    let name = match (&options.name, queues.first()) {
        (Some(name), _) => name.clone(),
        (None, Some(queue)) => queue.token(),
        (None, None) => return Err(Error::usage("give --name")),
    };
    let broker = settings.connect().await?;
    let lease = AutoscalerLease {
        holder: Uuid::new_v4(),
        host: hold::host(),
        until: broker.now(),
    };
    let record = Autoscaler::new(name, queues, rules, lease);
    let farm = Farm {
        question: ScaleQuestion {
            queues: record.queues.clone(),
            prefix: record.prefix(),
            jobs_per_worker: record.rules.jobs_per_worker,
        },
        broker: broker.clone(),
    };
    if options.dry_run {
        return foresee(&farm, record, &options, shutdown).await;
    }
    let taking = Hold::take(&broker, record, hold::lease(options.poll));
    let hold = tokio::select! {
        hold = taking => hold?,
        () = shutdown.cancelled() => return Err(Error::interrupted("interrupted")),
    };
    let (steps, failed) = Steps::new(broker, start, stop);
    let mut scaler = Scaler {
        farm,
        hold,
        steps,
        failed,
        is_json: options.json,
    };
    let mut looks = looks(options.poll);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = looks.tick() => {}
        }
        match scaler.look().await {
            Ok(()) => {}
            // The broker may be restarting.
            Err(error) if error.exit() == Exit::OutOfReach => {
                say!("warning: {error}; looking again in {:?}", options.poll);
            }
            Err(error) => return Err(error),
        }
    }
    let left = scaler.hold.record().workers.len();
    scaler.hold.release().await?;
    say!("stopped; {left} workers go on, and the next autoscaler of this name looks after them");
    Ok(Exit::Done)
}

fn looks(poll: Duration) -> tokio::time::Interval {
    let mut looks = tokio::time::interval(poll);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

/// Says what would be done, and does nothing.
async fn foresee(
    farm: &Farm,
    record: Autoscaler,
    options: &Options,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let mut looks = looks(options.poll);
    let mut told: Option<Decision> = None;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(Exit::Done),
            _ = looks.tick() => {}
        }
        let stored = farm.broker.autoscaler(&record.name).await?.record;
        let mut before = record.clone();
        if let Some(stored) = stored {
            before.workers = stored.workers;
            before.untaken = stored.untaken;
        }
        let mut count = 0;
        let prefix = before.prefix();
        let mut name = || {
            count += 1;
            fresh(&prefix, count)
        };
        let (after, _) = farm.decide(&before, &mut name).await?;
        let Some(decision) = after.decisions.last().cloned() else {
            continue;
        };
        let is_news = told.as_ref().is_none_or(|told| {
            (&told.action, &told.reason) != (&decision.action, &decision.reason)
        });
        if is_news {
            print(&after, &decision, options.json)?;
        }
        told = Some(decision);
    }
}

/// The farm as an autoscaler sees it.
struct Farm {
    broker: Broker,
    question: ScaleQuestion,
}

impl Farm {
    /// Looks at the farm and decides. If nobody counts the jobs, the decision is to wait.
    async fn decide(
        &self,
        record: &Autoscaler,
        name: &mut (dyn FnMut() -> WorkerName + Send),
    ) -> Result<(Autoscaler, Vec<Step>), Error> {
        let scale = match self.broker.scale(&self.question).await {
            Ok(scale) => scale,
            Err(error) => {
                let mut next = record.clone();
                next.scale = None;
                next.note(Decision {
                    at: self.broker.now(),
                    action: "wait".to_owned(),
                    reason: printable(&error.to_string()),
                });
                return Ok((next, Vec::new()));
            }
        };
        let live = self.broker.live_workers().await?;
        let orders: Orders = self.broker.orders().await?;
        let seen = Seen {
            scale,
            workers: &live.workers,
            is_complete: live.is_complete,
            orders: &orders,
            now: self.broker.now(),
        };
        Ok(record.decide(&seen, name))
    }
}

/// An autoscaler at work.
struct Scaler {
    farm: Farm,
    hold: Hold,
    steps: Steps,
    failed: mpsc::UnboundedReceiver<Failed>,
    is_json: bool,
}

impl Scaler {
    /// Looks at the farm, and does what is to be done. What will be done is stored first, so that a process that takes
    /// over knows of it.
    async fn look(&mut self) -> Result<(), Error> {
        let mut record = self.hold.record().clone();
        let known = record.decisions.last().cloned();
        while let Ok((worker, why)) = self.failed.try_recv() {
            let is_starting = record
                .workers
                .get(&worker)
                .is_some_and(|worker| !worker.is_seen);
            if is_starting {
                record.start_failed(&worker, &why, self.farm.broker.now());
            } else {
                tracing::debug!(%worker, %why, "a worker has ended");
            }
        }
        let prefix = record.prefix();
        let mut name = || fresh(&prefix, Uuid::new_v4().as_fields().0);
        let (next, steps) = self.farm.decide(&record, &mut name).await?;
        // A drain that is taken back is none in the record any more. Otherwise it would count as a person's.
        for step in steps.iter().filter(|step| matches!(step, Step::Resume(_))) {
            self.steps.take(step).await?;
        }
        let first = known.and_then(|known| next.decisions.iter().position(|other| *other == known));
        let news: Vec<Decision> = match first {
            Some(first) => next.decisions[first + 1..].to_vec(),
            None => next.decisions.clone(),
        };
        self.hold.store(next).await?;
        for decision in &news {
            print(self.hold.record(), decision, self.is_json)?;
        }
        for step in steps.iter().filter(|step| !matches!(step, Step::Resume(_))) {
            if let Err(error) = self.steps.take(step).await {
                say!("warning: {error}; looking again");
            }
        }
        Ok(())
    }
}

/// A name that no worker has had.
fn fresh(prefix: &str, number: u32) -> WorkerName {
    WorkerName::from_host(&format!("{prefix}{number:08x}"))
}

fn print(record: &Autoscaler, decision: &Decision, is_json: bool) -> Result<(), Error> {
    if is_json {
        return output::print_json_line(decision);
    }
    let numbers = record.scale.map_or_else(String::new, |scale| {
        format!(
            " ({} startable, {} running, {} workers)",
            scale.startable, scale.running, scale.workers
        )
    });
    let at: Timestamp = decision.at;
    output::print(&printable(&format!(
        "{} {}: {}{numbers}",
        times::local(at),
        times::sentence(&decision.action),
        times::sentence(&decision.reason)
    )));
    Ok(())
}
