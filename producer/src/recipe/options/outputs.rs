//! The options of outputs: their names, and renditions of a source.

use clap::Args;
use common::recipe::{NameTemplate, Outputs, Rendition};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Outputs")]
pub(crate) struct OutputOptions {
    /// One output of each size: 1080p,720p,480p; with bits per second: 720p:3M; none is larger than its source
    #[arg(long, value_name = "SIZE,…", value_delimiter = ',')]
    pub rendition: Vec<Rendition>,
    /// Names of the outputs, without extension, e.g. {stem}-{height}p; also {width}, {codec}, {encoder}, {quality}, {bitrate}, {container} and {preset}
    #[arg(long, value_name = "TEMPLATE")]
    pub name: Option<NameTemplate>,
}

impl OutputOptions {
    /// Replaces what the options name.
    pub(super) fn override_outputs(&self, outputs: &mut Outputs) {
        if !self.rendition.is_empty() {
            outputs.renditions.clone_from(&self.rendition);
        }
        if let Some(name) = &self.name {
            outputs.name = Some(name.clone());
        }
    }
}
