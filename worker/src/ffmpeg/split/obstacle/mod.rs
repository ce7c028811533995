//! Why a film is not split: its frames cannot be told apart, or the recipe asks for what holds for the whole film only.

mod film;
mod recipe;
#[cfg(test)]
mod tests;

use common::recipe::Recipe;
use common::recipe::encoder::Encoder;

use self::film::{of_film, of_line};
use self::recipe::{of_draft, of_video};
use crate::ffmpeg::arguments::Arguments;
use crate::ffmpeg::probe::media::{Media, Stream};

/// A reason why a film is not split, as a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("no video is encoded")]
    NoEncode,
    #[error("the recipe asks for a bitrate or a size, which holds for the film as a whole")]
    Bits,
    #[error(
        "{0} spreads bits over the film as a whole by default: a split needs --crf or --quality"
    )]
    NoQuality(Encoder),
    #[error("the recipe limits the bitrate, and a limit holds across the ends of chunks, too")]
    Limit,
    #[error("the encoder sees the film twice")]
    TwoPasses,
    #[error("{0} needs the frames before and after a chunk")]
    Encoder(Encoder),
    #[error(
        "argument '{0}' depends on the place of a frame in the film, or on the bits of all frames"
    )]
    Argument(String),
    #[error("the frame rate changes")]
    FrameRate,
    #[error("filter '{0}' depends on all frames before, or on their times")]
    Filter(String),
    #[error("the film is interlaced, and in this format a packet may hold one field of a frame")]
    Fields,
    #[error("subtitles are drawn into the picture")]
    BurnIn,
    #[error("the closed captions inside the film become a subtitle track")]
    Captions,
    #[error("the film has Dolby Vision")]
    DolbyVision,
    #[error("{0} keeps the transparency of the film, which pieces of it cannot hold")]
    Alpha(Encoder),
    #[error("the recipe cuts out a part of the input")]
    Trim,
    #[error("the output is a rendition of a ladder")]
    Ladder,
    #[error("the input has {0} films")]
    Films(usize),
    #[error("the film is too short, or has too few keyframes, to be cut")]
    Short,
    #[error("not all frames of the film have a time in the file")]
    NoTimes,
    #[error("two frames of the film have the same time")]
    SameTimes,
    #[error("the file's clock jumps within the film")]
    Jump,
    #[error("the film begins with frames that depend on frames before it")]
    NoKeyAtStart,
    #[error("the file's edit list hides frames in the middle of the film")]
    HiddenInside,
    #[error("the file marks some frames of the film as damaged")]
    Damaged,
    #[error("what the file holds is not one packet for each frame of the film")]
    NotFrames,
}

/// Why the film of an encode is not split, as far as the recipe and the command line tell; the first reason of several.
/// The further inputs of a job are for the caller, and the frames of the film for [`crate::ffmpeg::split::index`].
pub fn obstacle(
    recipe: &Recipe,
    media: &Media,
    encoder: &Encoder,
    arguments: &Arguments,
) -> Option<Obstacle> {
    let video = match of_draft(recipe) {
        Ok(video) => video,
        Err(obstacle) => return Some(obstacle),
    };
    let films: Vec<&Stream> = media.films().collect();
    let &[film] = films.as_slice() else {
        return Some(Obstacle::Films(films.len()));
    };
    of_video(video, encoder)
        .or_else(|| of_film(film, &media.format, video, encoder))
        .or_else(|| of_line(film, arguments))
}
