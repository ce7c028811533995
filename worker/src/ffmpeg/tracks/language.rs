//! Languages of tracks, and the codes that containers use for them.

use common::names::language::codes;
pub use common::names::language::is_same;
pub(crate) use common::names::language::{bcp47, is_code, matches, short};
use common::recipe::Container;

use crate::ffmpeg::probe::media::Stream;

/// The code of three letters that `container` uses for a language. `None` if the language is already such a code, or
/// if there is none.
pub(crate) fn code(language: &str, container: Container) -> Option<&'static str> {
    let primary = language.split(['-', '_']).next()?;
    if primary == language && primary.len() == 3 {
        return None;
    }
    let mut codes = codes(primary)?.skip(1);
    let usual = codes.next()?;
    let older = codes.next().filter(|_| container.is_matroska());
    Some(older.unwrap_or(usual))
}

/// Whether a track is in a language that a person asks for. `und` stands for tracks without one.
pub(crate) fn speaks(stream: &Stream, wanted: &str) -> bool {
    match tag(stream) {
        Some(spoken) => matches(wanted, spoken),
        None => wanted.eq_ignore_ascii_case("und"),
    }
}

/// The language of a stream; `None` if it is undetermined.
pub(crate) fn tag(stream: &Stream) -> Option<&str> {
    let mut tags = stream.tags.iter();
    let (_, tag) = tags.find(|(key, _)| key.eq_ignore_ascii_case("language"))?;
    let tag = tag.trim();
    (!tag.is_empty() && !tag.eq_ignore_ascii_case("und")).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_get_their_three_letters() {
        assert_eq!(code("en", Container::Mp4), Some("eng"));
        assert_eq!(code("zh-Hans", Container::Mp4), Some("zho"));
        assert_eq!(code("zh-Hans", Container::Mkv), Some("chi"));
        assert_eq!(code("zho-Hans", Container::Mkv), Some("chi"));
        assert_eq!(code("ger", Container::Mp4), None);
        assert_eq!(code("qaa-x-own", Container::Mp4), None);
    }
}
