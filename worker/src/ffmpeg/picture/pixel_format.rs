//! Properties of a pixel format, read from its name.

pub(super) fn is_rgb(format: &str) -> bool {
    [
        "gbr", "rgb", "bgr", "argb", "abgr", "x2rgb", "x2bgr", "0rgb", "0bgr", "pal8",
    ]
    .iter()
    .any(|name| format.starts_with(name))
}

/// The chroma subsampling of a pixel format, such as `420`.
pub(super) fn chroma(format: &str) -> &'static str {
    let is = |names: &[&str]| names.iter().any(|name| format.starts_with(name));
    if is_rgb(format) || is(&["p41", "nv24", "nv42", "xv", "vuy", "ayuv"]) {
        return "444";
    }
    if is(&["p21", "nv16", "y21", "nv20", "yuyv", "uyvy"]) {
        return "422";
    }
    ["444", "422", "440", "411", "410"]
        .into_iter()
        .find(|kind| format.contains(kind))
        .unwrap_or("420")
}

/// The planar YUV format with this subsampling and depth, such as `yuv420p10le`.
pub(super) fn planar(chroma: &str, depth: u8) -> String {
    if depth > 8 {
        format!("yuv{chroma}p10le")
    } else {
        format!("yuv{chroma}p")
    }
}
