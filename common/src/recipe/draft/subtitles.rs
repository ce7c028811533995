//! Whether the choices of subtitles fit the rest of a recipe.

use crate::recipe::draft::RecipeDraft;
use crate::recipe::rate::Rate;
use crate::recipe::subtitles::{BurnIn, SubtitleTracks, Subtitles, SubtitlesError};
use crate::recipe::video::VideoEncode;

impl RecipeDraft {
    /// Refuses subtitles that cannot work with any input.
    pub(super) fn check_subtitles(&self) -> Result<(), SubtitlesError> {
        let tracks = &self.subtitle_tracks;
        let video = self.video_encode();
        let burn_in = video.and_then(|video| video.burn_in.as_ref());
        let chooses = *tracks != SubtitleTracks::default();
        let has_use = burn_in.is_some() || tracks.extract;
        if self.subtitles == Subtitles::None && chooses && !has_use {
            return Err(SubtitlesError::NoneKept);
        }
        if tracks.mark_foreign && burn_in == Some(&BurnIn::Foreign) {
            return Err(SubtitlesError::ForeignTwice);
        }
        let is_measured = |video: &VideoEncode| {
            video.burn_in.is_some()
                && (video.floor.is_some() || matches!(video.rate, Rate::Target(_)))
        };
        if video.is_some_and(is_measured) {
            return Err(SubtitlesError::Measured);
        }
        let filters = video.and_then(|video| video.filters.as_ref());
        let retiming = filters.and_then(|filters| filters.retiming());
        match retiming.filter(|_| burn_in.is_some()) {
            Some(filter) => Err(SubtitlesError::Retimed(filter.to_owned())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::encoder::Codec;
    use crate::recipe::{Audio, Choice, Recipe, RecipeError, Video};

    fn refused(change: impl FnOnce(&mut RecipeDraft, &mut VideoEncode)) -> SubtitlesError {
        let mut video = VideoEncode::new(Choice::Codec(Codec::Hevc));
        let mut draft = RecipeDraft::new(Video::Copy);
        change(&mut draft, &mut video);
        draft.video = Video::Encode(Box::new(video));
        match Recipe::new(draft) {
            Err(RecipeError::Subtitles(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn choices_without_a_meaning_are_refused() {
        let none = refused(|draft, _| {
            draft.subtitles = Subtitles::None;
            draft.subtitle_tracks.external = true;
        });
        assert!(matches!(none, SubtitlesError::NoneKept));
        let twice = refused(|draft, video| {
            draft.subtitle_tracks.mark_foreign = true;
            video.burn_in = Some(BurnIn::Foreign);
        });
        assert!(matches!(twice, SubtitlesError::ForeignTwice));
        let retimed = refused(|draft, video| {
            draft.audio = Audio::None;
            draft.subtitles = Subtitles::None;
            video.burn_in = Some(BurnIn::Track(1));
            video.filters = Some("trim=end=2".parse().expect("allowed"));
        });
        assert!(matches!(retimed, SubtitlesError::Retimed(_)));
        let measured = refused(|_, video| {
            video.rate = Rate::Target(crate::recipe::QualityTarget {
                score: "vmaf=95".parse().expect("a score"),
                max_percent: 80,
            });
            video.burn_in = Some(BurnIn::Track(1));
        });
        assert!(matches!(measured, SubtitlesError::Measured));
    }

    #[test]
    fn files_can_be_made_of_tracks_that_the_output_does_not_have() {
        let mut draft = RecipeDraft::new(Video::Copy);
        draft.subtitles = Subtitles::None;
        draft.subtitle_tracks.extract = true;
        Recipe::new(draft).expect("the tracks become files");
    }
}
