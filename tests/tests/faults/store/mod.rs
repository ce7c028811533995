//! A store, or a folder of outputs, that fails.

mod errors;
mod full_place;
mod outage;
mod outputs;
mod redirects;
