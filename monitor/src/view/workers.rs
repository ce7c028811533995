//! Workers: their heartbeats and capabilities.

use std::collections::{BTreeMap, HashSet};

use common::broker::HEARTBEAT;
use common::farm::card::{Capabilities, Proof, Verdict, bit_depth};
use common::farm::places::Places;
use common::farm::queue::Queue;
use common::farm::worker::{Away, Heartbeat, WorkerStatus};
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use common::names::location::Location;
use common::recipe::encoder::Encoder;
use jiff::{SignedDuration, Timestamp};

use crate::snapshot::attention::Attention;
use crate::snapshot::moment::Moment;
use crate::snapshot::workers::{AwayRow, CardRow, Cards, EncoderRow, Presence, WorkerRow};

/// A worker that has been silent for this long is lost: three heartbeats.
const SILENCE: SignedDuration = SignedDuration::from_secs(3 * HEARTBEAT.as_secs() as i64);
/// How long a lost worker is still shown.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(10);

/// All workers with a recent heartbeat.
#[derive(Default)]
pub(super) struct Workers {
    known: BTreeMap<WorkerName, Known>,
    /// Rises with every change of any worker's capabilities.
    pub(super) cards_revision: u64,
}

/// One worker, with what is derived from its capabilities. That is computed when the capabilities
/// change, not with every heartbeat.
struct Known {
    heartbeat: Heartbeat,
    seen: Timestamp,
    expired: bool,
    queues: HashSet<Queue>,
    card: CardRow,
}

impl Known {
    fn serves(&self, queue: &Queue) -> bool {
        let only = &self.heartbeat.terms.only;
        self.queues.contains(queue) && (only.is_empty() || only.contains(queue))
    }

    fn presence(&self, clock: Timestamp) -> Presence {
        if self.expired || clock.duration_since(self.seen) > SILENCE {
            Presence::Lost
        } else {
            match self.heartbeat.status {
                WorkerStatus::Ready => Presence::Ready,
                WorkerStatus::Draining => Presence::Draining,
                WorkerStatus::Drained => Presence::Drained,
                WorkerStatus::OffHours => Presence::OffHours,
                WorkerStatus::Quarantined => Presence::Quarantined,
            }
        }
    }
}

impl Workers {
    /// Takes a heartbeat.
    pub(super) fn heard(&mut self, heartbeat: Heartbeat, seen: Timestamp) {
        if let Some(known) = self.known.get_mut(&heartbeat.name) {
            known.seen = known.seen.max(seen);
            known.expired = false;
            let is_same = known.heartbeat.card == heartbeat.card
                && known.heartbeat.places == heartbeat.places;
            if is_same {
                known.heartbeat = heartbeat;
                return;
            }
        }
        self.cards_revision += 1;
        let known = Known {
            seen,
            expired: false,
            queues: heartbeat.card.queues(&heartbeat.name).into_iter().collect(),
            card: card_row(&heartbeat.card, &heartbeat.places),
            heartbeat,
        };
        self.known.insert(known.heartbeat.name.clone(), known);
    }

    /// Takes the removal of a heartbeat: it expired, or the worker removed it because it stopped in
    /// good order.
    pub(super) fn gone(&mut self, worker: &WorkerName, at: Timestamp) {
        let Some(known) = self.known.get_mut(worker) else {
            return;
        };
        // A worker that signs off has a fresh heartbeat; an expired heartbeat is old.
        if at.duration_since(known.seen) + SignedDuration::from_secs(2) >= SILENCE {
            known.expired = true;
        } else {
            self.known.remove(worker);
            self.cards_revision += 1;
        }
    }

    /// No heartbeat could be received until now: silence counts from here.
    pub(super) fn excuse_silence(&mut self, until: Timestamp) {
        for known in self.known.values_mut() {
            known.seen = known.seen.max(until);
        }
    }

    /// Forgets workers that have been lost for long.
    pub(super) fn forget(&mut self, clock: Timestamp) {
        let before = self.known.len();
        self.known
            .retain(|_, known| clock.duration_since(known.seen) < REMEMBERED);
        if self.known.len() != before {
            self.cards_revision += 1;
        }
    }

    /// The live workers.
    pub(super) fn live(&self, clock: Timestamp) -> impl Iterator<Item = &Heartbeat> {
        self.known
            .values()
            .filter(move |known| known.presence(clock) != Presence::Lost)
            .map(|known| &known.heartbeat)
    }

    /// The workers that serve a queue, or would if they took jobs.
    pub(super) fn serving<'a>(
        &'a self,
        queue: &'a Queue,
        clock: Timestamp,
    ) -> impl Iterator<Item = (&'a Heartbeat, Presence)> {
        self.known
            .values()
            .filter(|known| known.serves(queue))
            .map(move |known| (&known.heartbeat, known.presence(clock)))
    }

    /// Every encoder that a live worker has proved.
    pub(super) fn proved(&self, clock: Timestamp) -> impl Iterator<Item = &Encoder> {
        self.known
            .values()
            .filter(move |known| known.presence(clock) == Presence::Ready)
            .flat_map(|known| known.card.encoders.iter().map(|row| &row.name))
    }

    /// Whether heartbeats of this worker are missing.
    pub(super) fn is_lost(&self, worker: &WorkerName, clock: Timestamp) -> bool {
        self.known
            .get(worker)
            .is_none_or(|known| known.presence(clock) == Presence::Lost)
    }

    /// The running jobs of live workers, as their heartbeats say.
    pub(super) fn jobs(&self, clock: Timestamp) -> impl Iterator<Item = JobId> {
        self.live(clock)
            .flat_map(|heartbeat| heartbeat.running.iter().copied())
    }

    pub(super) fn rows(&self, clock: Timestamp) -> Vec<WorkerRow> {
        self.known
            .values()
            .map(|known| {
                let beat = &known.heartbeat;
                let status = known.presence(clock);
                WorkerRow {
                    name: beat.name.clone(),
                    status,
                    note: beat.note.clone(),
                    until: beat.until.map(Moment),
                    last_seen: (status == Presence::Lost).then_some(Moment(known.seen)),
                    started: Moment(beat.started),
                    slots: beat.slots,
                    running: beat.running.clone(),
                    cpu: share(f64::from(beat.load.cpu)),
                    memory: share(
                        beat.load.memory_used as f64 / beat.card.host.memory.max(1) as f64,
                    ),
                    scratch_free: beat.load.scratch_free,
                    away: beat.away.iter().map(away_row).collect(),
                    clock_ahead: beat.clock_ahead.round(),
                }
            })
            .collect()
    }

    /// Stores and folders that live workers cannot reach, each once.
    pub(super) fn places_away(&self, clock: Timestamp) -> Vec<Attention> {
        let mut places: BTreeMap<&Location, Vec<(&WorkerName, &Away)>> = BTreeMap::new();
        for heartbeat in self.live(clock) {
            for away in &heartbeat.away {
                let missing = places.entry(&away.place).or_default();
                missing.push((&heartbeat.name, away));
            }
        }
        let attention = |(place, missing): (&Location, Vec<(&WorkerName, &Away)>)| {
            let (worker, first) = missing.iter().min_by_key(|(_, away)| away.since)?;
            Some(Attention::PlaceAway {
                place: place.to_string(),
                workers: missing.len(),
                worker: (*worker).clone(),
                since: Moment(first.since),
                error: first.error.clone(),
            })
        };
        places.into_iter().filter_map(attention).collect()
    }

    /// Live workers whose clocks are far from the broker's.
    pub(super) fn clocks_off(&self, clock: Timestamp) -> impl Iterator<Item = Attention> {
        self.live(clock)
            .filter(|heartbeat| heartbeat.is_clock_off())
            .map(|heartbeat| Attention::ClockOff {
                worker: heartbeat.name.clone(),
                ahead: heartbeat.clock_ahead.round(),
            })
    }

    pub(super) fn cards(&self) -> Cards {
        self.known
            .iter()
            .map(|(name, known)| (name.clone(), known.card.clone()))
            .collect()
    }
}

/// A share in hundredths: finer changes are not worth sending.
fn share(value: f64) -> f32 {
    ((value.clamp(0.0, 1.0) * 100.0).round() / 100.0) as f32
}

fn away_row(away: &Away) -> AwayRow {
    AwayRow {
        place: away.place.to_string(),
        since: Moment(away.since),
        error: away.error.clone(),
    }
}

fn card_row(card: &Capabilities, places: &Places) -> CardRow {
    let named = |places: &[Location]| places.iter().map(ToString::to_string).collect();
    let mut encoders: Vec<EncoderRow> = card
        .proved()
        .map(|(encoder, proof)| encoder_row(encoder, proof))
        .collect();
    encoders.sort_by(|a, b| {
        b.kind
            .is_hardware()
            .cmp(&a.kind.is_hardware())
            .then(b.fps.total_cmp(&a.fps))
    });
    let refused = card
        .encoders
        .iter()
        .filter_map(|(encoder, verdict)| match verdict {
            Verdict::Refused { reason } => Some((encoder.clone(), reason.clone())),
            Verdict::Proved(_) => None,
        })
        .collect();
    CardRow {
        host: card.host.name.clone(),
        os: card.host.os.clone(),
        cpu: card.host.cpu.clone(),
        cores: card.host.cores,
        memory: card.host.memory,
        ffmpeg: card.ffmpeg.version.clone(),
        sandbox: card
            .sandbox
            .map_or_else(String::new, |level| level.to_string()),
        encoders,
        refused,
        audio: card.audio.clone(),
        filters: card.filters.clone(),
        muxers: card.muxers.clone(),
        roots: named(&places.roots),
        buckets: named(&places.buckets),
    }
}

fn encoder_row(encoder: &Encoder, proof: &Proof) -> EncoderRow {
    let mut depths: Vec<u8> = proof
        .pixel_formats
        .iter()
        .map(|format| bit_depth(format))
        .collect();
    depths.sort_unstable();
    depths.dedup();
    EncoderRow {
        name: encoder.clone(),
        codec: encoder.codec(),
        kind: proof.kind,
        fps: proof.fps,
        largest: proof.largest,
        depths,
        sessions: proof.sessions,
    }
}
