//! Finds the black borders of a film, by the rules that HandBrake's users know.
//!
//! Ten pictures are spread over the film. A row or a column belongs to a border if it is dark on average and smooth.
//! A picture with borders of a quarter or more is a title or a fade, and says nothing.

use std::collections::BTreeMap;

use common::farm::film::BlackBorders;
use common::job::failure::Failure;
use common::recipe::{Borders, Crop, Recipe};

use crate::attempt::survey::Asked;
use crate::attempt::survey::pictures::{Luma, PLACES};
use crate::ffmpeg::probe::media::Stream;

/// Below this mean brightness a row is dark, in 8 bits.
const DARK: u16 = 32;
/// Black, in 8 bits. Darker samples count as black.
const BLACK: u16 = 16;
/// The most by which a sample of a border may differ from the mean of its row, in 8 bits.
const SMOOTH: u16 = 16;
/// The part of the height at the top and at the bottom that may hold a bright line outside the border: data of
/// television in line 21, or a mark of the edge.
const EDGE: usize = 100;

/// A picture whose border is smaller than the median by more pixels than this has another shape.
const OTHER_SHAPE: u32 = 9;
/// The shape of the film changes if this many of the ten pictures have another shape.
const MIXED: usize = 4;

pub(super) fn is_asked(recipe: &Recipe) -> bool {
    loosely(recipe).is_some()
}

/// Whether the recipe asks for the smallest borders. `None` if it asks for none that must be found.
fn loosely(recipe: &Recipe) -> Option<bool> {
    match recipe.video_encode()?.crop {
        Crop::Auto => Some(false),
        Crop::Loose => Some(true),
        Crop::None | Crop::Exact(_) => None,
    }
}

/// The borders of each film.
///
/// # Errors
/// If ffmpeg cannot be run, is stopped, or cannot reach the input.
pub(super) async fn of_films(asked: &Asked<'_>) -> Result<BTreeMap<usize, BlackBorders>, Failure> {
    let mut found = BTreeMap::new();
    for film in asked.media.films() {
        found.insert(film.index, find(asked, film).await?);
    }
    Ok(found)
}

async fn find(asked: &Asked<'_>, film: &Stream) -> Result<BlackBorders, Failure> {
    let places = asked.places(film);
    let mut pictures = Vec::new();
    for time in &places.times {
        let picture = asked.luma(film, &places, *time).await?;
        pictures.extend(picture.map(|picture| measure(&picture)));
    }
    let is_loose = loosely(asked.recipe).unwrap_or(true);
    Ok(choose(&pictures, is_loose))
}

/// The borders of a picture. `None` if one side has a quarter or more of the picture.
fn measure(picture: &Luma) -> Option<Borders> {
    let (width, height) = (picture.width, picture.height);
    let (quarter_width, quarter_height) = (width / 4, height / 4);
    let edge = height / EDGE;
    let rows = |is_dark: &dyn Fn(usize) -> bool| {
        let behind_edge = (edge..quarter_height)
            .find(|row| !is_dark(*row))
            .unwrap_or(quarter_height);
        if behind_edge > edge {
            return behind_edge;
        }
        // The picture begins at the edge. A border may still lie within the edge.
        (0..edge).find(|row| !is_dark(*row)).unwrap_or(0)
    };
    let top = rows(&|row| picture.is_row_dark(row));
    let bottom = rows(&|row| picture.is_row_dark(height - 1 - row));
    let columns = |is_dark: &dyn Fn(usize) -> bool| {
        (0..quarter_width)
            .find(|column| !is_dark(*column))
            .unwrap_or(quarter_width)
    };
    let between = top..height.saturating_sub(bottom);
    let left = columns(&|column| picture.is_column_dark(column, between.clone()));
    let right = columns(&|column| picture.is_column_dark(width - 1 - column, between.clone()));
    let is_whole = top < quarter_height
        && bottom < quarter_height
        && left < quarter_width
        && right < quarter_width;
    let borders = Borders {
        top: u32::try_from(top).ok()?,
        bottom: u32::try_from(bottom).ok()?,
        left: u32::try_from(left).ok()?,
        right: u32::try_from(right).ok()?,
    };
    is_whole.then_some(borders)
}

impl Luma {
    fn is_row_dark(&self, row: usize) -> bool {
        let begin = row * self.width;
        self.is_dark(|| self.samples[begin..begin + self.width].iter().copied())
    }

    fn is_column_dark(&self, column: usize, rows: std::ops::Range<usize>) -> bool {
        self.is_dark(|| {
            rows.clone()
                .map(|row| self.samples[row * self.width + column])
        })
    }

    /// Whether the samples are dark and smooth.
    fn is_dark<S: Iterator<Item = u16>>(&self, samples: impl Fn() -> S) -> bool {
        let deep = |eight_bits: u16| eight_bits << (self.depth - 8);
        let samples = || samples().map(|sample| sample.max(deep(BLACK)));
        let (mut sum, mut count) = (0_u64, 0_u64);
        for sample in samples() {
            sum += u64::from(sample);
            count += 1;
        }
        let Some(mean) = sum.checked_div(count).map(|mean| mean as u16) else {
            return false;
        };
        mean < deep(DARK) && samples().all(|sample| sample.abs_diff(mean) <= deep(SMOOTH))
    }
}

/// Chooses the borders to cut off from those of all pictures.
fn choose(pictures: &[Option<Borders>], is_loose: bool) -> BlackBorders {
    let usable: Vec<Borders> = pictures.iter().copied().flatten().collect();
    let mut found = BlackBorders {
        pictures: pictures.len(),
        usable: usable.len(),
        ..BlackBorders::default()
    };
    if !found.is_sure() {
        return found;
    }
    // Each side has its own order.
    let sorted = |side: fn(&Borders) -> u32| {
        let mut sides: Vec<u32> = usable.iter().map(side).collect();
        sides.sort_unstable();
        sides
    };
    let at = |place: usize| Borders {
        top: sorted(|borders| borders.top)[place],
        bottom: sorted(|borders| borders.bottom)[place],
        left: sorted(|borders| borders.left)[place],
        right: sorted(|borders| borders.right)[place],
    };
    let median = at(usable.len() / 2);
    let others = usable.iter().filter(|borders| {
        sides(**borders)
            .into_iter()
            .zip(sides(median))
            .any(|(own, median)| median.saturating_sub(own) > OTHER_SHAPE)
    });
    found.is_mixed = others.count() >= MIXED;
    found.borders = if is_loose || found.is_mixed {
        // No pixel of any picture is cut off.
        each(at(0), |side| side / 2 * 2)
    } else {
        each(median, |side| side.next_multiple_of(2))
    };
    found
}

fn sides(borders: Borders) -> [u32; 4] {
    [borders.top, borders.bottom, borders.left, borders.right]
}

fn each(borders: Borders, change: impl Fn(u32) -> u32) -> Borders {
    Borders {
        top: change(borders.top),
        bottom: change(borders.bottom),
        left: change(borders.left),
        right: change(borders.right),
    }
}

const _: () = assert!(PLACES == 10, "MIXED counts among ten pictures");

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of this size, black except for a bright part within these borders.
    fn picture(depth: u8, size: (usize, usize), borders: [usize; 4]) -> Luma {
        let (width, height) = size;
        let [top, bottom, left, right] = borders;
        let scale = 1 << (depth - 8);
        let sample = |row: usize, column: usize| {
            let is_inside =
                (top..height - bottom).contains(&row) && (left..width - right).contains(&column);
            if is_inside { 120 * scale } else { 16 * scale }
        };
        Luma {
            width,
            height,
            depth,
            samples: (0..height)
                .flat_map(|row| (0..width).map(move |column| sample(row, column)))
                .collect(),
        }
    }

    fn borders(text: &str) -> Borders {
        match text.parse() {
            Ok(Crop::Exact(borders)) => borders,
            _ => Borders::default(),
        }
    }

    #[test]
    fn borders_are_measured_in_8_and_10_bits() {
        for depth in [8, 10] {
            let found = measure(&picture(depth, (160, 120), [16, 14, 8, 3]));
            assert_eq!(found, Some(borders("16:14:8:3")));
            assert_eq!(
                measure(&picture(depth, (160, 120), [0; 4])),
                Some(borders("none"))
            );
        }
    }

    #[test]
    fn noise_near_black_is_a_border_and_a_dim_line_is_none() {
        let mut noisy = picture(8, (160, 120), [16, 16, 0, 0]);
        for (place, sample) in noisy.samples[..160 * 16].iter_mut().enumerate() {
            *sample = 12 + (place % 14) as u16;
        }
        assert_eq!(measure(&noisy), Some(borders("16:16:0:0")));
        // A row with one sample far from its mean is picture.
        noisy.samples[160 * 9 + 50] = 60;
        assert_eq!(measure(&noisy), Some(borders("9:16:0:0")));
    }

    #[test]
    fn a_bright_line_at_the_outermost_edge_belongs_to_the_border() {
        // One hundredth of 200 rows.
        let mut edged = picture(8, (160, 200), [20, 20, 0, 0]);
        edged.samples[..160].fill(200);
        assert_eq!(measure(&edged), Some(borders("20:20:0:0")));
        let mut thin = picture(8, (160, 200), [0; 4]);
        thin.samples[..160].fill(16);
        assert_eq!(measure(&thin), Some(borders("1:0:0:0")));
    }

    #[test]
    fn a_picture_that_is_dark_over_a_quarter_says_nothing() {
        assert_eq!(measure(&picture(8, (160, 120), [30, 0, 0, 0])), None);
        assert_eq!(measure(&picture(8, (160, 120), [0, 0, 0, 40])), None);
        assert_eq!(measure(&picture(10, (160, 120), [60, 60, 0, 0])), None);
    }

    #[test]
    fn the_median_counts_and_with_loose_borders_the_smallest() {
        let pictures: Vec<Option<Borders>> = [
            "21:20:0:0",
            "22:20:0:0",
            "18:20:0:2",
            "21:20:0:0",
            "21:20:1:0",
        ]
        .map(|text| Some(borders(text)))
        .into();
        let auto = choose(&pictures, false);
        assert_eq!((auto.borders, auto.is_mixed), (borders("22:20:0:0"), false));
        assert_eq!(choose(&pictures, true).borders, borders("18:20:0:0"));
    }

    #[test]
    fn a_film_of_two_shapes_loses_no_picture() {
        let wide = Some(borders("40:40:0:0"));
        let tall = Some(borders("0:0:0:0"));
        let mixed = |tall_ones: usize| {
            let pictures = [vec![wide; 10 - tall_ones], vec![tall; tall_ones]].concat();
            choose(&pictures, false)
        };
        assert_eq!(
            (mixed(3).borders, mixed(3).is_mixed),
            (borders("40:40:0:0"), false)
        );
        assert_eq!(
            (mixed(4).borders, mixed(4).is_mixed),
            (borders("none"), true)
        );
    }

    #[test]
    fn two_pictures_are_too_few() {
        let wide = Some(borders("40:40:0:0"));
        let found = choose(&[wide, wide, None, None], false);
        assert_eq!(found.borders, borders("none"));
        assert_eq!(
            (found.usable, found.pictures, found.is_sure()),
            (2, 4, false)
        );
    }
}
