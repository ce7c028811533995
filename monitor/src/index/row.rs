//! One job in the index.

use common::job::failure::Fault;
use common::job::id::JobId;
use common::job::state::JobState;

use super::text::Text;

/// Rows of one block, the unit in which memory grows.
const BLOCK: usize = 1 << 14;

/// The states by which jobs are listed and counted. A paused job is listed as pending: its batch says that it is paused.
pub const LISTED: [JobState; 7] = [
    JobState::Pending,
    JobState::Running,
    JobState::Waiting,
    JobState::Completed,
    JobState::Kept,
    JobState::Failed,
    JobState::Cancelled,
];

/// One job. Numbers stand for values that the index keeps once for all jobs.
pub(super) struct Row {
    pub(super) id: JobId,
    /// Milliseconds since the epoch.
    pub(super) enqueued: i64,
    /// Milliseconds since the epoch.
    pub(super) changed: i64,
    /// Bytes of the input.
    pub(super) size: u64,
    pub(super) outcome: Option<Box<Outcome>>,
    pub(super) name: Text,
    pub(super) folder: u32,
    pub(super) batch: u32,
    pub(super) worker: u32,
    /// The queue that the job waits in or was claimed from.
    pub(super) queue: u32,
    /// The queue of the job's recipe.
    pub(super) home: u32,
    pub(super) priority: u8,
    pub(super) state: JobState,
    /// Attempts beyond the first.
    pub(super) retries: u8,
}

impl Row {
    /// Whether the job was a check that has found damage.
    pub(super) fn is_damaged(&self) -> bool {
        let outcome = self.outcome.as_deref();
        matches!(outcome, Some(Outcome::Checked { is_damaged: true }))
    }

    /// Whether the job put a file in its place.
    pub(super) fn has_written(&self) -> bool {
        let outcome = self.outcome.as_deref();
        matches!(outcome, Some(Outcome::Done { .. } | Outcome::Copied))
    }
}

/// How the job ended, or how the last attempt failed.
pub(super) enum Outcome {
    /// The output is in place.
    Done {
        encoder: u32,
        output_size: u64,
        frames: u64,
        length: f32,
        encode_seconds: f32,
        total_seconds: f32,
    },
    /// The input was checked, and nothing was written.
    Checked { is_damaged: bool },
    /// The original was kept, and copied to the place of the output.
    Copied,
    /// The last attempt failed.
    Broken { fault: Fault, reason: u32 },
}

/// Rows in blocks; a row keeps its slot.
#[derive(Default)]
pub(super) struct Slots {
    blocks: Vec<Vec<Option<Row>>>,
    free: Vec<u32>,
}

impl Slots {
    pub(super) fn add(&mut self, row: Row) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.replace(slot, row);
            return slot;
        }
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        let nth = self.blocks.len() - 1;
        let block = &mut self.blocks[nth];
        block.push(Some(row));
        u32::try_from(nth * BLOCK + block.len() - 1).expect("fewer jobs than 2^32")
    }

    pub(super) fn replace(&mut self, slot: u32, row: Row) -> Option<Row> {
        self.blocks[slot as usize / BLOCK][slot as usize % BLOCK].replace(row)
    }

    pub(super) fn take(&mut self, slot: u32) -> Option<Row> {
        self.free.push(slot);
        self.blocks[slot as usize / BLOCK][slot as usize % BLOCK].take()
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Row> {
        self.blocks[slot as usize / BLOCK][slot as usize % BLOCK].as_ref()
    }

    pub(super) fn is(&self, slot: u32, job: &JobId) -> bool {
        self.get(slot).is_some_and(|row| row.id == *job)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Row)> {
        (0..)
            .zip(self.blocks.iter().flatten())
            .filter_map(|(slot, row)| Some((slot, row.as_ref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Row> {
        self.blocks.iter_mut().flatten().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::Row;

    #[test]
    fn a_million_rows_stay_small() {
        assert!(
            size_of::<Option<Row>>() <= 88,
            "{}",
            size_of::<Option<Row>>()
        );
    }
}
