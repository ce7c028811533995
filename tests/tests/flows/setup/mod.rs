//! A farm made by `producer setup`, as somebody does who has nothing yet.

mod doctor;
mod first_steps;
mod made;
mod service;
mod signed;
mod store;
mod users;
