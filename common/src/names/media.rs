//! The names of media: their extensions.

use std::ffi::OsStr;
use std::path::Path;

/// Extensions that folders are searched for. A file that a person names is taken whatever its extension.
const VIDEO: &[&str] = &[
    "3g2", "3gp", "asf", "avi", "divx", "dv", "f4v", "flv", "h264", "h265", "hevc", "ivf", "m2t",
    "m2ts", "m2v", "m4v", "mj2", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf", "nut", "obu",
    "ogm", "ogv", "rm", "rmvb", "ts", "vob", "webm", "wmv", "y4m",
];

/// Extensions of sound: reported as media without video.
const SOUND: &[&str] = &[
    "aac", "ac3", "aif", "aiff", "ape", "dts", "eac3", "flac", "m4a", "m4b", "mka", "mp2", "mp3",
    "oga", "ogg", "opus", "tta", "wav", "weba", "wma", "wv",
];

/// Whether a folder is searched for files of this name.
pub fn is_video(name: &Path) -> bool {
    has_extension(name, VIDEO)
}

/// Whether a file of this name is sound.
pub fn is_sound(name: &Path) -> bool {
    has_extension(name, SOUND)
}

/// Whether a file of this name is video or sound.
pub fn is_media(name: &Path) -> bool {
    is_video(name) || is_sound(name)
}

fn has_extension(name: &Path, sorted: &[&str]) -> bool {
    name.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|extension| {
            sorted
                .binary_search(&extension.to_ascii_lowercase().as_str())
                .is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_sorted_for_the_search() {
        assert!(VIDEO.is_sorted() && SOUND.is_sorted());
    }
}
