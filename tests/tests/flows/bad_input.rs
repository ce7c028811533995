//! What people get wrong: each gives a clear message and the right exit code,
//! leaves the source as it is, and leaves no half an output.
