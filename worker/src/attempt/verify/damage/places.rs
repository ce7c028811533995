//! Describes the damage to a track: how much is lost, and where.

use common::job::changes::{Change, Kind};

use crate::attempt::verify::damage::Inspected;
use crate::attempt::verify::gaps::{Gaps, ONE_PLACE};
use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::probe::survey::{Survey, Surveyed};

/// The most places that are named.
const NAMED_PLACES: usize = 4;

impl Inspected<'_> {
    /// The change that describes the damage to a track; `None` if there is none.
    pub(super) fn damage_to(
        self,
        survey: &Survey,
        stream: &Stream,
        found: &Surveyed,
    ) -> Option<Change> {
        let first = found.frames.first().copied();
        let mut places = Vec::new();
        let mut bad = Vec::new();
        // The number of stretches that the demuxer could not read. Its complaints have no time and are about all
        // tracks. The demuxer of MP4 skips nothing, because it reads by an index.
        let mut unread = 0;
        let skips = !self.media.format.starts_with("mov");
        for complaint in &survey.complaints {
            let is_demuxers = complaint.by == self.media.format;
            if is_demuxers && skips && complaint.before.is_none() {
                unread += 1;
                continue;
            }
            if self.about(&complaint.by, complaint.before) != Some(stream.index) {
                continue;
            }
            let time = complaint.before.map(|(_, time)| time);
            // A recording may begin between two complete pictures. That is no damage.
            if self.is_recording() && time.is_some() && time <= first {
                continue;
            }
            places.push(time.unwrap_or(found.end));
            // Parts that the demuxer leaves out show as gaps.
            if !complaint.by.is_empty() && !is_demuxers {
                bad.push(time.unwrap_or(found.end));
            }
        }
        let gaps = Gaps::of(&found.frames);
        let decoded = gaps.at(&places);
        let read = gaps.longest_besides(&decoded, unread);
        places.extend(read.iter().map(|gap| gap.from));
        let missing: u64 = decoded.iter().chain(&read).map(|gap| gap.frames).sum();
        let all = found.frames.len() as u64;
        let (from, why) = if missing > 0 {
            let of = all + missing;
            let why = match decoded.is_empty() {
                true => "these frames cannot be read",
                false => "these frames cannot be decoded",
            };
            (format!("{missing} of {of}"), why)
        } else {
            bad.sort_by(f64::total_cmp);
            bad.dedup();
            places = bad;
            let why = "these frames are decoded as far as they can be";
            (format!("{} of {all}", places.len()), why)
        };
        let around = around(&mut places, survey.start())?;
        Some(Change::lost(
            Kind::Timing,
            stream.index,
            format!("{from} {} frames", stream.kind),
            format!("the input is damaged {around}: {why}"),
        ))
    }

    /// The index of the track that a complaint is about: the track of the complaining decoder, else the track of the
    /// next frame; `None` if the complaint is about a single picture or about a stream that is left out.
    fn about(self, by: &str, before: Option<(usize, f64)>) -> Option<usize> {
        let is_of = |stream: &&Stream| !stream.codec.is_empty() && by.contains(&stream.codec);
        let next = before.map(|(index, _)| index);
        let streams = || self.kept();
        let next_stream = streams().find(|stream| Some(stream.index) == next);
        let own = next_stream
            .filter(is_of)
            .or_else(|| streams().find(is_of))
            .map(|stream| stream.index);
        let others = || self.media.streams.iter().filter(|one| !self.is_kept(one));
        if own.is_none() && others().any(|stream| is_of(&stream)) {
            return None;
        }
        own.or(next)
            .or_else(|| streams().next().map(|stream| stream.index))
    }
}

/// `around 2.4 s, 7.1 s and 9.0 s`, counted from `beginning`; `None` without a time.
fn around(times: &mut [f64], beginning: f64) -> Option<String> {
    times.sort_by(f64::total_cmp);
    let mut places: Vec<f64> = Vec::new();
    let mut last = f64::NEG_INFINITY;
    for time in times {
        if *time - last > ONE_PLACE {
            places.push((*time - beginning).max(0.0));
        }
        last = *time;
    }
    let mut words: Vec<String> = places
        .iter()
        .take(NAMED_PLACES)
        .map(|time| format!("{time:.1} s"))
        .collect();
    if places.len() > NAMED_PLACES {
        words.push(format!("{} other places", places.len() - NAMED_PLACES));
    }
    let last = words.pop()?;
    Some(match words.is_empty() {
        true => format!("around {last}"),
        false => format!("around {} and {last}", words.join(", ")),
    })
}

impl Survey {
    /// The time of the first packet; 0 if there is none.
    pub(super) fn start(&self) -> f64 {
        let starts = self.streams.values().map(|found| found.start);
        starts
            .reduce(f64::min)
            .filter(|start| start.is_finite())
            .unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_named_and_many_are_counted() {
        assert_eq!(around(&mut [], 0.0), None);
        assert_eq!(around(&mut [2.5], 1.0).as_deref(), Some("around 1.5 s"));
        let mut times = [7.1, 2.4, 2.6];
        assert_eq!(
            around(&mut times, 0.0).as_deref(),
            Some("around 2.4 s and 7.1 s")
        );
        let mut times: Vec<f64> = (0..9).map(f64::from).collect();
        assert_eq!(
            around(&mut times, 0.0).as_deref(),
            Some("around 0.0 s, 1.0 s, 2.0 s, 3.0 s and 5 other places")
        );
    }
}
