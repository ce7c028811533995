//! Which files are made beside an output.

use clap::Args;
use common::recipe::{Companions, RecipeDraft};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Files beside the output")]
pub(crate) struct CompanionOptions {
    /// So many pictures, evenly spread: film.1.jpg, …
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(Companions::MOST_THUMBNAILS)))]
    pub thumbnails: Option<u8>,
    /// Twenty pictures on one sheet: film.contact.jpg
    #[arg(long)]
    pub contact_sheet: bool,
    /// Small pictures for a player's time line: film.sprites.jpg and film.sprites.vtt
    #[arg(long)]
    pub sprites: bool,
    /// A short clip of parts of the film: film.preview.mp4
    #[arg(long)]
    pub preview: bool,
}

impl CompanionOptions {
    pub(super) fn override_draft(&self, draft: &mut RecipeDraft) {
        let companions = &mut draft.companions;
        if let Some(number) = self.thumbnails {
            companions.thumbnails = number;
        }
        companions.contact_sheet |= self.contact_sheet;
        companions.sprites |= self.sprites;
        companions.preview |= self.preview;
    }
}
