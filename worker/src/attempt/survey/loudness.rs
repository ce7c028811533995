//! How loud is each audio track that gets a loudness? The whole of it is heard, with the channels that the output has.

use std::collections::BTreeMap;
use std::ffi::OsString;

use common::job::failure::Failure;
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
    let mut trials: Vec<(usize, &Track, Option<Correction>)> = levelled
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
    for (number, offset) in offsets {
        if let (Some(Measured::Heard(_, trial)), Measured::Heard(levels, _)) =
            (found.get_mut(&number), meter.of(number))
        {
            let reached = levels.integrated;
            *trial = Some(Trial { offset, reached });
        }
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

impl Asked<'_> {
    /// Listens to several tracks at once, each with its correction.
    async fn listen(
        &self,
        tracks: &[(usize, &Track, Option<Correction>)],
    ) -> Result<Meter, Failure> {
        let mut arguments: Vec<OsString> = ["-nostdin", "-hide_banner", "-v", "level+info"]
            .map(OsString::from)
            .into();
        let trim = self.recipe.trim;
        if let Some(trim) = trim {
            arguments.extend(["-ss".into(), trim.from.to_string().into()]);
        }
        for (_, track, _) in tracks {
            if let Some(reader) = track.source.reader {
                arguments.extend(
                    [format!("-c:{}", track.source.index), reader.to_owned()].map(OsString::from),
                );
            }
        }
        arguments.extend(self.source.arguments());
        for (place, (number, track, correction)) in tracks.iter().enumerate() {
            let Some(sound) = &track.sound else { continue };
            let correction = correction.map(|correction| correction.filter());
            let filters: Vec<String> = [
                Some(sound.unlevelled()),
                correction,
                Some(Meter::filter(*number)),
            ]
            .into_iter()
            .flatten()
            .collect();
            arguments.extend(
                ["-map".to_owned(), format!("0:{}", track.source.index)].map(OsString::from),
            );
            arguments.extend([format!("-filter:a:{place}"), filters.join(",")].map(OsString::from));
        }
        let end = trim.and_then(|trim| trim.to.map(|to| to - trim.from));
        if let Some(length) = end {
            arguments.extend(["-t".into(), length.to_string().into()]);
        }
        arguments.extend(["-f", "null", "-"].map(OsString::from));
        let mut meter = Meter::default();
        let origin = Origin::of(self.source);
        let on_sign = |sign: Sign<'_>| {
            if let Sign::Log(line) = sign {
                meter.line(line);
            }
        };
        self.runner.ffmpeg(&arguments, origin, on_sign).await?;
        Ok(meter)
    }
}
