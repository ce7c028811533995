//! Tone mapping: from high to standard dynamic range, with the primaries, the matrix, the range and the marks of BT.709.

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::ToneMap;

use super::bt2390::{Bt2390, NOMINAL_PEAK, Transfer};
use super::conversion::{ASKED, complete, intermediate, needs};
use super::{Picture, Task};
use crate::ffmpeg::probe::media::Stream;

/// HDR data that SDR does not have, by names that the filter `sidedata` of every version knows.
const HDR_DATA: &[&str] = &[
    "MASTERING_DISPLAY_METADATA",
    "CONTENT_LIGHT_LEVEL",
    "DYNAMIC_HDR_PLUS",
];

/// Further HDR data, by names that only newer versions know. Those versions would write it to the output.
const NEWER_HDR_DATA: &[&str] = &[
    "DOVI_RPU_BUFFER",
    "DOVI_METADATA",
    "AMBIENT_VIEWING_ENVIRONMENT",
];

/// A colour table that a filter reads from ffmpeg's working folder.
#[derive(Clone, Debug, PartialEq)]
pub struct ColourTable {
    /// The name of the file.
    pub name: String,
    curve: Bt2390,
}

impl ColourTable {
    pub(super) fn new(name: impl Into<String>, curve: Bt2390) -> Self {
        Self {
            name: name.into(),
            curve,
        }
    }

    /// The content of the file.
    pub fn content(&self) -> String {
        self.curve.cube()
    }
}

/// # Errors
/// If this ffmpeg lacks a filter; the input is at fault.
pub(super) fn map(task: &Task<'_>, picture: &mut Picture) -> Result<(), Failure> {
    let film = task.film;
    let curve = task.video.tone_map;
    complete(task, picture, "");
    let to = intermediate(task, picture);
    if curve == ToneMap::Bt2390 {
        needs(task, &["zscale", "lut3d"])?;
        let curve = Bt2390::new(transfer(film), peak(film));
        let table = ColourTable::new(format!("tones-{}.cube", film.index), curve);
        // The table is made for the primaries of BT.2020.
        picture.filters.push(format!(
            "zscale=p=bt2020:m=gbr:r=pc,format=gbrpf32le,lut3d=file={}:interp=tetrahedral,\
             setparams=color_primaries=bt709:color_trc=bt709,zscale=m=bt709:r=tv,format={to}",
            table.name
        ));
        picture.table = Some(table);
    } else {
        needs(task, &["zscale", "tonemap"])?;
        // Tones are mapped in linear light.
        picture.filters.push(format!(
            "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap={curve}:desat=0,\
             zscale=t=bt709:m=bt709:r=tv,format={to}"
        ));
    }
    let newer = if task.build.hands_frame_data_on() {
        NEWER_HDR_DATA
    } else {
        &[]
    };
    for data in HDR_DATA.iter().chain(newer) {
        picture
            .filters
            .push(format!("sidedata=mode=delete:type={data}"));
    }
    let from = if film.colour.is_hlg() {
        let change = Change::converted(Kind::Hlg, film.index, "HLG", "SDR", ASKED);
        picture.changes.push(change.wanted());
        "HLG"
    } else {
        "PQ"
    };
    let why = format!("{ASKED}, mapped by {curve}");
    let change = Change::converted(Kind::Colour, film.index, from, "SDR of BT.709", why);
    picture.changes.push(change.wanted());
    Ok(())
}

pub(super) fn transfer(film: &Stream) -> Transfer {
    if film.colour.is_hlg() {
        Transfer::Hlg
    } else {
        Transfer::Pq
    }
}

/// The peak of the mastering display, in cd/m².
pub(super) fn peak(film: &Stream) -> f64 {
    let stated = film.hdr10.mastering.and_then(|display| display.luminance);
    let stated = stated.map(|(_, most)| f64::from(most) / 10_000.0);
    match (transfer(film), stated) {
        (Transfer::Pq, Some(peak)) if peak > 0.0 => peak.min(10_000.0),
        _ => NOMINAL_PEAK,
    }
}
