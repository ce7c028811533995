//! What all pages look like, to eyes and to screen readers, and how they write times.

mod every_page;
mod layout;
mod times;
