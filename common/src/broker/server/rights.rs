//! What each role may say to the broker, and hear from it: least rights that work.
//!
//! NATS sees subjects, not what messages hold. So a worker, which sends on parts of split jobs, jobs of libraries and
//! jobs that move, may publish any job; who may cancel a job may write any run; and who may read a stream by filter
//! (the lanes of a work queue are looked at that way) reads all of it.

use crate::farm::queue::Priority;
use crate::names::subject;
use crate::names::token::Token;

/// Subjects that a user may publish to and subscribe to.
pub(super) struct Rights {
    pub publish: Vec<String>,
    /// Subjects among these that the user may not publish to.
    pub never_publish: Vec<String>,
    pub subscribe: Vec<String>,
    /// Subjects among these that the user may not subscribe to.
    pub never_subscribe: Vec<String>,
    /// Whether the user answers requests.
    pub answers: bool,
}

/// The most other workers whose pinned jobs are kept from a worker by name: each costs the broker twenty-two subjects
/// for each worker.
const MOST_NAMED: usize = 100;

/// Hooks hold secrets.
const HOOKS: [&str; 3] = [
    "$JS.API.DIRECT.GET.KV_hooks",
    "$JS.API.DIRECT.GET.KV_hooks.>",
    "$JS.API.STREAM.MSG.GET.KV_hooks",
];

/// Reading jobs, lanes and every bucket.
const READING: [&str; 6] = [
    "$JS.API.CONSUMER.NAMES.JOBS",
    "$JS.API.CONSUMER.INFO.JOBS.*",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.DIRECT.GET.>",
    "$JS.API.STREAM.MSG.GET.*",
];

/// Making a lane, which has one filter.
const MAKING_LANES: &str = "$JS.API.CONSUMER.CREATE.JOBS.*.jobs.*.*.*.*";

/// Removing dead letters of retried jobs, and messages of cancelled and moved ones.
const REMOVING: [&str; 2] = [
    "$JS.API.STREAM.MSG.DELETE.JOBS",
    "$JS.API.STREAM.PURGE.DEAD",
];

/// What both a producer and a monitor change: jobs, orders, presets, libraries, hooks.
const ORDERING: [&str; 16] = [
    "jobs.*.*.*.*",
    "later.*.*",
    "events.*.*",
    "control.job.*",
    "peek.*",
    "lift.*",
    "trash.*",
    "$KV.runs.>",
    "$KV.plans.*",
    "$KV.outputs.>",
    "$KV.batches.>",
    "$KV.control.>",
    "$KV.settings.>",
    "$KV.libraries.>",
    "$KV.hooks.*",
    "$JS.API.STREAM.PURGE.KV_files",
];

/// What whoever looks on hears: progress, logs, and changes of orders.
const FOLLOWING: [&str; 3] = ["progress.*", "logs.*", subject::ORDERS];

impl Rights {
    fn new(user: &Token, publish: &[&[&str]], subscribe: &[&str]) -> Self {
        let texts = |subjects: &[&str]| subjects.iter().map(ToString::to_string).collect();
        let mut rights = Self {
            publish: texts(&publish.concat()),
            never_publish: Vec::new(),
            subscribe: texts(subscribe),
            never_subscribe: Vec::new(),
            answers: false,
        };
        rights
            .subscribe
            .insert(0, format!("{}.>", subject::inbox(user)));
        rights
    }

    /// Runs jobs: claims, leases, completes, fails, retries and parks them, answers previews, obeys orders. `name` is
    /// the only worker that the user may be; without one, it may be any.
    pub(super) fn of_worker(user: &Token, name: Option<&Token>, others: &[&Token]) -> Self {
        let publish: [&[&str]; 4] = [
            &[
                // jobs, their history, their live progress and logs
                "jobs.*.*.*.*",
                "later.*.*",
                "dead.*.*",
                "events.*.*",
                "progress.*",
                "logs.*",
                "wake.*",
                "owner.*",
                "control.job.*",
                // sample encodes by other workers
                "sample.*",
                // runs, and orders about batches
                "$KV.runs.>",
                "$KV.control.batch.*",
                // split jobs: their plans
                "$KV.plans.>",
                // libraries: scan leases, what is known of files, and their jobs with the claims of outputs
                "$KV.libraries.*.scan",
                "$KV.files.>",
                "$KV.outputs.>",
                "$KV.batches.>",
                // lanes
                MAKING_LANES,
                "$JS.API.CONSUMER.DELETE.JOBS.*",
                "$JS.API.CONSUMER.MSG.NEXT.JOBS.*",
                "$JS.ACK.JOBS.*.>",
                "$JS.ACK.*.*.JOBS.*.>",
                // making the bucket of heartbeats again after a restart of the broker
                "$JS.API.STREAM.CREATE.KV_workers",
            ],
            &READING,
            &REMOVING,
            &[],
        ];
        let subscribe = [
            "wake.*",
            subject::ORDERS,
            subject::LIBRARY_NOTICES,
            "control.job.*",
            subject::LANES_MADE,
        ];
        let mut rights = Self::new(user, &publish, &subscribe);
        rights.answers = true;
        let own = name.map_or("*", Token::as_str);
        rights.publish.push(subject::kv(subject::WORKERS, own));
        for about in ["owner", "lift", "peek", "sample", "trash"] {
            rights.subscribe.push(format!("{about}.{own}"));
        }
        rights.never_publish.extend(HOOKS.map(str::to_owned));
        if others.len() <= MOST_NAMED {
            for other in others {
                rights.keep_pins_of(other);
            }
        }
        rights
    }

    /// Keeps the jobs that are assigned to another worker from this one: their lanes can neither be taken from, nor
    /// removed, nor made under another name.
    fn keep_pins_of(&mut self, other: &Token) {
        let verbs = ["MSG.NEXT", "DELETE"];
        for priority in Priority::descending() {
            let lane = format!("on_{other}_p{priority}");
            let refused = verbs.map(|verb| format!("$JS.API.CONSUMER.{verb}.JOBS.{lane}"));
            self.never_publish.extend(refused);
        }
        let lane = format!("$JS.API.CONSUMER.CREATE.JOBS.*.jobs.on_{other}.>");
        self.never_publish.push(lane);
        self.never_subscribe.push(format!("wake.on_{other}"));
    }

    /// Submits jobs and changes them: cancel, retry, move, pause, presets, hooks, orders to workers.
    pub(super) fn of_producer(user: &Token) -> Self {
        let own: &[&str] = &[
            MAKING_LANES,
            "$JS.API.CONSUMER.LIST.JOBS",
            "$KV.notifications.health.*",
            // following jobs to their end (`--wait`)
            "$JS.API.CONSUMER.CREATE.KV_runs",
            "$JS.API.CONSUMER.CREATE.KV_runs.>",
            "$JS.API.CONSUMER.INFO.KV_runs.*",
            "$JS.API.CONSUMER.DELETE.KV_runs.*",
            "$JS.FC.>",
            // autoscalers: their records, and the question how many workers are needed
            "$KV.autoscalers.*",
            "scale",
        ];
        Self::new(user, &[&ORDERING, &READING, &REMOVING, own], &FOLLOWING)
    }

    /// Shows the farm, does on its page what a producer does, and sets how long history is kept.
    pub(super) fn of_monitor(user: &Token) -> Self {
        let own: &[&str] = &[
            MAKING_LANES,
            "$JS.API.CONSUMER.LIST.JOBS",
            "$JS.API.STREAM.LIST",
            "$KV.notifications.>",
            "$JS.API.STREAM.UPDATE.EVENTS",
            "$JS.API.STREAM.UPDATE.KV_batches",
        ];
        let mut rights = Self::new(user, &[&ORDERING, &READING, &REMOVING, own], &FOLLOWING);
        rights.subscribe.push(subject::HOOKS_CHANGED.to_owned());
        // the questions of autoscalers
        rights.subscribe.push("scale".to_owned());
        rights.answers = true;
        rights
    }

    /// Reads everything and writes nothing: the producer's commands that list and show, or a monitor whose page may
    /// change nothing.
    pub(super) fn of_reader(user: &Token) -> Self {
        let own: &[&str] = &[
            "peek.*",
            "$JS.API.CONSUMER.LIST.JOBS",
            "$JS.API.STREAM.LIST",
        ];
        let mut rights = Self::new(user, &[&READING, own], &FOLLOWING);
        rights.never_publish.extend(HOOKS.map(str::to_owned));
        rights
    }
}
