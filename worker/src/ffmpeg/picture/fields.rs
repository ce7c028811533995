//! Interlaced films. The recipe makes whole frames of them, or film of telecine. Without such a wish, they are encoded
//! interlaced if the encoder can do that, and deinterlaced otherwise, because fields that are encoded as progressive
//! frames show combs.

use common::farm::film::{Combing, FieldOrder};
use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::{Deinterlace, VideoEncode};

use super::{Picture, Task, pixel_format};
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::probe::media::Stream;

/// Makes one frame of every two fields. Frames that are already progressive pass unchanged.
const DEINTERLACE: &str = "bwdif=mode=send_frame:deint=interlaced";

/// What the recipe does with the fields of one film.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::ffmpeg) enum Fields {
    /// They stay fields if the encoder codes any.
    Keep,
    /// The frames are whole already, whatever their marks say.
    Whole(Combing),
    /// Only the job will find out whether there are combs.
    NotYet,
    /// Each frame becomes a whole one.
    Deinterlace(Which, Option<FieldOrder>),
    /// The frames of the film before telecine.
    Detelecine(Option<FieldOrder>),
}

/// Which frames are deinterlaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ffmpeg) enum Which {
    All,
    /// Those that are marked as interlaced.
    Marked,
    /// Those that are seen to be combed.
    Combed,
}

impl Fields {
    /// # Errors
    /// If ffmpeg cannot do what the recipe asks for with this film; the input is at fault.
    pub(in crate::ffmpeg) fn of(
        film: &Stream,
        video: &VideoEncode,
        findings: &Findings,
    ) -> Result<Self, Failure> {
        if video.deinterlace == Deinterlace::Off && !video.detelecine {
            return Ok(Self::Keep);
        }
        let seen = findings.combing.as_ref();
        let seen = seen.and_then(|seen| seen.get(&film.index));
        let order = seen.and_then(Combing::order);
        let marked = film.is_interlaced;
        // The order that is seen is right even where the marks are wrong.
        let order = match (order, film.is_bottom_first) {
            (Some(FieldOrder::Top), false) | (Some(FieldOrder::Bottom), true) if marked => None,
            _ => order,
        };
        if video.detelecine && seen.is_some_and(Combing::is_telecined) {
            if film.depth() > 8 {
                return Err(Failure::input(format!(
                    "video track {} has {} bits per sample, and ffmpeg finds the pictures of a telecined film in 8 bits \
                     only: leave out --detelecine",
                    film.index,
                    film.depth()
                )));
            }
            return Ok(Self::Detelecine(order));
        }
        Ok(match (video.deinterlace, seen) {
            (Deinterlace::Always, _) => Self::Deinterlace(Which::All, order),
            (Deinterlace::Off, Some(_)) => Self::Keep,
            (_, None) => Self::NotYet,
            (Deinterlace::Auto, Some(seen)) if !seen.is_combed() => Self::Whole(*seen),
            (Deinterlace::Auto, Some(seen)) => {
                let which = match (seen.is_interlaced_throughout(), marked) {
                    (true, true) => Which::Marked,
                    (true, false) => Which::All,
                    (false, _) if film.depth() == 8 => Which::Combed,
                    (false, true) => Which::Marked,
                    (false, false) => Which::All,
                };
                Self::Deinterlace(which, order)
            }
        })
    }

    /// Whether the output has four frames of each five of the source.
    pub(in crate::ffmpeg) fn leaves_out_frames(self) -> bool {
        matches!(self, Self::Detelecine(_))
    }

    /// Whether fields may stay fields.
    pub(super) fn may_stay(self) -> bool {
        matches!(self, Self::Keep | Self::NotYet)
    }
}

/// The options that make an encoder keep fields.
struct Coding {
    /// Values of ffmpeg's option `flags`.
    flags: &'static str,
    /// Entries of the encoder's own parameter list.
    params: &'static [&'static str],
}

/// Chooses the filters, or the options that keep fields, and reports what becomes of fields.
pub(super) fn treat(task: &Task<'_>, picture: &mut Picture) {
    let film = task.film;
    let asked = "as the recipe asks";
    let rate = |factor: f64, unknown: &str| match film.mean_rate {
        Some(rate) => format!("{} fps", (rate.value() * factor * 1000.0).round() / 1000.0),
        None => unknown.to_owned(),
    };
    let (before, after) = (rate(1.0, "all frames"), rate(0.8, "four of five frames"));
    if task.video.detelecine && !matches!(task.fields, Fields::Detelecine(_) | Fields::NotYet) {
        let kept = Change::kept(Kind::Timing, film.index, before.as_str());
        let why = "no telecine was found, so no frame is left out";
        picture.changes.push(Change {
            why: Some(why.to_owned()),
            ..kept
        });
    }
    match task.fields {
        Fields::Keep => keep(task, picture),
        Fields::NotYet => {
            let why = "the job will look for combs: a forecast has no time for it";
            let mut change = whole(film, why.to_owned());
            if !film.is_interlaced {
                change.from = "fields, if there are any".to_owned();
            }
            picture.changes.push(change.wanted());
        }
        Fields::Whole(seen) => {
            if film.is_interlaced {
                picture.filters.push("setfield=prog".to_owned());
                let why = format!("none of {} pictures is combed", seen.pictures);
                picture.changes.push(whole(film, why).wanted());
            }
        }
        Fields::Deinterlace(which, order) => {
            let parity = parity("parity", order);
            let filter = match which {
                Which::All => format!("bwdif=mode=send_frame{parity}:deint=all"),
                Which::Marked => format!("{DEINTERLACE}{parity}"),
                // This filter marks frames with combs. It also joins fields that belong together.
                Which::Combed => {
                    let order = self::parity("order", order);
                    format!("fieldmatch=mode=pc{order},{DEINTERLACE}{parity}")
                }
            };
            picture.filters.push(filter);
            let why = match which {
                Which::All => asked.to_owned(),
                Which::Marked => format!("{asked}: it is combed throughout"),
                Which::Combed => format!("{asked}: combed pictures only"),
            };
            picture.changes.push(whole(film, why).wanted());
        }
        Fields::Detelecine(order) => {
            let (order, parity) = (parity("order", order), parity("parity", order));
            picture.filters.push(format!(
                "fieldmatch=mode=pc_n{order},{DEINTERLACE}{parity},decimate"
            ));
            let why = format!("{asked}: it is a telecined film");
            picture.changes.push(whole(film, why.clone()).wanted());
            let change = Change::converted(Kind::Timing, film.index, before, after, why);
            picture.changes.push(change.wanted());
        }
    }
}

/// An option of a filter that names the field order, with a colon before it.
fn parity(option: &str, order: Option<FieldOrder>) -> String {
    match order {
        Some(FieldOrder::Top) => format!(":{option}=tff"),
        Some(FieldOrder::Bottom) => format!(":{option}=bff"),
        None => String::new(),
    }
}

fn keep(task: &Task<'_>, picture: &mut Picture) {
    let Task {
        film,
        video,
        encoder,
        ..
    } = task;
    let has_field_filters = video
        .filters
        .as_ref()
        .is_some_and(|filters| filters.touch_fields());
    // Nothing is known of an encoder outside the catalogue.
    if !film.is_interlaced || has_field_filters || encoder.codec().is_none() {
        return;
    }
    let why = match coding(task) {
        Some(_) if task.is_scaled() => "fields cannot be scaled".to_owned(),
        Some(_) if task.needs_whole_frames() => {
            "what the recipe does to the picture works on whole frames".to_owned()
        }
        Some(coding) => {
            if !coding.flags.is_empty() {
                picture.option("flags", coding.flags);
            }
            picture
                .params
                .extend(coding.params.iter().map(ToString::to_string));
            return;
        }
        None => format!("{encoder} codes no fields of this picture"),
    };
    picture.filters.push(DEINTERLACE.to_owned());
    picture.changes.push(whole(film, why));
}

/// The change from fields to whole frames.
fn whole(film: &Stream, why: String) -> Change {
    let from = match (film.is_interlaced, film.is_bottom_first) {
        (true, true) => "fields, bottom first",
        (true, false) => "fields, top first",
        (false, _) => "fields in frames that are marked as whole",
    };
    Change::converted(Kind::Interlacing, film.index, from, "whole frames", why)
}

fn coding(task: &Task<'_>) -> Option<Coding> {
    let film = task.film;
    let (_, height) = task.shown();
    let both = "+ildct+ilme";
    let coding = |flags, params| Some(Coding { flags, params });
    match task.encoder.as_str() {
        // libx264 takes fields of 4:2:0 only if each field has an even number of lines.
        "libx264"
            if !height.is_multiple_of(4) && pixel_format::chroma(&film.pixel_format) == "420" =>
        {
            None
        }
        // Each frame says which field comes first, but mp4 and mov take the order from these parameters.
        "libx264" if film.is_bottom_first => coding(both, &["bff=1"]),
        "libx264" => coding(both, &["tff=1"]),
        "mpeg2video" | "mpeg4" => coding(both, &[]),
        "prores_ks" | "prores" | "prores_aw" => coding("+ildct", &[]),
        "ffv1" => coding("", &[]),
        _ => None,
    }
}
