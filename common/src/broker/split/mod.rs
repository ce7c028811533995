//! Split jobs: their plans, their parts, and what follows from the end of a part.

mod plans;
