//! Split jobs: their plans, their parts, and what follows from the end of a part.
//!
//! ```text
//! plans    the plan, and the state: which parts are done
//! parts    enqueueing the parts that are missing, and a second run of a slow chunk
//! settle   what follows once a part is completed or has failed: the join, the end of the job
//! ended    ending the parts that nobody needs any more
//! place    moving the parts along with their job
//! unsplit  giving up a split: the job is encoded as a whole
//! mend     sending messages again that a broker has lost
//! forget   removing all that is kept of a split
//! ```
//!
//! Each decision about a part is a compare-and-set of the part's run, each decision about the job one of the job's run,
//! and the state is written by compare-and-set as well. Everything here is read from the leader. What must happen
//! between these writes is done before a message is acknowledged, and can be repeated: if a program dies in between, the
//! message comes again.
//!
//! - *The last part is done before the job is written as split.* Whoever marks the last part sends the job's message. A
//!   worker that gets it while the planner still owns the job drops it. So the planner looks at the state after it has
//!   written the job as split: whichever of the two comes second sees the other.
//! - *A part ends because its job has ended, and a person retries the job meanwhile.* The next attempt at the job leaves
//!   a part alone that still runs or waits. So whoever ends a part looks at its job once more afterwards, and enqueues
//!   the part again if the job lives.
//! - *A part fails before the job is written as split.* The job cannot fail yet: its planner owns it. So the message of
//!   the part comes again until the job is split, or has ended.
//! - *A split is forgotten while a person retries its job.* An attempt that enqueues parts writes the state anew first,
//!   and the state is the first thing that is removed, by compare-and-set: one of the two fails.

mod ended;
mod forget;
mod mend;
mod parts;
mod place;
mod plans;
mod settle;
mod unsplit;

pub(crate) use settle::AfterParts;
