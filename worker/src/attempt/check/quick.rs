//! The quick check: a few places of a film are decoded.

use common::job::failure::Failure;
use common::job::run::health::Damage;

use crate::attempt::check::places;
use crate::attempt::check::reading::{Pass, read};
use crate::attempt::check::{File, whole_reading};
use crate::ffmpeg::probe::survey;

/// Seconds of film from which on a quick check is quicker than a full one.
pub(super) const WORTH: f64 = 60.0;

/// How many places are decoded: the beginning, the end, and those in between.
const PLACES: u32 = 7;
/// The length of each place in seconds.
const LENGTH: f64 = 6.0;
/// After a seek, decoders may complain for this long until they have what they need.
const SETTLING: f64 = 2.0;

impl File<'_> {
    /// Decodes a few places.
    pub(super) async fn quickly(
        &self,
        on_share: &mut impl FnMut(f32),
    ) -> Result<(u64, Vec<Damage>), Failure> {
        let Some(length) = self.media.likely_duration() else {
            return self.fully(on_share).await;
        };
        let begin = self.media.start.unwrap_or(0.0);
        let (mut frames, mut damage) = (0, Vec::new());
        let mut breaks_off = self.faults.breaks_off;
        let mut network = None;
        for (done, from) in (1..).zip(starts(length)) {
            let to = from + LENGTH;
            let seek = (from > 0.0).then_some(begin + from);
            let stretch = Pass::Stretch(seek, begin + to);
            let mut reading = read(self.runner, self.source, stretch, |_| {}).await?;
            network = network.or(reading.network.take());
            frames += places::frames(self.media, &reading);
            breaks_off |= self.source.is_remote() && places::breaks_off(&reading);
            let settled = if seek.is_some() { from + SETTLING } else { 0.0 };
            let found = places::damage(self.media, &reading, begin);
            damage.extend(found.into_iter().filter_map(|one| within(one, settled, to)));
            on_share(done as f32 / PLACES as f32);
        }
        if breaks_off {
            let packets = survey::Depth::Packets;
            let survey = survey::survey(self.runner, self.source, packets, None).await?;
            let ends = survey.streams.values().map(|stream| stream.end);
            let end = ends.fold(begin, f64::max) - begin;
            damage.retain(|one| one.from < end);
            damage.push(self.cut(end, self.stated().unwrap_or(end).max(end)));
        } else if self.faults.ends_within_packet {
            damage.push(self.cut(length, length));
        }
        damage.extend(self.index());
        whole_reading(&damage, network)?;
        Ok((frames, damage))
    }
}

/// Where the places begin, in seconds from the beginning.
fn starts(length: f64) -> impl Iterator<Item = f64> {
    let last = (length - LENGTH).max(0.0);
    (0..PLACES).map(move |nth| last * f64::from(nth) / f64::from(PLACES - 1))
}

/// The part of a damaged place between these times.
fn within(damage: Damage, from: f64, to: f64) -> Option<Damage> {
    let part = Damage {
        from: damage.from.max(from),
        to: damage.to.min(to),
        ..damage
    };
    (part.from <= part.to).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_the_end_and_places_between_are_decoded() {
        let starts: Vec<f64> = starts(606.0).collect();
        assert_eq!(starts, [0.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0]);
    }

    #[test]
    fn only_what_is_in_a_place_counts() {
        let damage = |from, to| Damage {
            from,
            to,
            ..Damage::whole("video")
        };
        assert_eq!(within(damage(1.0, 5.0), 2.0, 6.0), Some(damage(2.0, 5.0)));
        assert_eq!(within(damage(0.0, 1.0), 2.0, 6.0), None);
        assert_eq!(within(damage(3.0, 3.0), 2.0, 6.0), Some(damage(3.0, 3.0)));
    }
}
