//! Which jobs a worker takes, where it reads and writes, and what it leaves behind.

mod asked;
mod places;
mod quality;
mod scratch;
mod terms;
