//! Choices of subtitles that cannot work with any input.

use crate::recipe::draft::RecipeDraft;
use crate::recipe::rate::Rate;
use crate::recipe::subtitles::{BurnIn, SubtitleTracks, Subtitles};
use crate::recipe::video::VideoEncode;

/// A choice of subtitles that cannot work with any input.
#[derive(Debug, thiserror::Error)]
pub enum SubtitlesError {
    /// The recipe keeps no track, but says which ones to keep.
    #[error(
        "--subtitles none keeps no track, but other options choose subtitle tracks: leave it out, or leave them out"
    )]
    NoneKept,
    /// The track to be marked is burnt in.
    #[error(
        "the foreign track is burnt in, so no track is left to be marked: leave out --mark-foreign or --burn-in foreign"
    )]
    ForeignTwice,
    /// The filter changes when frames are shown, so the text would come too early or too late.
    #[error(
        "filter '{0}' changes when frames are shown, and burnt-in subtitles would not follow: leave out the filter or --burn-in"
    )]
    Retimed(String),
    /// A part of the input is asked for, and its subtitles would come too late.
    #[error(
        "{0} does not follow --trim yet: leave out one of them, or cut the part out first, with --video copy --trim"
    )]
    Trimmed(&'static str),
    /// The quality is measured against the input, which has no such subtitles.
    #[error(
        "the quality of a picture with burnt-in subtitles cannot be measured against the input, which has none: leave out \
         --burn-in, or give --crf or --quality instead of --target and leave out the least quality (floor)"
    )]
    Measured,
    /// Subtitle files beside the output are not made.
    #[error(
        "subtitle tracks cannot be written to files beside the output yet: leave out --extract-subtitles (extract)"
    )]
    Extract,
}

/// Refuses subtitles that cannot work with any input.
pub(in crate::recipe) fn check(draft: &RecipeDraft) -> Result<(), SubtitlesError> {
    let tracks = &draft.subtitle_tracks;
    let video = draft.video_encode();
    let burn_in = video.and_then(|video| video.burn_in.as_ref());
    if tracks.extract {
        return Err(SubtitlesError::Extract);
    }
    let chooses = *tracks != SubtitleTracks::default();
    if draft.subtitles == Subtitles::None && chooses && burn_in.is_none() {
        return Err(SubtitlesError::NoneKept);
    }
    if tracks.mark_foreign && burn_in == Some(&BurnIn::Foreign) {
        return Err(SubtitlesError::ForeignTwice);
    }
    if draft.trim.is_some() && (burn_in.is_some() || tracks.external) {
        let what = if tracks.external {
            "--external-subtitles"
        } else {
            "--burn-in"
        };
        return Err(SubtitlesError::Trimmed(what));
    }
    let is_measured = |video: &VideoEncode| {
        video.burn_in.is_some() && (video.floor.is_some() || matches!(video.rate, Rate::Target(_)))
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
        let trimmed = refused(|draft, video| {
            draft.trim = Some("1-2".parse().expect("a part"));
            video.burn_in = Some(BurnIn::Track(1));
        });
        assert!(matches!(trimmed, SubtitlesError::Trimmed("--burn-in")));
        let measured = refused(|_, video| {
            video.rate = Rate::Target(crate::recipe::QualityTarget {
                score: "vmaf=95".parse().expect("a score"),
                max_percent: 80,
            });
            video.burn_in = Some(BurnIn::Track(1));
        });
        assert!(matches!(measured, SubtitlesError::Measured));
        let extract = refused(|draft, _| draft.subtitle_tracks.extract = true);
        assert!(matches!(extract, SubtitlesError::Extract));
    }
}
