//! The appearance of all pages, for eyes and for screen readers, and how they write times.

mod every_page;
mod layout;
mod times;
