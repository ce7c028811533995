//! Samples of what autoscalers store, ask and are told.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use jiff::Timestamp;
use uuid::Uuid;

use crate::broker::ScaleQuestion;
use crate::farm::queue::Queue;
use crate::matching::scale::autoscaler::{Autoscaler, AutoscalerLease, Decision, Rules, Started};
use crate::matching::scale::{Scale, Untaken};
use crate::wire;

/// Every sample, with the name of its file.
pub(super) fn written() -> [(&'static str, bytes::Bytes); 5] {
    [
        ("autoscaler", wire::encode(&new())),
        ("autoscaler-busy", wire::encode(&busy())),
        ("autoscaler-untaken", wire::encode(&untaken())),
        ("scaling", wire::encode(&question())),
        ("scale", wire::encode(&scale())),
    ]
}

fn queues() -> Vec<Queue> {
    ["libx265", "any_hevc", "copy"]
        .map(|name| name.parse().expect("a queue"))
        .to_vec()
}

fn jobs_per_worker() -> NonZeroU32 {
    NonZeroU32::new(2).expect("not 0")
}

/// The numbers of a class.
fn scale() -> Scale {
    Scale {
        startable: 3,
        covered: 1,
        running: 4,
        workers: 3,
        wanted: 4,
    }
}

/// The question for them.
fn question() -> ScaleQuestion {
    ScaleQuestion {
        queues: queues(),
        prefix: "cpu-".to_owned(),
        jobs_per_worker: jobs_per_worker(),
    }
}

/// An autoscaler that has done nothing yet.
fn new() -> Autoscaler {
    let rules = Rules {
        min: 0,
        max: 8,
        jobs_per_worker: jobs_per_worker(),
        up_per_minute: 10,
        down_per_minute: 10,
        cool_down: 120,
        start_within: 300,
    };
    let lease = AutoscalerLease {
        holder: Uuid::from_u128(7),
        host: "atelier".to_owned(),
        until: Timestamp::UNIX_EPOCH,
    };
    Autoscaler::new("cpu".parse().expect("a name"), queues(), rules, lease)
}

/// One in the middle of its work.
fn busy() -> Autoscaler {
    let at = Timestamp::UNIX_EPOCH;
    let started = Started {
        is_seen: true,
        idle_since: Some(at),
        drained: Some(at),
        stopped: Some(at),
        lost: Some(at),
        ..Started::new(at)
    };
    let worker = |name: &str| name.parse().expect("a name");
    Autoscaler {
        scale: Some(scale()),
        workers: BTreeMap::from([
            (worker("cpu-1f"), started),
            (worker("cpu-2a"), Started::new(at)),
        ]),
        ups: vec![at],
        downs: vec![at],
        failures: 1,
        retry_at: Some(at),
        decisions: vec![Decision {
            at,
            action: "start cpu-2a".to_owned(),
            reason: "3 jobs could start on new workers".to_owned(),
        }],
        ..new()
    }
}

/// One whose workers leave jobs lying.
fn untaken() -> Autoscaler {
    let at = Timestamp::UNIX_EPOCH;
    Autoscaler {
        untaken: Untaken {
            jobs: 3,
            times: 2,
            retry_at: Some(at),
            lying: 10,
            seen: Some(at),
        },
        ..new()
    }
}
