//! Looks for combs: pictures whose two fields were taken at different times.
//!
//! The lines of a picture that belong together differ less from each other than the lines of its top field differ
//! from the bottom field of another picture. If the top field of a picture suits the bottom field of the picture
//! before at least as well as its own, the picture is combed. Detail and noise raise all of these differences alike.

use std::collections::BTreeMap;

use common::farm::film::Combing;
use common::job::failure::Failure;
use common::recipe::{Deinterlace, Recipe};

use crate::attempt::survey::Asked;
use crate::attempt::survey::pictures::Luma;
use crate::ffmpeg::probe::media::Stream;

/// The pictures at each place. The first and the last of them only serve for comparison.
const RUN: usize = 14;

/// Below this part of the difference within a picture, and this many levels, the pictures hardly move.
const STILL: (f64, f64) = (0.02, 0.1);
/// The mean difference of a field from the one before, in levels, from which on it is a new one.
const NEW: f64 = 0.3;
/// Below this part of the other field's difference, a field is the same as before.
const REPEATED: f64 = 0.25;
/// A combed picture suits its neighbours on one side nearly as well as itself: the difference is below this part of
/// the difference on the other side.
const COMBED: f64 = 0.15;
/// From this part on, the picture is whole.
const WHOLE: f64 = 0.35;

pub(super) fn is_asked(recipe: &Recipe) -> bool {
    recipe
        .video_encode()
        .is_some_and(|video| video.deinterlace != Deinterlace::Off || video.detelecine)
}

/// The combs in each film.
///
/// # Errors
/// If ffmpeg cannot be run, is stopped, or cannot reach the input.
pub(super) async fn of_films(asked: &Asked<'_>) -> Result<BTreeMap<usize, Combing>, Failure> {
    let mut found = BTreeMap::new();
    for film in asked.media.films() {
        found.insert(film.index, find(asked, film).await?);
    }
    Ok(found)
}

async fn find(asked: &Asked<'_>, film: &Stream) -> Result<Combing, Failure> {
    let mut combing = Combing::default();
    let places = asked.places(film);
    for time in &places.times {
        let pictures = asked.lumas(film, &places, *time, RUN).await?;
        judge(&pictures, &mut combing);
    }
    Ok(combing)
}

/// Judges each picture of a run that has one before and one after it.
fn judge(pictures: &[Luma], combing: &mut Combing) {
    for run in pictures.windows(3) {
        let [before, this, after] = run else {
            continue;
        };
        combing.pictures += 1;
        let new = |parity| this.field_difference(before, parity);
        let (top, bottom) = (new(0), new(1));
        if top.max(bottom) >= NEW {
            combing.moving += 1;
            combing.repeats += usize::from(top.min(bottom) < REPEATED * top.max(bottom));
        }
        let own = weave(this, this);
        // With the top field first, the neighbours in time of a picture's own fields are these.
        let top_first = (weave(this, before) + weave(after, this)) / 2.0 - own;
        let bottom_first = (weave(this, after) + weave(before, this)) / 2.0 - own;
        let (least, most) = (top_first.min(bottom_first), top_first.max(bottom_first));
        if most < STILL.0 * own + STILL.1 {
            continue;
        }
        if least >= WHOLE * most {
            combing.whole += 1;
        } else if least < COMBED * most {
            if top_first < bottom_first {
                combing.top_first += 1;
            } else {
                combing.bottom_first += 1;
            }
        }
    }
}

impl Luma {
    fn row(&self, row: usize) -> &[u16] {
        &self.samples[row * self.width..(row + 1) * self.width]
    }

    /// The mean difference between the fields of this parity of two pictures: 0 for the top, 1 for the bottom field.
    fn field_difference(&self, other: &Self, parity: usize) -> f64 {
        let rows = (parity..self.height).step_by(2);
        let sum: u64 = rows
            .clone()
            .flat_map(|row| self.row(row).iter().zip(other.row(row)))
            .map(|(one, other)| u64::from(one.abs_diff(*other)))
            .sum();
        sum as f64 / (rows.count() * self.width).max(1) as f64
    }
}

/// How badly the top field of one picture and the bottom field of another fit together: the mean difference of each
/// line from the mean of the two lines around it.
fn weave(top: &Luma, bottom: &Luma) -> f64 {
    let row = |row: usize| {
        if row.is_multiple_of(2) {
            top.row(row)
        } else {
            bottom.row(row)
        }
    };
    let (mut sum, mut count) = (0_u64, 0_usize);
    for middle in 1..top.height.saturating_sub(1) {
        let lines = row(middle - 1).iter().zip(row(middle)).zip(row(middle + 1));
        sum += lines
            .map(|((above, this), below)| u64::from((2 * this).abs_diff(above + below)))
            .sum::<u64>();
        count += top.width;
    }
    sum as f64 / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use common::farm::film::FieldOrder;

    use super::*;

    const SIZE: (usize, usize) = (96, 64);

    /// The samples of one line of a moving picture, at a time that counts fields.
    fn line(row: usize, time: usize) -> impl Iterator<Item = u16> {
        (0..SIZE.0).map(move |column| {
            let moved = column + 2 * time + row / 8;
            let bright = if moved % 24 < 12 { 180 } else { 40 };
            bright + (row % 3) as u16
        })
    }

    /// Pictures, of which each field shows the time that `time` gives for the picture and the parity.
    fn film(time: impl Fn(usize, usize) -> usize) -> Vec<Luma> {
        let picture = |number| Luma {
            width: SIZE.0,
            height: SIZE.1,
            depth: 8,
            samples: (0..SIZE.1)
                .flat_map(|row| line(row, time(number, row % 2)))
                .collect(),
        };
        (0..22).map(picture).collect()
    }

    fn look(time: impl Fn(usize, usize) -> usize) -> Combing {
        let mut combing = Combing::default();
        judge(&film(time), &mut combing);
        combing
    }

    #[test]
    fn whole_pictures_have_no_combs() {
        let whole = look(|number, _| 2 * number);
        assert_eq!((whole.combed(), whole.whole, whole.pictures), (0, 20, 20));
        let still = look(|_, _| 0);
        assert_eq!((still.combed(), still.whole, still.moving), (0, 0, 0));
        assert!(!whole.is_combed() && !still.is_combed());
    }

    #[test]
    fn fields_of_either_order_are_combed() {
        let top = look(|number, parity| 2 * number + parity);
        assert_eq!((top.top_first, top.order()), (20, Some(FieldOrder::Top)));
        let bottom = look(|number, parity| 2 * number + 1 - parity);
        assert_eq!(
            (bottom.bottom_first, bottom.order()),
            (20, Some(FieldOrder::Bottom))
        );
        for combing in [top, bottom] {
            assert!(combing.is_interlaced_throughout() && !combing.is_telecined());
        }
    }

    #[test]
    fn repeated_fields_tell_a_telecined_film() {
        // Of four pictures, the second and the fourth give three fields.
        let fields = [0, 0, 1, 1, 1, 2, 2, 3, 3, 3];
        let telecined = look(|number, parity| {
            let field = 2 * number + parity;
            8 * (field / 10) + 2 * fields[field % 10]
        });
        assert!(telecined.is_telecined(), "{telecined:?}");
        assert!(!telecined.is_interlaced_throughout());
        assert_eq!(telecined.repeats, 8);
    }
}
