//! The figures that benchmarks measure.

/// One line of the table.
pub(crate) struct Figure {
    /// The name of the figure.
    pub what: &'static str,
    /// The value, with its unit.
    pub measured: String,
    /// The target; empty for a figure without one.
    pub goal: String,
    /// Whether the target is reached.
    pub reached: Option<bool>,
}

impl Figure {
    /// A figure without a goal.
    pub(crate) fn informs(what: &'static str, measured: String) -> Self {
        Self {
            what,
            measured,
            goal: String::new(),
            reached: None,
        }
    }

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

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Jobs per second.
pub(crate) struct Rates {
    /// From the producer's first request to the broker's last answer.
    pub enqueue: f64,
    /// From the first claimed job to the last completed one.
    pub process: f64,
}
