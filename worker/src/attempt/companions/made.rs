//! A companion that was made.

use common::job::companion::Suffix;

use crate::attempt::tool_output::ToolOutput;

/// A file beside an output, before it is published.
pub struct Made {
    pub suffix: Suffix,
    pub file: ToolOutput,
}
