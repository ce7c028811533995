//! Cropping: cuts off the borders that the recipe names, or that the survey has found.

use common::farm::film::BlackBorders;
use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::{Borders, Crop, VideoEncode};

use super::{Fields, Picture, Task, pixel_format};
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::probe::media::Stream;

/// Why less is cut off than the recipe asks for.
const WHOLE: &str =
    "only whole samples of colour can be cut off, and of each field where fields stay";

/// What is cut off one film.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::ffmpeg) struct Cut {
    /// The borders that the recipe names, or that were found.
    asked: Borders,
    /// The same, rounded down to what can be cut off.
    borders: Borders,
    /// What the survey says, if it was asked.
    found: Option<Found>,
}

#[derive(Clone, Copy, Debug)]
enum Found {
    Seen(BlackBorders),
    /// There was no time to look.
    NotYet,
}

impl Cut {
    /// What the recipe cuts off a film.
    ///
    /// # Errors
    /// If it would leave nothing of the picture; the input is at fault.
    pub(in crate::ffmpeg) fn of(
        film: &Stream,
        video: &VideoEncode,
        fields: Fields,
        findings: &Findings,
    ) -> Result<Self, Failure> {
        let (asked, found) = match video.crop {
            Crop::None => return Ok(Self::default()),
            Crop::Exact(borders) => (borders, None),
            Crop::Auto | Crop::Loose => {
                let borders = findings.borders.as_ref();
                match borders.and_then(|borders| borders.get(&film.index)) {
                    Some(seen) => (seen.borders, Some(Found::Seen(*seen))),
                    None => (Borders::default(), Some(Found::NotYet)),
                }
            }
        };
        let cut = Self {
            asked,
            borders: whole_samples(asked, film, fields),
            found,
        };
        let (width, height) = film.shown();
        if width > 0 && height > 0 && cut.rest((width, height)).is_none() {
            return Err(Failure::input(format!(
                "the crop {asked} (top:bottom:left:right) leaves nothing of video track {}, which has {width}x{height} \
                 pixels: choose smaller borders, or --crop auto",
                film.index
            )));
        }
        Ok(cut)
    }

    /// Whether nothing is cut off.
    pub(super) fn is_empty(self) -> bool {
        self.borders.is_empty()
    }

    /// The size of the rest of a picture; `None` if nothing is left.
    pub(super) fn rest(self, (width, height): (u32, u32)) -> Option<(u32, u32)> {
        let Borders {
            top,
            bottom,
            left,
            right,
        } = self.borders;
        let rest = |side: u32, cut: u32| side.checked_sub(cut).filter(|rest| *rest > 1);
        Some((rest(width, left + right)?, rest(height, top + bottom)?))
    }

    /// What a person is told about it. `to` is the size of the output before scaling.
    fn change(self, film: &Stream, to: (u32, u32)) -> Option<Change> {
        let text = |(width, height)| format!("{width}x{height}");
        let from = text(film.shown());
        let borders = self.borders;
        let names = "top:bottom:left:right";
        let cut = |why| {
            let change = Change::converted(Kind::Aspect, film.index, &from, text(to), why);
            Some(change.wanted())
        };
        let kept = |why| {
            let kept = Change::kept(Kind::Aspect, film.index, &from);
            Some(Change {
                why: Some(why),
                ..kept
            })
        };
        match self.found {
            None if self.asked.is_empty() => None,
            None if self.is_empty() => kept(format!(
                "nothing is cut off: the recipe asks for {} ({names}), and {WHOLE}",
                self.asked
            )),
            None if self.asked != borders => cut(format!(
                "{borders} ({names}) is cut off: the recipe asks for {}, and {WHOLE}",
                self.asked
            )),
            None => cut(format!(
                "{borders} ({names}) is cut off, as the recipe asks"
            )),
            Some(Found::NotYet) => {
                let change = Change::converted(
                    Kind::Aspect,
                    film.index,
                    &from,
                    "the picture without black borders",
                    "the job will find them: a forecast has no time for it",
                );
                Some(change.wanted())
            }
            Some(Found::Seen(seen)) if !seen.is_sure() => kept(format!(
                "only {} of {} pictures show where a black border is, and {} are needed: nothing is cut off \
                 (--crop TOP:BOTTOM:LEFT:RIGHT cuts off what you say)",
                seen.usable,
                seen.pictures,
                BlackBorders::LEAST
            )),
            Some(Found::Seen(seen)) => {
                let among = format!("{} of {} pictures", seen.usable, seen.pictures);
                match (self.is_empty(), seen.is_mixed) {
                    (true, false) => kept(format!("no black border was found in {among}")),
                    (true, true) => kept(format!(
                        "the shape of the picture changes, and no border is black in all of {among}"
                    )),
                    (false, false) => cut(format!(
                        "black borders {borders} ({names}) are cut off, found in {among}"
                    )),
                    (false, true) => cut(format!(
                        "black borders {borders} ({names}) are cut off: the shape of the picture changes, and these are \
                         black in all of {among}"
                    )),
                }
            }
        }
    }
}

/// Cuts off the borders, and reports it.
pub(super) fn cut(task: &Task<'_>, picture: &mut Picture) {
    let Task { film, crop, .. } = task;
    if !crop.is_empty() {
        let Borders {
            top,
            bottom,
            left,
            right,
        } = crop.borders;
        picture.filters.push(format!(
            "crop=iw-{}:ih-{}:{left}:{top}",
            left + right,
            top + bottom
        ));
    }
    picture.changes.extend(crop.change(film, task.shown()));
}

/// Rounds borders down to what the picture's layout can cut: whole samples of colour, and of each field if the film
/// keeps its fields.
fn whole_samples(borders: Borders, film: &Stream, fields: Fields) -> Borders {
    let (wide, high) = match pixel_format::chroma(&film.pixel_format) {
        "444" => (1, 1),
        "422" => (2, 1),
        "440" => (1, 2),
        "411" => (4, 1),
        "410" => (4, 4),
        _ => (2, 2),
    };
    let (wide, high) = if film.rotation.is_multiple_of(180) {
        (wide, high)
    } else {
        (high, wide)
    };
    let keeps_fields = film.is_interlaced && fields.may_stay();
    let high = if keeps_fields { high * 2 } else { high };
    let down = |side: u32, step: u32| side / step * step;
    Borders {
        top: down(borders.top, high),
        bottom: down(borders.bottom, high),
        left: down(borders.left, wide),
        right: down(borders.right, wide),
    }
}
