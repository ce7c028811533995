//! Telling files that are still being written from files that are complete.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use common::job::input::Input;
use common::names::location::Location;

/// Scans in which a file must be the same.
const LOOKS: u32 = 2;

/// Remembers the files of a folder from scan to scan.
pub(crate) struct StabilityTracker {
    settle: Duration,
    files: HashMap<Location, File>,
}

struct File {
    /// The file itself first, then the files that belong to it.
    inputs: Vec<Input>,
    since: Instant,
    looks: u32,
    is_done: bool,
}

impl StabilityTracker {
    /// A file has arrived once it has not changed for `settle`.
    pub(crate) fn new(settle: Duration) -> Self {
        Self {
            settle,
            files: HashMap::new(),
        }
    }

    /// Compares the files, each with those that belong to it, with the last scan. Returns the indices of those that have
    /// arrived and are not [done](StabilityTracker::done).
    pub(crate) fn look<'a, F>(
        &mut self,
        found: impl IntoIterator<Item = F>,
        now: Instant,
    ) -> Vec<usize>
    where
        F: IntoIterator<Item = &'a Input>,
    {
        let mut before = std::mem::take(&mut self.files);
        let mut arrived = Vec::new();
        for (index, inputs) in found.into_iter().enumerate() {
            let inputs: Vec<Input> = inputs.into_iter().cloned().collect();
            let Some(location) = inputs.first().map(|input| input.location.clone()) else {
                continue;
            };
            let file = match before.remove(&location) {
                Some(file) if file.inputs == inputs => File {
                    looks: file.looks.saturating_add(1),
                    ..file
                },
                _ => File {
                    inputs,
                    since: now,
                    looks: 1,
                    is_done: false,
                },
            };
            let is_settled =
                file.looks >= LOOKS && now.saturating_duration_since(file.since) >= self.settle;
            if is_settled && !file.is_done {
                arrived.push(index);
            }
            self.files.insert(location, file);
        }
        arrived
    }

    /// The file is not returned again, unless it changes.
    pub(crate) fn done(&mut self, location: &Location) {
        if let Some(file) = self.files.get_mut(location) {
            file.is_done = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str, size: u64) -> Input {
        Input {
            location: Location::s3("media", name).expect("a location"),
            size,
            version: size.to_string(),
        }
    }

    #[test]
    fn a_file_arrives_once_it_has_stayed_the_same() {
        let mut tracker = StabilityTracker::new(Duration::from_secs(10));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut look = |size, seconds| tracker.look([[&input("a", size)]], at(seconds));
        assert!(look(1, 0).is_empty());
        assert!(look(2, 20).is_empty(), "it grew");
        assert!(look(2, 25).is_empty(), "not for long enough");
        assert_eq!(look(2, 30), [0]);
        assert_eq!(look(2, 35), [0], "until it is done");
        tracker.done(&input("a", 2).location);
        let mut look = |size, seconds| tracker.look([[&input("a", size)]], at(seconds));
        assert!(look(2, 40).is_empty());
        assert!(look(3, 45).is_empty(), "another version");
        assert_eq!(look(3, 55), [0]);
    }

    #[test]
    fn a_film_waits_for_the_subtitles_beside_it() {
        let mut tracker = StabilityTracker::new(Duration::from_secs(10));
        let start = Instant::now();
        let mut look = |size, seconds| {
            let files = [&input("film.mkv", 9), &input("film.srt", size)];
            tracker.look([files], start + Duration::from_secs(seconds))
        };
        assert!(look(1, 0).is_empty());
        assert!(look(2, 20).is_empty(), "the subtitles grew");
        assert_eq!(look(2, 30), [0]);
    }

    #[test]
    fn one_look_is_never_enough_and_what_went_is_forgotten() {
        let mut tracker = StabilityTracker::new(Duration::ZERO);
        let now = Instant::now();
        assert!(tracker.look([[&input("a", 1)]], now).is_empty());
        assert!(tracker.look([[]; 0], now).is_empty());
        assert!(tracker.look([[&input("a", 1)]], now).is_empty());
        assert_eq!(tracker.look([[&input("b", 1)], [&input("a", 1)]], now), [1]);
    }
}
