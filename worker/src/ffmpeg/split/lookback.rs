//! How far filters look back: how many frames a chunk must have decoded before its own, so that its pictures are those of
//! an unsplit encode.

use crate::ffmpeg::probe::media::Stream;

/// How far before its first frame the decode of a chunk begins, at the least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    /// Keyframes before the last one that is not after the first frame: pictures after a keyframe may depend on those
    /// before it.
    pub keys: usize,
    /// Frames that the filters must have seen.
    pub frames: usize,
}

/// Filters that make each picture of one picture, whatever came before and whenever it is shown; with options that do not
/// depend on time, see [`DEPENDS_ON_TIME`].
const ONE_PICTURE: &[&str] = &[
    "bbox",
    "boxblur",
    "cas",
    "chromanr",
    "colorbalance",
    "colorchannelmixer",
    "colorlevels",
    "colorspace",
    "colortemperature",
    "convolution",
    "crop",
    "curves",
    "deband",
    "deblock",
    "edgedetect",
    "eq",
    "exposure",
    "fillborders",
    "format",
    "gblur",
    "gradfun",
    "hflip",
    "hue",
    "hwupload",
    "limiter",
    "lut3d",
    "monochrome",
    // The watermark, a single picture.
    "movie",
    "negate",
    "nlmeans",
    "null",
    "overlay",
    "pad",
    "premultiply",
    "removegrain",
    "rotate",
    "sab",
    "scale",
    "setdar",
    "setfield",
    "setparams",
    "setsar",
    "shuffleplanes",
    "sidedata",
    "smartblur",
    "tonemap",
    "transpose",
    "unsharp",
    "vaguedenoiser",
    "vflip",
    "vibrance",
    "xbr",
    "zscale",
];

/// Filters that see a few frames around each one, with the number of frames that they must have seen before.
const FEW_PICTURES: &[(&str, usize)] = &[("bwdif", 2), ("yadif", 2)];

/// Words in the options of a filter that make its pictures depend on time, on their number, or on chance.
const DEPENDS_ON_TIME: &[&str] = &["n", "t", "pos", "pts", "random", "ld", "st"];

/// Names of options that make a filter depend on time.
const TIME_OPTIONS: &[&str] = &["enable", "eval"];

/// How far before its first frame the decode of a chunk begins, with these filters in ffmpeg's syntax.
///
/// # Errors
/// The name of the first filter without a bound: its pictures depend on all frames before, or on time.
pub fn lead(film: &Stream, filters: &str) -> Result<Lead, String> {
    let mut frames = 0;
    for filter in single(filters) {
        frames += looks_back(filter).ok_or_else(|| name(filter).to_owned())?;
    }
    Ok(Lead {
        // A keyframe of H.264 may be a point from which the picture recovers step by step.
        keys: usize::from(film.codec == "h264"),
        frames,
    })
}

/// The number of frames that a filter must have seen; `None` if there is no bound.
fn looks_back(filter: &str) -> Option<usize> {
    let frames = match FEW_PICTURES.iter().find(|(few, _)| *few == name(filter)) {
        Some((_, frames)) => *frames,
        None if ONE_PICTURE.contains(&name(filter)) => 0,
        None => return None,
    };
    let (_, options) = filter.split_once('=').unwrap_or((filter, ""));
    let depends = options.split(':').any(|option| {
        let (name, value) = option.split_once('=').unwrap_or(("", option));
        let mut words = value.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        TIME_OPTIONS.contains(&name.trim()) || words.any(|word| DEPENDS_ON_TIME.contains(&word))
    });
    (!depends).then_some(frames)
}

/// The name of a filter without its options.
fn name(filter: &str) -> &str {
    filter
        .split_once('=')
        .map_or(filter, |(name, _)| name)
        .trim()
}

/// The filters of a graph, one by one, without the labels of their inputs and outputs.
fn single(graph: &str) -> Vec<&str> {
    let (mut filters, mut from) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in graph.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if !is_quoted => is_escaped = true,
            '\'' => is_quoted = !is_quoted,
            ',' | ';' if !is_quoted => {
                filters.push(&graph[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    filters.push(&graph[from..]);
    let filters = filters.into_iter().map(unlabelled);
    filters.filter(|filter| !filter.is_empty()).collect()
}

/// A filter without the labels around it: `[under][mark]overlay=x=0[out]`.
fn unlabelled(filter: &str) -> &str {
    let mut rest = filter.trim();
    while let Some((_, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        rest = after.trim();
    }
    rest.split('[').next().unwrap_or(rest).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(codec: &str, filters: &str) -> Result<Lead, String> {
        let film = Stream {
            codec: codec.to_owned(),
            ..Stream::default()
        };
        lead(&film, filters)
    }

    #[test]
    fn chains_of_single_pictures_need_no_frame_before() {
        for chain in [
            "",
            "crop=1280:536:0:92",
            "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0",
            "pad='2*ceil(max(iw,ih*16/9/sar)/2)':'2*ceil(ih/2)',setsar=1",
            "null[under];movie=filename=watermark:format_name=png_pipe,format=rgba,\
             scale=w=20:h='max(1,round(ih*20/iw*1.0))',format=yuva420p[mark];\
             [under][mark]overlay=x=W-w-10:y=10:format=yuv420",
            "scale=640:-2:flags=lanczos,unsharp=5:5:0.3:5:5:0,nlmeans=s=2.1:p=7:r=9",
            "rotate=a=PI/6,hue=s=0,eq=contrast=1.1",
        ] {
            assert_eq!(of("hevc", chain), Ok(Lead::default()), "{chain}");
            assert_eq!(of("h264", chain).map(|lead| lead.keys), Ok(1), "{chain}");
        }
    }

    #[test]
    fn deinterlacers_look_back_a_little() {
        let lead = of("mpeg2video", "bwdif=mode=send_frame:deint=all,scale=640:-2");
        assert_eq!(lead, Ok(Lead { keys: 0, frames: 2 }));
    }

    #[test]
    fn filters_that_depend_on_time_or_on_all_frames_before_are_named() {
        for (chain, named) in [
            ("hqdn3d=3:2:2:3", "hqdn3d"),
            ("scale=640:-2,fps=fps=25", "fps"),
            ("fieldmatch=mode=pc,bwdif,decimate", "fieldmatch"),
            ("crop=100:100:n:0", "crop"),
            ("scale=640:-2,rotate=a=t*PI", "rotate"),
            ("hue=h='if(gt(t,1),90,0)'", "hue"),
            ("negate=enable=gt(x\\,1)", "negate"),
            ("scale=eval=frame:w=2*iw", "scale"),
            ("zscale=dither=random", "zscale"),
            ("format=yuv420p,noise=alls=20", "noise"),
            ("fade=in:0:30", "fade"),
            ("settb=1/90000,setpts='st(1,T)'", "settb"),
            ("an_unknown_filter", "an_unknown_filter"),
        ] {
            assert_eq!(of("hevc", chain), Err(named.to_owned()), "{chain}");
        }
    }

    #[test]
    fn every_filter_of_a_recipe_is_here_or_refused() {
        let allowed: Vec<&str> = common::recipe::Filters::allowed().collect();
        let added = [
            "hwupload",
            "lut3d",
            "movie",
            "overlay",
            "premultiply",
            "sidedata",
        ];
        let few = FEW_PICTURES.iter().map(|(name, _)| *name);
        for name in ONE_PICTURE.iter().copied().chain(few) {
            assert!(allowed.contains(&name) || added.contains(&name), "{name}");
        }
    }
}
