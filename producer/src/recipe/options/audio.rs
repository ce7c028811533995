//! Which audio tracks an output has, and how they are made.

use clap::Args;
use common::recipe::{Audio, Downmix, EnsuredTrack, Language, Loudness, RecipeDraft};

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Audio")]
pub(crate) struct AudioOptions {
    /// Audio: copy, none, CODEC or CODEC:BITRATE, e.g. opus:128k; copy,else=aac encodes what the container cannot hold [default: copy]
    #[arg(long, value_name = "HOW")]
    pub audio: Option<Audio>,
    /// Only tracks in these languages, in this order: eng,deu; original and any, too [default: every track]
    #[arg(long, value_name = "LANG", value_delimiter = ',')]
    pub audio_language: Vec<Language>,
    /// A track that the output has in any case: ENCODER:CHANNELS[:BITRATE][:LANG], e.g. aac:2:160k; may be repeated
    #[arg(long, value_name = "TRACK")]
    pub ensure_audio: Vec<EnsuredTrack>,
    /// Fewer channels in encoded tracks: mono, stereo, dialogue, night, rfc7845, 5.1
    #[arg(long, value_name = "NAME")]
    pub downmix: Option<Downmix>,
    /// Loudness of encoded tracks: LUFS/RANGE/PEAK [default if given: -23/7/-2]
    #[arg(long, value_name = "LUFS", num_args = 0..=1, default_missing_value = "-23/7/-2", allow_negative_numbers = true)]
    pub loudness: Option<Loudness>,
}

impl AudioOptions {
    pub(super) fn override_draft(&self, draft: &mut RecipeDraft) {
        if let Some(audio) = &self.audio {
            draft.audio = audio.clone();
        }
        let tracks = &mut draft.audio_tracks;
        if !self.audio_language.is_empty() {
            tracks.languages.clone_from(&self.audio_language);
        }
        if !self.ensure_audio.is_empty() {
            tracks.ensure.clone_from(&self.ensure_audio);
        }
        if let Some(downmix) = self.downmix {
            tracks.downmix = Some(downmix);
        }
        if let Some(loudness) = self.loudness {
            tracks.loudness = Some(loudness);
        }
    }
}
