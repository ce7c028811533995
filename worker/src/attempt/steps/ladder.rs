//! Packaging: the verified output of a rendition becomes the files of a ladder.

use common::job::failure::Failure;
use common::names::location::Location;

use crate::attempt::ladder;
use crate::attempt::steps::read::OUTPUT;
use crate::attempt::steps::{Attempt, Unfinished, Verified};

/// The form of subtitles before they are packaged.
const TEXT: &str = "mov_text";

impl Verified {
    /// Packages the output, which will lie at `output`, if it is a rendition of a ladder.
    ///
    /// # Errors
    /// Those of [`ladder::package`].
    pub async fn packaged(mut self, output: &Location) -> Result<Self, Failure> {
        let prepared = &self.encoded.probed.prepared;
        let Some(segment) = prepared.recipe.segment() else {
            return Ok(self);
        };
        let packaged = ladder::package(&self, output, segment).await?;
        // All tracks are in other files by now. If it stays, it goes with the attempt's folder.
        let _ = prepared.folder.dir().remove_file(OUTPUT);
        // The tracks of text were in another form until now.
        for change in &mut self.checked.changes {
            if change.to.as_deref() == Some(TEXT) {
                change.to = Some("webvtt".to_owned());
            }
        }
        self.checked.size = packaged.output.size();
        self.output = packaged.output;
        self.companions.extend(packaged.companions);
        self.ladder = packaged.streams;
        Ok(self)
    }
}

impl Attempt<'_> {
    pub(super) async fn package(&self, verified: Verified) -> Result<Verified, Unfinished> {
        tokio::select! {
            packaged = verified.packaged(&self.job.output) => Ok(packaged?),
            () = self.stop.cancelled() => {
                Err(Failure::passing("broken off while packaging a rendition").into())
            }
        }
    }
}
