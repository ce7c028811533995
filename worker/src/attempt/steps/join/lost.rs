//! What a joined file does not hold of its parts.

use common::job::changes::Change;
use common::recipe::loss::Kind;

use crate::attempt::steps::join::method::Method;
use crate::attempt::steps::join::part::Part;

pub(super) fn lost(parts: &[Part], method: Method) -> Vec<Change> {
    let subtitles = method.subtitles(parts);
    // Otherwise, all parts have as many, or get silence for those that they lack.
    let sounds = match method {
        Method::Stream => parts[0].sounds().len(),
        Method::List | Method::Tidied | Method::Encode => usize::MAX,
    };
    let why = match method {
        Method::Stream => "the first part does not show the track",
        Method::List | Method::Tidied => "not all parts have the track in this form",
        Method::Encode => "the parts differ and are encoded",
    };
    let mut lost = Vec::new();
    for part in parts {
        for track in part.left_out() {
            let (kind, what) = match track.is_cover() {
                true => (Kind::Cover, "cover".to_owned()),
                false => (Kind::Track, format!("{} data", track.codec_tag)),
            };
            let what = format!("{what} of {}", part.title);
            lost.push(Change::lost(kind, None, what, "the parts were joined"));
        }
        let texts = part.subtitles().into_iter().skip(subtitles);
        let sounds = part.sounds().into_iter().skip(sounds);
        let tracks = texts
            .map(|track| ("subtitles", track))
            .chain(sounds.map(|track| ("audio", track)));
        for (kind, track) in tracks {
            let what = format!("{} {kind} of {}", track.codec, part.title);
            lost.push(Change::lost(Kind::Track, None, what, why));
        }
    }
    lost
}
