//! Notifications: what happened in a farm, told to people and to other programs by hooks.
//!
//! An [`occurrence`] is what happened. A [`hook`] is where it is told: a web address or a mail server, as a person saved
//! it. A [`target`] is a hook's address, read; a [`template`] is the form of the request; a [`delivery`] is one
//! occurrence on its way to one hook, with the rules of retries. All of these are pure. [`send`] sends.

pub mod delivery;
pub mod event;
pub mod hook;
pub mod message;
pub mod occurrence;
pub mod secret;
#[cfg(feature = "notify")]
pub mod send;
pub mod target;
pub mod template;
