//! Old and new programs on one farm, as during an upgrade, and during a step back. The old ones are those of the commit
//! that `tests/upgrade` names; `make upgrade` builds them and runs these tests.

#![allow(clippy::unwrap_used)]

mod builds;
mod mixed;
mod rights;
mod rolling;
