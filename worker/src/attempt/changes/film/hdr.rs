//! Compares the metadata about brightness: HDR10 and Dolby Vision.

use common::job::changes::{Change, Kind};

use crate::attempt::changes::Pair;
use crate::ffmpeg::probe::media::{DolbyVision, Hdr10};

pub(super) fn hdr10(pair: &Pair<'_>) -> Option<Change> {
    let (before, after) = (&pair.source.hdr10, &pair.made.hdr10);
    let index = pair.source.index;
    if before.is_empty() {
        return None;
    }
    let lost = Hdr10 {
        mastering: before.mastering.filter(|_| after.mastering.is_none()),
        light: before.light.filter(|_| after.light.is_none()),
    };
    Some(if !lost.is_empty() {
        Change::lost(Kind::Hdr10, index, hdr10_text(&lost), pair.wrote_none())
    } else if is_same_light(before, after) {
        Change::kept(Kind::Hdr10, index, hdr10_text(before))
    } else {
        let why = "the output says other figures";
        Change::converted(
            Kind::Hdr10,
            index,
            hdr10_text(before),
            hdr10_text(after),
            why,
        )
    })
}

fn hdr10_text(hdr10: &Hdr10) -> String {
    let mastering = hdr10.mastering.map(|mastering| match mastering.luminance {
        Some((_, most)) => format!("mastering display of {} cd/m²", most / 10_000),
        None => "mastering display".to_owned(),
    });
    let light = hdr10
        .light
        .map(|light| format!("content light {}/{}", light.max, light.average));
    let parts: Vec<String> = mastering.into_iter().chain(light).collect();
    parts.join(", ")
}

/// Whether two descriptions are the same except for rounding.
fn is_same_light(before: &Hdr10, after: &Hdr10) -> bool {
    let near = |one: u32, other: u32, by: u32| one.abs_diff(other) <= by;
    let mastering = match (before.mastering, after.mastering) {
        (Some(before), Some(after)) => {
            let points = match (before.chromaticities, after.chromaticities) {
                (Some(before), Some(after)) => before
                    .iter()
                    .zip(after)
                    .all(|(one, other)| near(one.0, other.0, 5) && near(one.1, other.1, 5)),
                (None, _) => true,
                (Some(_), None) => false,
            };
            let luminance = match (before.luminance, after.luminance) {
                (Some(before), Some(after)) => {
                    near(before.0, after.0, 5) && near(before.1, after.1, before.1 / 1000)
                }
                (None, _) => true,
                (Some(_), None) => false,
            };
            points && luminance
        }
        _ => true,
    };
    mastering && (before.light.is_none() || before.light == after.light)
}

pub(super) fn dolby_vision(pair: &Pair<'_>) -> Option<Change> {
    let text = |record: DolbyVision| {
        let layer = if record.has_enhancement_layer {
            " with enhancement layer"
        } else {
            ""
        };
        match (record.profile, record.compatibility) {
            (0, _) => format!("RPU{layer}"),
            (profile, 0) => format!("profile {profile}{layer}"),
            (profile, compatibility) => format!("profile {profile}.{compatibility}{layer}"),
        }
    };
    let before = pair.source.dolby_vision?;
    let (index, from) = (pair.source.index, text(before));
    Some(match pair.made.dolby_vision {
        Some(after) if text(after) == from => Change::kept(Kind::DolbyVision, index, from),
        Some(after) => {
            let why = "the output is of another profile";
            Change::converted(Kind::DolbyVision, index, from, text(after), why)
        }
        None => Change::lost(Kind::DolbyVision, index, from, pair.wrote_none()),
    })
}
