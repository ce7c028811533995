//! What people install and run: the scripts, units and manifests of `deploy/`.

#![allow(clippy::unwrap_used)]

mod compose;
mod install;
mod manual;
mod services;
