//! Quality that is measured: samples of the film are encoded and compared with their source.
//!
//! ```text
//! samples      which parts of the film
//! scale        which qualities an encoder has
//! search       scores in, the next qualities to try out: pure
//! encode       one sample at one quality: cut, encoded, compared
//! team         the sample encodes of a round, shared by this worker and its helpers
//! helpers      which workers may help
//! helper       this worker as a helper of others
//! target       the whole search
//! floor        the samples of a finished output
//! ```

pub(crate) mod encode;
pub(crate) mod floor;
pub(crate) mod helper;
pub(crate) mod helpers;
pub(crate) mod samples;
mod scale;
mod search;
pub mod target;
mod team;
