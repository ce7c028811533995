//! Pictures of a film for any screen, beside its encode: with square pixels, and in standard dynamic range. Only filters
//! that every ffmpeg has are used.

use super::bt2390::Bt2390;
use super::tones::{ColourTable, peak, transfer};
use crate::ffmpeg::probe::media::Stream;

/// The name of the table that maps tones.
const TABLE: &str = "screen.cube";

/// What a picture becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A JPEG, whose colours are those of BT.601 in full range.
    Still,
    /// A frame of a film of BT.709.
    Film,
}

/// The filters that make a picture of this size, in its pixel format.
pub(crate) fn filters(film: &Stream, (width, height): (u32, u32), shown: Shown) -> String {
    let mut filters = Vec::new();
    if film.colour.is_hdr() {
        let range = match film.colour.range.as_str() {
            "pc" => "pc",
            _ => "tv",
        };
        filters.push(format!(
            "scale=in_color_matrix=bt2020:in_range={range}:out_range=pc,format=gbrp10le,\
             lut3d=file={TABLE}:interp=tetrahedral,sidedata=mode=delete"
        ));
    }
    filters.push(match shown {
        Shown::Still => {
            format!("scale={width}:{height}:out_color_matrix=bt601:out_range=pc,format=yuvj420p")
        }
        Shown::Film => format!(
            "scale={width}:{height}:out_color_matrix=bt709:out_range=tv,format=yuv420p,\
             setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
        ),
    });
    filters.push("setsar=1".to_owned());
    filters.join(",")
}

/// The table that these filters read; `None` if the film needs none.
pub(crate) fn table(film: &Stream) -> Option<ColourTable> {
    film.colour.is_hdr().then(|| {
        let curve = Bt2390::new(transfer(film), peak(film));
        ColourTable::new(TABLE, curve)
    })
}

/// Width and height, both even, of pictures of this width.
pub(crate) fn size(film: &Stream, width: u32) -> (u32, u32) {
    let even = |side: f64| ((side / 2.0).round() as u32 * 2).max(2);
    let height = f64::from(film.shown().1.max(1)) * f64::from(width) / own_width(film);
    (even(f64::from(width)), even(height))
}

/// The film's own width in square pixels.
pub(crate) fn own_width(film: &Stream) -> f64 {
    f64::from(film.shown().0.max(1)) * film.shown_aspect()
}
