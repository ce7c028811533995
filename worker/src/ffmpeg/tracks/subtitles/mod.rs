//! Subtitle tracks: which ones an output has, in which form, and which one is drawn into the picture.

mod choice;
mod form;
mod purpose;

pub(crate) use choice::choose;
pub(crate) use form::{form_for, text_of};
