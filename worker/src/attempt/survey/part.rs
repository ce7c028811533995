//! Where a part of an input is cut: copied video at key frames only, and subtitles wherever they are.

use std::collections::{BTreeMap, BTreeSet};

use common::job::failure::Failure;
use common::recipe::{Subtitles, Trim, Video};

use crate::attempt::survey::Asked;
use crate::ffmpeg::part::{Part, ROUNDING, SUBTITLE_LEAD};
use crate::ffmpeg::probe::media::{Stream, StreamKind};
use crate::ffmpeg::probe::packets::{Packet, packets};
use crate::ffmpeg::probe::times;

/// Seconds without a new picture after which the picture before the cut is shown at the beginning.
const LONG: f64 = 0.1;

/// Seconds around a cut in which the next picture is looked for first.
const NEAR: f64 = 20.0;

/// Seconds before a cut from which pictures are looked at.
const BEFORE: f64 = 20.0;

/// Bytes of a picture subtitle above which it shows something, and does not only clear the screen.
const SHOWS: u64 = 100;

impl Asked<'_> {
    /// Finds out where to cut.
    ///
    /// # Errors
    /// The input's fault if the part begins after its end, or if the input has no times.
    pub(super) async fn part(&self, trim: Trim) -> Result<Part, Failure> {
        if times::is_raw(self.media) {
            return Err(Failure::input(format!(
                "--trim {trim} cannot be found, for the input is a raw stream ({}) that says no times: make a file of it \
                 without --trim, and cut that",
                self.media.format
            )));
        }
        let mut part = Part::asked(trim, self.media);
        if let Some(duration) = self.media.duration
            && trim.from >= duration
        {
            return Err(beyond(trim, duration));
        }
        let takes_film = self.recipe.video != Video::None;
        let timed = || {
            let is_timed = |stream: &&Stream| {
                let is_film = stream.is_film() && takes_film;
                stream.absent.is_none() && (is_film || stream.kind == StreamKind::Audio)
            };
            self.media.streams.iter().filter(is_timed)
        };
        let is_text = |stream: &&Stream| stream.kind == StreamKind::Subtitle;
        let takes_texts =
            self.recipe.subtitles != Subtitles::None && !self.recipe.container.is_audio_only();
        let has_texts = takes_texts && self.media.streams.iter().any(|stream| is_text(&stream));
        let lead = if has_texts { SUBTITLE_LEAD } else { BEFORE };
        let mut around = self.around(part.from, lead).await?;
        let is_shown =
            |around: &Around, stream: &Stream| around.shows_within(stream.index, part.to);
        if !timed().all(|stream| is_shown(&around, stream)) {
            // What is not seen here comes later, or never.
            around = self.read(part.from, lead, part.to).await?;
        }
        let is_empty = |stream: &&Stream| {
            let is_held = stream.is_film() && around.is_held(stream.index);
            !is_shown(&around, stream) && !is_held
        };
        let empty: BTreeSet<usize> = timed()
            .filter(is_empty)
            .map(|stream| stream.index)
            .collect();
        let film = timed()
            .find(|stream| stream.is_film())
            .map(|film| film.index);
        let is_over = match film {
            Some(film) => empty.contains(&film),
            None => timed().all(|stream| empty.contains(&stream.index)),
        };
        if is_over {
            let end = self.media.duration.unwrap_or(around.end);
            return Err(beyond(trim, end));
        }
        part.empty = empty;
        if self.recipe.video == Video::Copy
            && let Some(film) = film
        {
            part.from = around.key_before(film).unwrap_or(part.from);
            if let Some(to) = part.to {
                part.to = self.key_after(film, to).await?;
            }
            if let Some(to) = part.to {
                part.packets = self.packets_between(part.from, to).await?;
            }
        } else if takes_film {
            for film in self.media.films().map(|film| film.index) {
                part.held.extend(around.held(film).map(|time| (film, time)));
            }
        }
        let texts = self.media.streams.iter().filter(is_text);
        let end = match part.to.filter(|_| has_texts) {
            Some(to) => Some(self.around(to, SUBTITLE_LEAD).await?),
            None => None,
        };
        for text in texts.filter(|_| has_texts) {
            let crosses = |cut: &Around| cut.crosses(text.index);
            if crosses(&around) || end.as_ref().is_some_and(crosses) {
                part.crossing.insert(text.index);
            }
        }
        Ok(part)
    }

    /// The packets around a cut.
    async fn around(&self, cut: f64, lead: f64) -> Result<Around, Failure> {
        self.read(cut, lead, Some(cut + NEAR)).await
    }

    async fn read(&self, cut: f64, lead: f64, to: Option<f64>) -> Result<Around, Failure> {
        let from = Some(cut - lead).filter(|from| *from > self.media.start.unwrap_or(0.0));
        let mut around = Around::new(cut);
        let note = |packet: Packet| around.note(packet);
        packets(self.runner, self.source, None, (from, to), note).await?;
        Ok(around)
    }

    /// The number of packets of each film from the key frame at `from` to the one at or after `to`, in the order of
    /// decoding.
    async fn packets_between(&self, from: f64, to: f64) -> Result<BTreeMap<usize, u64>, Failure> {
        let mut counts: BTreeMap<usize, (u64, bool)> = BTreeMap::new();
        let begin = Some(from - BEFORE).filter(|begin| *begin > self.media.start.unwrap_or(0.0));
        let stretch = (begin, Some(to + NEAR));
        packets(self.runner, self.source, None, stretch, |packet| {
            let is_at = |time: f64| packet.is_key && packet.time >= time - ROUNDING;
            let begun = counts.contains_key(&packet.stream);
            if !begun && !is_at(from) {
                return;
            }
            let (count, is_over) = counts.entry(packet.stream).or_default();
            *is_over |= is_at(to);
            *count += u64::from(!*is_over);
        })
        .await?;
        let films = self.media.films().map(|film| film.index);
        Ok(films
            .filter_map(|film| Some((film, counts.get(&film)?.0)))
            .collect())
    }

    /// The first key frame of a film at or after this time; `None` if the film ends before one.
    async fn key_after(&self, film: usize, time: f64) -> Result<Option<f64>, Failure> {
        for to in [Some(time + NEAR), None] {
            let found = self.read(time, BEFORE, to).await?;
            if let Some(key) = found.streams.get(&film).and_then(|film| film.key_after) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

fn beyond(trim: Trim, length: f64) -> Failure {
    Failure::input(format!(
        "--trim {trim} begins at {:.3} s, and the input is only {length:.3} s long: choose an earlier beginning",
        trim.from
    ))
}

/// What is shown around a cut.
struct Around {
    cut: f64,
    /// The end of all packets.
    end: f64,
    streams: BTreeMap<usize, Shown>,
}

/// The packets of one stream around a cut.
#[derive(Default)]
struct Shown {
    /// The last packet before the cut.
    before: Option<Packet>,
    /// The last key frame at or before the cut.
    key_before: Option<f64>,
    /// The first packet at or after the cut.
    after: Option<f64>,
    /// The first key frame at or after the cut.
    key_after: Option<f64>,
    /// Whether a packet begins before the cut and lasts beyond it.
    crosses: bool,
}

impl Around {
    fn new(cut: f64) -> Self {
        Self {
            cut,
            end: 0.0,
            streams: BTreeMap::new(),
        }
    }

    fn note(&mut self, packet: Packet) {
        let shown = self.streams.entry(packet.stream).or_default();
        self.end = self.end.max(packet.time + packet.length);
        let time = packet.time;
        if time < self.cut - ROUNDING {
            if shown.before.is_none_or(|before| before.time <= time) {
                shown.before = Some(packet);
            }
            if packet.is_key {
                shown.key_before = Some(shown.key_before.map_or(time, |key| key.max(time)));
            }
            shown.crosses |= time + packet.length > self.cut + ROUNDING;
        } else {
            shown.after = Some(shown.after.map_or(time, |after| after.min(time)));
            if packet.is_key {
                shown.key_after = Some(shown.key_after.map_or(time, |key| key.min(time)));
            }
            if packet.is_key && time <= self.cut + ROUNDING {
                shown.key_before = Some(time);
            }
        }
    }

    /// Whether something is shown from the cut on, and before the end of the part.
    fn shows_within(&self, stream: usize, to: Option<f64>) -> bool {
        let after = self.streams.get(&stream).and_then(|stream| stream.after);
        after.is_some_and(|after| to.is_none_or(|to| after < to - ROUNDING))
    }

    /// The key frame from which a copied film can begin.
    fn key_before(&self, film: usize) -> Option<f64> {
        let film = self.streams.get(&film)?;
        film.key_before.or(film.key_after)
    }

    /// Whether a picture from before the cut is still shown.
    fn is_held(&self, film: usize) -> bool {
        self.streams.get(&film).is_some_and(|film| {
            // How long a picture lasts is not always stated: it stays until the next one.
            let lasts = |before: Packet| before.time + before.length > self.cut + ROUNDING;
            film.before
                .is_some_and(|before| film.after.is_some() || lasts(before))
        })
    }

    /// The time of the picture that is shown at the cut, if the next one comes long after.
    fn held(&self, film: usize) -> Option<f64> {
        let film = self.streams.get(&film)?;
        let waits = film.after.is_none_or(|after| after - self.cut > LONG);
        film.before.filter(|_| waits).map(|before| before.time)
    }

    /// Whether a subtitle is shown before and after the cut.
    fn crosses(&self, text: usize) -> bool {
        self.streams.get(&text).is_some_and(|shown| {
            // Picture subtitles often do not say how long they are shown: the next one clears them.
            let stays = shown
                .before
                .is_some_and(|before| before.length == 0.0 && before.size > SHOWS);
            shown.crosses || stays
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(stream: usize, time: f64, length: f64, is_key: bool) -> Packet {
        Packet {
            stream,
            time,
            length,
            size: 50,
            is_key,
        }
    }

    #[test]
    fn a_cut_has_key_frames_before_and_after_it() {
        let mut around = Around::new(1.5);
        for (time, is_key) in [
            (1.0, true),
            (1.4, false),
            (1.44, false),
            (1.54, false),
            (2.0, true),
        ] {
            around.note(packet(0, time, 0.04, is_key));
        }
        assert_eq!(around.key_before(0), Some(1.0));
        assert_eq!(around.streams[&0].key_after, Some(2.0));
        assert!(around.shows_within(0, None));
        assert!(around.shows_within(0, Some(1.6)) && !around.shows_within(0, Some(1.5)));
        assert_eq!(around.held(0), None);
        let mut exact = Around::new(2.0);
        exact.note(packet(0, 1.0, 0.04, true));
        exact.note(packet(0, 2.0001, 0.04, true));
        assert_eq!(exact.key_before(0), Some(2.0001));
    }

    #[test]
    fn a_picture_that_stays_is_shown_at_the_cut() {
        let mut around = Around::new(5.0);
        around.note(packet(0, 0.0, 10.0, true));
        assert!(!around.shows_within(0, None) && around.is_held(0));
        assert_eq!(around.held(0), Some(0.0));
        around.note(packet(0, 10.0, 1.0, false));
        assert_eq!(around.held(0), Some(0.0));
        around.note(packet(1, 4.0, 2.0, true));
        around.note(packet(2, 4.0, 0.5, true));
        assert!(around.crosses(1) && !around.crosses(2) && !around.crosses(3));
    }
}
