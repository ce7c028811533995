//! The index of a film: when its frames are shown, and from which of them a decode can begin.

/// The frames of a film. Times are in units of `time_base`, as the file has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The unit of times, in seconds: numerator and denominator.
    pub time_base: (u32, u32),
    /// When each frame is shown, in order.
    pub times: Vec<i64>,
    /// When the frames from which a decode can begin would be shown, in order. An edit list may hide the first of them.
    pub keys: Vec<i64>,
    /// When the last frame ends.
    pub end: i64,
}

impl Index {
    /// The length of the film in seconds.
    pub fn seconds(&self) -> f64 {
        let first = self.times.first().copied().unwrap_or(self.end);
        self.to_seconds(self.end - first)
    }

    /// The mean distance between keyframes, in seconds.
    pub fn key_interval(&self) -> f64 {
        self.seconds() / self.keys.len().max(1) as f64
    }

    /// A stretch of time in seconds.
    pub fn to_seconds(&self, units: i64) -> f64 {
        let (numerator, denominator) = self.time_base;
        units as f64 * f64::from(numerator) / f64::from(denominator)
    }

    /// A stretch of time in the index's units.
    pub fn to_units(&self, seconds: f64) -> i64 {
        let (numerator, denominator) = self.time_base;
        (seconds * f64::from(denominator) / f64::from(numerator)).round() as i64
    }
}
