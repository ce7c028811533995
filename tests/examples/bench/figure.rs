//! What benchmarks find out.

/// One line of the table.
pub(crate) struct Figure {
    /// What was measured.
    pub what: &'static str,
    /// What came out, with its unit.
    pub measured: String,
    /// What is to be reached; empty where it only informs.
    pub goal: String,
    /// Whether it is.
    pub reached: Option<bool>,
}

impl Figure {
    pub(crate) fn row(&self) -> String {
        let reached = match self.reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        format!(
            "| {} | {} | {} | {reached} |",
            self.what, self.measured, self.goal
        )
    }
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Jobs per second.
pub(crate) struct Rates {
    /// From the producer's first to the broker's last answer.
    pub enqueue: f64,
    /// From the first job taken to the last finished.
    pub process: f64,
}
