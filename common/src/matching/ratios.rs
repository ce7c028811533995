//! What encodes leave of their inputs: the one measure of it, for forecasts of jobs and of libraries.

use std::collections::BTreeMap;

/// How large outputs are beside their inputs, by the codec of the inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ratios(BTreeMap<String, Sizes>);

/// Sums of sizes over encodes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sizes {
    jobs: u64,
    inputs: u64,
    outputs: u64,
}

/// The share of the inputs' size that outputs have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SizeLeft {
    /// 0.4 if outputs have 40 % of the size of their inputs.
    pub share: f64,
    /// Number of jobs by which that is known.
    pub jobs: u64,
}

impl Sizes {
    fn add(&mut self, other: Self) {
        self.jobs = self.jobs.saturating_add(other.jobs);
        self.inputs = self.inputs.saturating_add(other.inputs);
        self.outputs = self.outputs.saturating_add(other.outputs);
    }
}

impl Ratios {
    /// Counts an encode of an input with this codec. An empty input tells nothing.
    pub fn add(&mut self, codec: &str, input: u64, output: u64) {
        if input == 0 {
            return;
        }
        let one = Sizes {
            jobs: 1,
            inputs: input,
            outputs: output,
        };
        self.sum(codec, one);
    }

    /// Counts all encodes of another measure, too.
    pub fn extend(&mut self, other: &Self) {
        for (codec, sizes) in &other.0 {
            self.sum(codec, *sizes);
        }
    }

    fn sum(&mut self, codec: &str, sizes: Sizes) {
        match self.0.get_mut(codec) {
            Some(sum) => sum.add(sizes),
            None => drop(self.0.insert(codec.to_owned(), sizes)),
        }
    }

    /// What is left of inputs of this codec; `None` if none was encoded.
    pub fn left(&self, codec: &str) -> Option<SizeLeft> {
        let sizes = self.0.get(codec)?;
        Some(SizeLeft {
            share: sizes.outputs as f64 / sizes.inputs as f64,
            jobs: sizes.jobs,
        })
    }
}
