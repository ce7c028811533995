//! Choices of subtitles that cannot work with any input.

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
    /// The quality is measured against the input, which has no such subtitles.
    #[error(
        "the quality of a picture with burnt-in subtitles cannot be measured against the input, which has none: leave out \
         --burn-in, or give --crf or --quality instead of --target and leave out the least quality (floor)"
    )]
    Measured,
}
