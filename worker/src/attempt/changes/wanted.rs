//! Which changes a recipe asks for.

use common::job::changes::Kind;
use common::recipe::{
    Audio, Crop, Deinterlace, FrameRate, Recipe, Scale, Subtitles, Video, VideoEncode,
};

use crate::ffmpeg::probe::media::{Stream, StreamKind};

/// Filters, and the kinds of change that a person who names such a filter asks for.
const FILTERS: &[(&[&str], &[Kind])] = &[
    (
        &[
            "bwdif",
            "decimate",
            "detelecine",
            "estdif",
            "field",
            "fieldmatch",
            "interlace",
            "kerndeint",
            "pullup",
            "separatefields",
            "telecine",
            "tinterlace",
            "w3fdif",
            "yadif",
        ],
        &[Kind::Interlacing, Kind::Timing],
    ),
    (
        &[
            "fps",
            "framerate",
            "framestep",
            "minterpolate",
            "mpdecimate",
            "select",
            "setpts",
            "tmix",
            "tpad",
            "trim",
        ],
        &[Kind::Timing],
    ),
    (&["setfield", "fieldorder"], &[Kind::Interlacing]),
    (
        &[
            "crop",
            "pad",
            "scale",
            "zscale",
            "setsar",
            "setdar",
            "transpose",
            "rotate",
        ],
        &[Kind::Aspect],
    ),
    (
        &[
            "colorspace",
            "format",
            "monochrome",
            "setparams",
            "tonemap",
            "zscale",
        ],
        &[
            Kind::Colour,
            Kind::Hdr10,
            Kind::Hdr10plus,
            Kind::DolbyVision,
            Kind::Hlg,
            Kind::Alpha,
        ],
    ),
];

/// Further arguments, and the kinds of change that a person who names such an argument asks for.
const ARGUMENTS: &[(&[&str], &[Kind])] = &[
    (&["r"], &[Kind::Timing]),
    (&["pix_fmt", "profile"], &[Kind::Colour, Kind::Alpha]),
    (
        &["color_primaries", "color_range", "color_trc", "colorspace"],
        &[Kind::Colour, Kind::Hlg],
    ),
    (&["field_order"], &[Kind::Interlacing]),
];

/// Whether the recipe leaves out tracks like this one.
pub(crate) fn leaves_out(recipe: &Recipe, stream: &Stream) -> bool {
    match stream.kind {
        StreamKind::Audio => recipe.audio == Audio::None,
        StreamKind::Subtitle => {
            recipe.subtitles == Subtitles::None || recipe.container.is_audio_only()
        }
        StreamKind::Video => recipe.video == Video::None && stream.is_film(),
        _ => false,
    }
}

/// Whether the recipe's size, filters or further arguments ask for a change of this kind in video.
pub(crate) fn changes(recipe: &Recipe, kind: Kind) -> bool {
    let Some(video) = recipe.video_encode() else {
        return false;
    };
    let names = |table: &[(&[&str], &[Kind])], name: &str| {
        table
            .iter()
            .any(|(names, kinds)| names.contains(&name) && kinds.contains(&kind))
    };
    let by_size = kind == Kind::Aspect && (has_shape(video) || video.crop != Crop::None);
    let by_fields = match kind {
        Kind::Interlacing => video.deinterlace != Deinterlace::Off || video.detelecine,
        Kind::Timing => video.detelecine,
        _ => false,
    };
    let by_filters = video
        .filters
        .as_ref()
        .is_some_and(|filters| filters.names().any(|name| names(FILTERS, name)));
    let mut arguments = video.arguments.iter();
    let by_rate = kind == Kind::Timing && video.frame_rate != FrameRate::Keep;
    by_size
        || by_fields
        || by_filters
        || by_rate
        || arguments.any(|argument| names(ARGUMENTS, argument.option()))
}

/// Whether the recipe may give the picture another shape: by an exact size, a turn or a canvas.
fn has_shape(video: &VideoEncode) -> bool {
    let has_exact_size = video
        .scale
        .is_some_and(|scale| matches!(scale, Scale::Exact(..)));
    has_exact_size || video.rotate.is_some() || video.pad.is_some()
}

/// Whether the recipe asks for fewer bits per sample than the source has.
pub(crate) fn lessens_depth(recipe: &Recipe, film: &Stream) -> bool {
    recipe
        .video_encode()
        .and_then(|video| video.bit_depth)
        .is_some_and(|depth| u8::from(depth) < film.depth())
}
