//! HLS media playlists: the segments of one stream.

use std::fmt::Write;

use crate::ffmpeg::containers::cmaf::Packaged;

/// The playlist of a packaged track in a file with this address.
pub(super) fn of_track(packaged: &Packaged, file: &str) -> String {
    let longest = packaged.segments.iter().map(|part| part.seconds);
    let longest = longest.fold(0.0, f64::max);
    let mut text = beginning(longest);
    let map = packaged.initialization;
    text += "#EXT-X-INDEPENDENT-SEGMENTS\n";
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "#EXT-X-MAP:URI=\"{file}\",BYTERANGE=\"{}@{}\"",
        map.length, map.offset
    );
    for part in &packaged.segments {
        let _ = writeln!(
            text,
            "#EXTINF:{:.6},\n#EXT-X-BYTERANGE:{}@{}\n{file}",
            part.seconds, part.bytes.length, part.bytes.offset
        );
    }
    text + "#EXT-X-ENDLIST\n"
}

/// The playlist of a file that players read whole.
pub(super) fn of_whole(seconds: f64, file: &str) -> String {
    let beginning = beginning(seconds);
    format!("{beginning}#EXTINF:{seconds:.6},\n{file}\n#EXT-X-ENDLIST\n")
}

/// The longest length of a segment is a whole number to which all lengths round at most.
fn beginning(longest: f64) -> String {
    let target = longest.round().max(1.0);
    format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n"
    )
}

#[cfg(test)]
mod tests {
    use common::job::ladder::ByteRange;

    use super::*;
    use crate::ffmpeg::containers::cmaf::Part;

    #[test]
    fn segments_are_byte_ranges_of_one_file() {
        let range = |offset, length| ByteRange { offset, length };
        let part = |offset, length, seconds| Part {
            bytes: range(offset, length),
            seconds,
        };
        let packaged = Packaged {
            codec: "avc1.64001F".to_owned(),
            initialization: range(0, 800),
            index: range(800, 68),
            segments: vec![part(868, 5000, 6.006), part(5868, 70, 0.4)],
            start: 0.0,
            duration: 6.406,
            samples: 154,
        };
        let text = of_track(&packaged, "a%20film.mp4");
        let expected = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n\
            #EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n\
            #EXT-X-MAP:URI=\"a%20film.mp4\",BYTERANGE=\"800@0\"\n\
            #EXTINF:6.006000,\n#EXT-X-BYTERANGE:5000@868\na%20film.mp4\n\
            #EXTINF:0.400000,\n#EXT-X-BYTERANGE:70@5868\na%20film.mp4\n#EXT-X-ENDLIST\n";
        assert_eq!(text, expected);
    }
}
