//! One part of a joined film: what it holds, and how long it is.

use std::collections::BTreeMap;
use std::ffi::OsString;

use common::job::failure::Failure;
use common::recipe::{Recipe, RecipeDraft, Video};
use serde::Deserialize;

use crate::attempt::verify::damage::Inspected;
use crate::ffmpeg::Source;
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::probe::probe;
use crate::ffmpeg::probe::survey::{Depth, survey};
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::Runner;
use crate::ffmpeg::tracks::Tracks;

/// Seconds by which sound may outlast the picture without being cut: less than one frame of sound.
const OVERHANG: f64 = 0.02;

/// A part of a joined film.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub source: Source,
    /// The name of its chapter.
    pub title: String,
    pub media: Media,
    pub film: Stream,
    /// The digest of each track's codec parameters, by the track's index.
    pub parameters: BTreeMap<usize, String>,
    /// When its picture begins, in seconds of its own timestamps.
    pub start: f64,
    /// Seconds from where the file begins to where its picture begins.
    pub lead: f64,
    /// The length of its picture, in seconds.
    pub length: f64,
    pub frames: u64,
    /// Whether sound outlasts the picture so much that it would be heard over the next part.
    pub overhangs: bool,
}

/// ffprobe's answer about codec parameters.
#[derive(Deserialize)]
struct Answer {
    streams: Vec<Parameters>,
    format: Format,
}

#[derive(Deserialize)]
struct Format {
    start_time: Option<String>,
}

#[derive(Deserialize)]
struct Parameters {
    index: usize,
    #[serde(default)]
    extradata_hash: String,
}

impl Part {
    /// Reads a part.
    ///
    /// # Errors
    /// The input's fault if the part is no media, if it is truncated, or if it does not hold exactly one film.
    pub(super) async fn read(
        runner: &Runner,
        source: &Source,
        title: String,
    ) -> Result<Self, Failure> {
        let of_it = |mut failure: Failure| {
            failure.message = format!("{title}: {}", failure.message);
            failure
        };
        let media = probe(runner, source).await.map_err(of_it)?;
        let films: Vec<&Stream> = media.films().collect();
        let film = match films.as_slice() {
            [film] => (*film).clone(),
            films => {
                return Err(Failure::input(format!(
                    "{title} holds {} films, and a part of a joined film holds one",
                    films.len()
                )));
            }
        };
        is_whole(runner, source, &media).await.map_err(of_it)?;
        let (parameters, begin) = parameters(runner, source).await.map_err(of_it)?;
        let surveyed = survey(runner, source, Depth::Packets, None)
            .await
            .map_err(of_it)?;
        let seen = surveyed.streams.get(&film.index);
        let seen = seen.filter(|seen| seen.packets > 0 && seen.end > seen.start);
        let seen = seen.ok_or_else(|| Failure::input(format!("{title} holds no picture")))?;
        let is_sound = |index: &usize| {
            let mut streams = media.streams.iter();
            streams.any(|stream| stream.index == *index && stream.kind == StreamKind::Audio)
        };
        let mut sounds = surveyed.streams.iter().filter(|(index, _)| is_sound(index));
        Ok(Self {
            source: source.clone(),
            title,
            film,
            parameters,
            start: seen.start,
            lead: begin.map_or(0.0, |begin| (seen.start - begin).max(0.0)),
            length: seen.end - seen.start,
            frames: seen.packets,
            overhangs: sounds.any(|(_, sound)| sound.end > seen.end + OVERHANG),
            media,
        })
    }

    /// The tracks of a kind that can be used, without covers.
    pub(super) fn tracks(&self, kind: StreamKind) -> impl Iterator<Item = &Stream> {
        let streams = self.media.streams.iter();
        streams.filter(move |stream| stream.kind == kind && stream.absent.is_none())
    }

    /// What a joined file does not hold of the part: data tracks and covers.
    pub(super) fn left_out(&self) -> impl Iterator<Item = &Stream> {
        let streams = self.media.streams.iter();
        streams.filter(|stream| {
            let is_data = stream.kind == StreamKind::Data && stream.codec != "bin_data";
            is_data || stream.is_cover()
        })
    }

    pub(super) fn sounds(&self) -> Vec<&Stream> {
        self.tracks(StreamKind::Audio).collect()
    }

    pub(super) fn subtitles(&self) -> Vec<&Stream> {
        self.tracks(StreamKind::Subtitle).collect()
    }
}

/// Makes sure that a part is as long as its container states: a join of truncated parts would look whole.
async fn is_whole(runner: &Runner, source: &Source, media: &Media) -> Result<(), Failure> {
    let everything = Recipe::new(RecipeDraft::new(Video::Copy));
    let everything = everything.expect("a recipe that copies all is sound");
    let tracks = Tracks::choose(&everything, media, &Findings::default())?;
    let inspected = Inspected {
        runner,
        source,
        tables: source,
        media,
        tracks: &tracks.list,
        part: None,
    };
    inspected.is_whole().await
}

/// The digests of the codec parameters, and when ffmpeg says that the file begins.
async fn parameters(
    runner: &Runner,
    source: &Source,
) -> Result<(BTreeMap<usize, String>, Option<f64>), Failure> {
    let mut arguments: Vec<OsString> = ["-v", "error", "-of", "json", "-show_data_hash", "sha256"]
        .map(OsString::from)
        .into();
    arguments.extend(
        [
            "-show_entries",
            "stream=index,extradata_hash:format=start_time",
        ]
        .map(OsString::from),
    );
    arguments.extend(source.arguments());
    let answer = runner.ffprobe(&arguments, Origin::of(source)).await?;
    let answer: Answer = serde_json::from_slice(&answer)
        .map_err(|error| Failure::worker(format!("ffprobe's answer cannot be read: {error}")))?;
    let of_stream = |stream: Parameters| (stream.index, stream.extradata_hash);
    let begin = answer.format.start_time;
    let begin = begin.and_then(|time| time.parse().ok());
    let parameters = answer.streams.into_iter().map(of_stream).collect();
    Ok((parameters, begin))
}
