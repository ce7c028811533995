//! What people install and run: the scripts, units and manifests of `deploy/`.

#![allow(clippy::unwrap_used)]

mod install;
mod services;
