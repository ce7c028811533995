//! How loud is each audio track that gets a loudness? The whole of it is heard, with the channels that the output has.

use std::collections::BTreeMap;
use std::ffi::OsString;

use common::job::failure::{Doubt, Failure};
use common::recipe::Video;

use crate::attempt::survey::Asked;
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::probe::media::StreamKind;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::Sign;
use crate::ffmpeg::sound::Sound;
use crate::ffmpeg::sound::loudness::{Correction, Measured, Meter, Trial};
use crate::ffmpeg::tracks::{Track, Tracks};

/// Whether the recipe asks for a loudness anywhere.
pub(super) fn is_asked(asked: &Asked<'_>) -> bool {
    let tracks = chosen(asked);
    tracks.is_ok_and(|tracks| !levelled(&tracks).is_empty())
}

/// The tracks of the output. Subtitles to be drawn are left out, because they may be found by another question.
fn chosen(asked: &Asked<'_>) -> Result<Tracks, Failure> {
    let recipe = asked.recipe.clone().edit(|draft| {
        if let Video::Encode(encode) = &mut draft.video {
            encode.burn_in = None;
        }
    });
    let recipe = recipe.map_err(|error| Failure::worker(error.to_string()))?;
    Tracks::choose(&recipe, asked.media, &Findings::default())
}

/// The loudness of each track for which one is asked, by its number among the output's audio tracks.
///
/// # Errors
/// If ffmpeg cannot decode the tracks; without their loudness, the output would not be what is asked for.
pub(super) async fn of_tracks(asked: &Asked<'_>) -> Result<BTreeMap<usize, Measured>, Failure> {
    let tracks = chosen(asked)?;
    let levelled = levelled(&tracks);
    let plain = levelled
        .iter()
        .map(|(number, track, _)| (*number, *track, None));
    let meter = asked.listen(&plain.collect::<Vec<_>>()).await?;
    let mut found: BTreeMap<usize, Measured> = levelled
        .iter()
        .map(|(number, ..)| (*number, meter.of(*number)))
        .collect();
    // A gain that changes over time does not meet the wanted loudness at once.
    let mut trials: Vec<Heard<'_>> = levelled
        .iter()
        .filter_map(|(number, track, sound)| {
            let correction = found[number].to_be_tried(sound.loudness()?)?;
            Some((*number, *track, Some(correction)))
        })
        .collect();
    if trials.is_empty() {
        return Ok(found);
    }
    let mut offsets: BTreeMap<usize, f64> = BTreeMap::new();
    let meter = asked.listen(&trials).await?;
    for (number, track, correction) in &mut trials {
        let wanted = track.sound.as_ref().and_then(Sound::loudness);
        if let (Some(wanted), Measured::Heard(levels, _)) = (wanted, meter.of(*number)) {
            let offset = wanted.integrated - levels.integrated;
            *correction = correction.map(|correction| correction.adding(offset));
            offsets.insert(*number, offset);
        }
    }
    let meter = asked.listen(&trials).await?;
    for (number, ..) in trials {
        let heard = (
            found.get_mut(&number),
            offsets.get(&number),
            meter.of(number),
        );
        let (Some(Measured::Heard(_, trial)), Some(&offset), Measured::Heard(levels, _)) = heard
        else {
            let what = "ffmpeg did not report how loud a track becomes";
            return Err(Failure::in_doubt(Doubt::Proof, what));
        };
        let reached = levels.integrated;
        *trial = Some(Trial { offset, reached });
    }
    Ok(found)
}

/// The tracks that get a loudness, each with its number among the output's audio tracks.
fn levelled(tracks: &Tracks) -> Vec<(usize, &Track, &Sound)> {
    let sounds = tracks
        .list
        .iter()
        .filter(|track| track.source.kind == StreamKind::Audio);
    let encoded = sounds
        .enumerate()
        .filter_map(|(number, track)| Some((number, track, track.sound.as_ref()?)));
    encoded
        .filter(|(.., sound)| sound.loudness().is_some())
        .collect()
}

/// A track to be listened to: its number among the output's audio tracks, and the correction that comes before the meter.
type Heard<'a> = (usize, &'a Track, Option<Correction>);

/// Seconds between the starts of tracks up to which they are heard in one run. ffmpeg keeps the sound of the earlier ones
/// in memory until the last one starts.
const TOGETHER: f64 = 60.0;

/// The tracks that are heard in one run each: all in one, unless some start much later.
fn runs<'a, 'b>(tracks: &'a [Heard<'b>]) -> Vec<&'a [Heard<'b>]> {
    let starts = tracks
        .iter()
        .map(|(_, track, _)| track.source.start.unwrap_or(0.0));
    let (first, last) = starts.fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(first, last), start| (first.min(start), last.max(start)),
    );
    match last - first > TOGETHER {
        true => tracks.chunks(1).collect(),
        false => vec![tracks],
    }
}

/// The graph of filters that listens to these tracks of the input. It is one graph for all, because ffmpeg runs each
/// graph in a thread of its own since version 7, and the reports of several threads come mixed.
fn graph(tracks: &[Heard<'_>]) -> String {
    let chains = tracks.iter().filter_map(|(number, track, correction)| {
        let sound = track.sound.as_ref()?;
        let correction = correction.map(|correction| correction.filter());
        let filters = [
            Some(sound.unlevelled()),
            correction,
            Some(Meter::filter(*number)),
        ];
        let filters: Vec<String> = filters.into_iter().flatten().collect();
        let index = track.source.index;
        Some(format!("[0:{index}]{}[heard{number}]", filters.join(",")))
    });
    chains.collect::<Vec<_>>().join(";")
}

impl Asked<'_> {
    /// Listens to several tracks, each with its correction.
    async fn listen(&self, tracks: &[Heard<'_>]) -> Result<Meter, Failure> {
        let mut meter = Meter::default();
        for tracks in runs(tracks) {
            self.listen_at_once(tracks, &mut meter).await?;
        }
        Ok(meter)
    }

    async fn listen_at_once(&self, tracks: &[Heard<'_>], meter: &mut Meter) -> Result<(), Failure> {
        let mut arguments: Vec<OsString> = ["-nostdin", "-hide_banner", "-v", "level+info"]
            .map(OsString::from)
            .into();
        let trim = self.recipe.trim;
        if let Some(trim) = trim {
            arguments.extend(["-ss".into(), trim.from.to_string().into()]);
        }
        for (_, track, _) in tracks {
            if let Some(reader) = track.source.reader.as_deref() {
                arguments.extend(
                    [format!("-c:{}", track.source.index), reader.to_owned()].map(OsString::from),
                );
            }
        }
        arguments.extend(self.source.arguments());
        arguments.extend(["-filter_complex".into(), graph(tracks).into()]);
        for (number, ..) in tracks {
            arguments.extend(["-map".into(), format!("[heard{number}]").into()]);
        }
        let end = trim.and_then(|trim| trim.to.map(|to| to - trim.from));
        if let Some(length) = end {
            arguments.extend(["-t".into(), length.to_string().into()]);
        }
        arguments.extend(["-f", "null", "-"].map(OsString::from));
        let origin = Origin::of(self.source);
        let on_sign = |sign: Sign<'_>| {
            if let Sign::Log(line) = sign {
                meter.line(line);
            }
        };
        self.runner.ffmpeg(&arguments, origin, on_sign).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffmpeg::probe::media::Stream;
    use crate::ffmpeg::samples::stream;
    use crate::ffmpeg::tracks::TrackMethod;

    #[test]
    fn tracks_that_start_much_later_are_heard_alone() {
        let track = |start: f64| {
            let source = Stream {
                start: Some(start),
                ..stream(1, StreamKind::Audio, "aac")
            };
            Track::new(&source, TrackMethod::Copy)
        };
        let (early, soon, late) = (track(0.0), track(1.5), track(3600.0));
        let together = [(0, &early, None), (1, &soon, None)];
        assert_eq!(runs(&together).len(), 1);
        let apart = [(0, &early, None), (1, &soon, None), (2, &late, None)];
        assert_eq!(runs(&apart).len(), 3);
    }
}
