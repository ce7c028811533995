//! Subtitle tracks: which ones an output has, in which form, and which one is drawn into the picture.

pub mod burn_in;
mod choice;
pub(crate) mod encoding;
pub mod extract;
pub(crate) mod file;
pub(crate) mod foreign;
mod form;
mod purpose;

pub(crate) use burn_in::{Burnt, FONTS, TEXT};
pub(crate) use choice::choose;
pub(crate) use form::{form_for, is_text, text_of};
