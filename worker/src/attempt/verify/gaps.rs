//! Finds missing frames: gaps between two frames that are longer than usual in this track.

/// Complaints this close to each other are about one place, in seconds.
pub(crate) const ONE_PLACE: f64 = 0.5;

/// The gaps of a track, in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gaps(Vec<Gap>);

/// A gap. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// The time of the last frame before the gap.
    pub from: f64,
    /// The time from that frame to the next one.
    pub length: f64,
    /// How many frames are missing.
    pub frames: u64,
}

impl Gaps {
    /// The gaps between frames at these times, in any order.
    pub fn of(frames: &[f64]) -> Self {
        let mut times = frames.to_vec();
        times.sort_by(f64::total_cmp);
        let waits = || times.windows(2).map(|pair| (pair[0], pair[1] - pair[0]));
        let mut usual: Vec<f64> = waits().map(|(_, wait)| wait).collect();
        usual.sort_by(f64::total_cmp);
        let Some(&usual) = usual.get(usual.len() / 2).filter(|usual| **usual > 0.0) else {
            return Self::default();
        };
        let long = waits().filter(|(_, wait)| *wait > 1.5 * usual);
        let gaps = long.map(|(from, length)| Gap {
            from,
            length,
            frames: (length / usual).round() as u64 - 1,
        });
        Self(gaps.collect())
    }

    /// The gaps at or close to these times.
    pub fn at(&self, places: &[f64]) -> Vec<Gap> {
        let gaps = self.0.iter().copied();
        gaps.filter(|gap| {
            let around = gap.from - ONE_PLACE..gap.from + gap.length + ONE_PLACE;
            places.iter().any(|place| around.contains(place))
        })
        .collect()
    }

    /// The longest gaps that are not among the `known` ones, at most `most`.
    pub fn longest_besides(&self, known: &[Gap], most: usize) -> Vec<Gap> {
        let others = self.0.iter().copied().filter(|gap| !known.contains(gap));
        let mut others: Vec<Gap> = others.collect();
        others.sort_by(|one, other| other.length.total_cmp(&one.length));
        others.truncate(most);
        others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_found_by_place_and_by_length() {
        let numbers = (0..60).filter(|number| ![3, 4].contains(number));
        let frames: Vec<f64> = numbers
            .chain([110, 111])
            .map(|number| f64::from(number) * 0.04)
            .collect();
        let gaps = Gaps::of(&frames);
        let missing = |gaps: Vec<Gap>| gaps.iter().map(|gap| gap.frames).collect::<Vec<_>>();
        let first = gaps.at(&[0.2]);
        assert_eq!(missing(first.clone()), [2]);
        assert_eq!(missing(gaps.at(&[])), [0; 0]);
        assert_eq!(missing(gaps.longest_besides(&[], 1)), [50]);
        assert_eq!(missing(gaps.longest_besides(&first, 2)), [50]);
        assert_eq!(missing(gaps.longest_besides(&[], 2)), [50, 2]);
        assert_eq!(Gaps::of(&[]).at(&[1.0]), []);
    }
}
