//! Which subtitle tracks an output has, and which one is in its picture.

use clap::Args;
use common::recipe::{BurnIn, Flagged, Language, RecipeDraft, Subtitles, VideoEncode};

use crate::recipe::options::first_given;

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Subtitles")]
pub(crate) struct SubtitleOptions {
    /// Subtitles: keep or none [default: keep]
    #[arg(long, value_name = "HOW")]
    pub subtitles: Option<Subtitles>,
    /// Only tracks in these languages: eng,deu [default: every track]
    #[arg(long, value_name = "LANG", value_delimiter = ',')]
    pub subtitle_language: Vec<Language>,
    /// Forced tracks: keep, drop, only [default: keep]
    #[arg(long, value_name = "HOW")]
    pub forced: Option<Flagged>,
    /// Tracks for the deaf and hard of hearing: keep, drop, only [default: keep]
    #[arg(long, value_name = "HOW")]
    pub sdh: Option<Flagged>,
    /// Draw a track into the picture: forced, foreign, a language, or a number from 1
    #[arg(long, value_name = "WHICH")]
    pub burn_in: Option<BurnIn>,
    /// Mark the track for scenes in another language as default and forced
    #[arg(long)]
    pub mark_foreign: bool,
    /// Subtitle files beside the input (film.en.forced.srt) become tracks
    #[arg(long)]
    pub external_subtitles: bool,
    /// Subtitle tracks and captions become files beside the output, too (film.en.forced.srt)
    #[arg(long)]
    pub extract_subtitles: bool,
}

impl SubtitleOptions {
    pub(super) fn override_draft(&self, draft: &mut RecipeDraft) {
        if let Some(subtitles) = self.subtitles {
            draft.subtitles = subtitles;
        }
        let tracks = &mut draft.subtitle_tracks;
        if !self.subtitle_language.is_empty() {
            tracks.languages.clone_from(&self.subtitle_language);
        }
        if let Some(forced) = self.forced {
            tracks.forced = forced;
        }
        if let Some(sdh) = self.sdh {
            tracks.sdh = sdh;
        }
        tracks.mark_foreign |= self.mark_foreign;
        tracks.external |= self.external_subtitles;
        tracks.extract |= self.extract_subtitles;
    }

    pub(super) fn override_encode(&self, encode: &mut VideoEncode) {
        if let Some(track) = &self.burn_in {
            encode.burn_in = Some(track.clone());
        }
    }

    /// The first given option that needs an encode of the video.
    pub(super) fn given_for_encode(&self) -> Option<&'static str> {
        first_given([("--burn-in", self.burn_in.is_some())])
    }
}
