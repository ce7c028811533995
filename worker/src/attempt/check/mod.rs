//! Looks for damage in a file: in its container, and in what can be decoded of its tracks. Writes nothing.
//!
//! A full check reads the file once with all processors. Only where something is wrong, it is read again, to find the
//! places. A quick check decodes its beginning, its end, and a few places in between.

mod index;
mod places;
mod quick;
mod reading;
mod words;

use common::job::failure::{Doubt, Failure, Fault};
use common::job::kind::CheckDepth;
use common::job::run::health::Damage;

use crate::attempt::check::index::Faults;
use crate::attempt::check::reading::{Pass, Reading, read};
use crate::attempt::verify::damage::is_recording;
use crate::ffmpeg::Source;
use crate::ffmpeg::probe::media::{Media, Ratio};
use crate::ffmpeg::probe::probe;
use crate::ffmpeg::run::runner::Runner;

/// How many seconds a file may end before its stated end, because containers round times.
const ROUNDING: f64 = 0.15;

/// The longest message about a file that is no media, in characters.
const LONGEST: usize = 200;

/// What a check has found.
#[derive(Debug, Default)]
pub struct Checked {
    /// The content; `None` if the file is no media.
    pub media: Option<Media>,
    /// Frames that were decoded of the film.
    pub frames: u64,
    pub damage: Vec<Damage>,
}

/// A file that is checked.
struct File<'a> {
    runner: &'a Runner,
    source: &'a Source,
    media: &'a Media,
    faults: Faults,
}

/// Checks a file. `on_share` is told how much of it is done, from 0 to 1.
///
/// # Errors
/// The failure of a tool that says nothing about the file.
pub async fn check(
    runner: &Runner,
    source: &Source,
    depth: CheckDepth,
    mut on_share: impl FnMut(f32),
) -> Result<Checked, Failure> {
    let media = match probe(runner, source).await {
        Ok(media) => media,
        Err(failure) => return no_media(failure),
    };
    let file = File {
        runner,
        source,
        media: &media,
        faults: faults(source).await,
    };
    let is_short = media
        .likely_duration()
        .is_none_or(|duration| duration < quick::WORTH);
    let checked = match depth {
        CheckDepth::Quick if !is_short => file.quickly(&mut on_share).await,
        CheckDepth::Quick | CheckDepth::Full => file.fully(&mut on_share).await,
    };
    let (frames, damage) = match checked {
        Ok(found) => found,
        Err(failure) => {
            let Checked { damage, .. } = no_media(failure)?;
            (0, damage)
        }
    };
    Ok(Checked {
        media: Some(media),
        frames,
        damage,
    })
}

/// The result for a file that a tool could not read. A failure that says nothing about the file is passed on.
fn no_media(failure: Failure) -> Result<Checked, Failure> {
    if failure.fault != Fault::Input && failure.doubt != Some(Doubt::Proof) {
        return Err(failure);
    }
    // ffmpeg lists all formats that may be read.
    let message = failure.message.split(" not on whitelist").next();
    let what: String = message.unwrap_or_default().chars().take(LONGEST).collect();
    Ok(Checked {
        damage: vec![Damage::whole(what)],
        ..Checked::default()
    })
}

/// Makes sure that damage is the file's: a connection that broke looks like a file that breaks off.
fn whole_reading(damage: &[Damage], network: Option<Failure>) -> Result<(), Failure> {
    match network {
        Some(failure) if !damage.is_empty() => Err(failure),
        _ => Ok(()),
    }
}

/// What is wrong with the container of a local file. ffprobe tells why a file cannot be read.
async fn faults(source: &Source) -> Faults {
    let Source::File(path) = source else {
        return Faults::default();
    };
    let path = path.clone();
    let looked = tokio::task::spawn_blocking(move || index::look(&path)).await;
    match looked {
        Ok(Ok(faults)) => faults,
        _ => Faults::default(),
    }
}

impl File<'_> {
    /// Decodes every packet of every track.
    async fn fully(&self, on_share: &mut impl FnMut(f32)) -> Result<(u64, Vec<Damage>), Failure> {
        let begin = self.media.start.unwrap_or(0.0);
        let length = self.media.likely_duration();
        let mut share = |time: f64, half: f32| {
            if let Some(length) = length.filter(|length| *length > 0.0) {
                on_share(((time - begin) / length).clamp(0.0, 1.0) as f32 * half);
            }
        };
        let (runner, source) = (self.runner, self.source);
        let mut reading = read(runner, source, Pass::Alarm, |time| share(time, 1.0)).await?;
        if !places::is_clean(self.media, &reading) {
            reading = read(runner, source, Pass::Places, |time| share(time, 1.0)).await?;
        }
        let begin = places::beginning(self.media, &reading);
        let mut damage = places::damage(self.media, &reading, begin);
        damage.extend(self.container(&reading));
        whole_reading(&damage, reading.network.take())?;
        Ok((places::frames(self.media, &reading), damage))
    }

    /// What is wrong with the container, given all that was read of the file.
    fn container(&self, reading: &Reading) -> Vec<Damage> {
        let mut damage = Vec::new();
        if places::is_empty(self.media, reading) {
            damage.push(Damage::whole(
                "the file holds nothing: its headers announce tracks, and no packet follows",
            ));
            return damage;
        }
        let begin = places::beginning(self.media, reading);
        let end = (places::end(self.media, reading) - begin).max(0.0);
        let breaks_off = self.faults.breaks_off || places::breaks_off(reading);
        if breaks_off && !is_recording(self.media) {
            let stated = self.stated().filter(|stated| stated - end > ROUNDING);
            damage.push(self.cut(end, stated.unwrap_or(end)));
        } else if self.faults.ends_within_packet {
            damage.push(self.cut(end, end));
        }
        damage.extend(self.index());
        damage
    }

    fn cut(&self, from: f64, to: f64) -> Damage {
        Damage {
            from,
            to,
            ..Damage::whole("the file breaks off")
        }
    }

    fn index(&self) -> Option<Damage> {
        let words = "the index leads to wrong places: players cannot seek";
        self.faults.misleads.then(|| Damage::whole(words))
    }

    /// The length that the container states, in seconds. The length of a truncated AVI is estimated from its size, but
    /// its header still has the number of frames.
    fn stated(&self) -> Option<f64> {
        let counted = self
            .media
            .films()
            .filter_map(|film| Some(film.frames? as f64 / film.mean_rate.map(Ratio::value)?));
        self.media
            .duration
            .into_iter()
            .chain(counted)
            .reduce(f64::max)
    }
}
