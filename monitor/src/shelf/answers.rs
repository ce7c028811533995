//! Files for which a condition holds. The shelf keeps too little of a file to tell, so the answers to the conditions
//! that were asked last are kept, and follow each change of a file.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::library::file::FileRecord;
use common::names::token::Token;
use common::rules::condition::Condition;
use jiff::Timestamp;
use uuid::Uuid;

/// How long an answer is kept: files grow older, and a condition may ask for their age.
const KEPT: Duration = Duration::from_secs(60);
/// The most answers that are kept; each takes some 20 bytes a file.
const MOST: usize = 4;

/// The files of one library for which one condition holds.
struct Answer {
    library: Token,
    condition: Condition,
    found: Instant,
    files: Arc<HashSet<Uuid>>,
}

/// The answers to the conditions that were asked last, the oldest first.
#[derive(Default)]
pub(super) struct Answers(Vec<Answer>);

/// Whether a condition holds for a file. It holds for none of which nothing is known.
fn holds(condition: &Condition, record: &FileRecord, now: Timestamp) -> bool {
    let facts = record.facts.as_ref();
    facts.is_some_and(|facts| condition.holds(facts, now))
}

impl Answers {
    /// The answer for a library, if it is known.
    pub(super) fn get(
        &mut self,
        library: &Token,
        condition: &Condition,
    ) -> Option<Arc<HashSet<Uuid>>> {
        self.0.retain(|answer| answer.found.elapsed() < KEPT);
        let mut answers = self.0.iter();
        let answer =
            answers.find(|answer| answer.library == *library && answer.condition == *condition)?;
        Some(Arc::clone(&answer.files))
    }

    /// Finds the answer in the records of all files of a library, each with what stands for its location.
    pub(super) fn find(
        &mut self,
        library: &Token,
        condition: &Condition,
        files: impl IntoIterator<Item = (Uuid, FileRecord)>,
        now: Timestamp,
    ) -> Arc<HashSet<Uuid>> {
        let files = files
            .into_iter()
            .filter(|(_, record)| holds(condition, record, now))
            .map(|(file, _)| file);
        let files: Arc<HashSet<Uuid>> = Arc::new(files.collect());
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(Answer {
            library: library.clone(),
            condition: condition.clone(),
            found: Instant::now(),
            files: Arc::clone(&files),
        });
        files
    }

    /// Takes the change of a file; `None` removes it.
    pub(super) fn change(
        &mut self,
        library: &Token,
        file: Uuid,
        record: Option<&FileRecord>,
        now: Timestamp,
    ) {
        for answer in self.0.iter_mut().filter(|one| one.library == *library) {
            let is_in = record.is_some_and(|record| holds(&answer.condition, record, now));
            // An answer that is being paged through is copied once.
            if is_in != answer.files.contains(&file) {
                let files = Arc::make_mut(&mut answer.files);
                match is_in {
                    true => files.insert(file),
                    false => files.remove(&file),
                };
            }
        }
    }

    /// Forgets all answers.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
