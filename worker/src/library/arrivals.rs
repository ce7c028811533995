//! Telling files that are still being written from files that are complete.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use common::job::input::Input;
use common::names::location::Location;

/// Scans in which a file must be the same.
const LOOKS: u32 = 2;

/// The new and changed files of a library, from scan to scan.
#[derive(Default)]
pub(super) struct Arrivals {
    before: HashMap<Location, File>,
    now: HashMap<Location, File>,
}

struct File {
    input: Input,
    since: Instant,
    looks: u32,
}

impl Arrivals {
    /// Begins a scan: files that it does not see are forgotten at its end.
    pub(super) fn begin(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    /// Whether a new or changed file has stayed as it is for `settle`, over two scans at least.
    pub(super) fn has_settled(&mut self, input: &Input, settle: Duration, at: Instant) -> bool {
        let file = match self.before.remove(&input.location) {
            Some(file) if file.input == *input => File {
                looks: file.looks.saturating_add(1),
                ..file
            },
            _ => File {
                input: input.clone(),
                since: at,
                looks: 1,
            },
        };
        let settled = file.looks >= LOOKS && at.saturating_duration_since(file.since) >= settle;
        self.now.insert(input.location.clone(), file);
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(size: u64) -> Input {
        Input {
            location: "file:///in/a.mkv".parse().expect("a location"),
            size,
            version: "1".to_owned(),
        }
    }

    #[test]
    fn a_file_settles_once_it_stays_as_it_is() {
        let settle = Duration::from_secs(10);
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut arrivals = Arrivals::default();
        for (seconds, size, settled) in [
            (0, 1, false),
            (9, 1, false),
            (10, 2, false),
            (19, 2, false),
            (20, 2, true),
            (21, 2, true),
            (22, 3, false),
        ] {
            arrivals.begin();
            let found = arrivals.has_settled(&input(size), settle, at(seconds));
            assert_eq!(found, settled, "after {seconds} s");
        }
        arrivals.begin();
        arrivals.begin();
        let again = arrivals.has_settled(&input(3), Duration::ZERO, at(60));
        assert!(!again, "a file that was away is new");
    }
}
