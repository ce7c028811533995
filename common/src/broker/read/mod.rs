//! Reading jobs, lanes and history without disturbing the farm.

pub(super) mod history;
pub(super) mod inspect;
mod jobs;
pub(super) mod log;
mod parts;
pub(super) mod position;
pub(super) mod why;
