//! monitor
fn main() {}
