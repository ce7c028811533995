//! The outline of an MP4 or QuickTime file: a file of the same length with zeros instead of media. Its tables tell when
//! each frame is shown, so a film can be indexed without being read.

use std::ops::Range;

use crate::ffmpeg::containers::cmaf::boxes;

/// The bytes of a box that tell what it is and how long.
pub const HEAD: u64 = 16;

/// Boxes without tables: their beginning is all that is kept of them.
const WITHOUT_TABLES: [&[u8; 4]; 5] = [b"mdat", b"free", b"skip", b"wide", b"uuid"];

/// Boxes of files whose tables lie between the media.
const FRAGMENTS: [&[u8; 4]; 4] = [b"moof", b"styp", b"sidx", b"mfra"];

/// A box at the top of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopBox {
    /// The bytes of the file that belong to the outline.
    pub kept: Range<u64>,
    /// Where the next box begins.
    pub end: u64,
    /// Whether it holds the tables.
    pub is_index: bool,
}

/// The box that begins at `at`, of a file of `size` bytes. `head` holds the bytes there, [`HEAD`] of them if there are so
/// many. `None` if the file has no outline: its tables are elsewhere, or it is no whole file of this kind.
pub fn top_box(head: &[u8], at: u64, size: u64) -> Option<TopBox> {
    let head = boxes::head(&mut &*head).ok()?;
    let length = head.length.unwrap_or(size.checked_sub(at)?);
    let end = at.checked_add(length).filter(|end| *end <= size)?;
    let is = |kinds: &[&[u8; 4]]| kinds.contains(&&head.kind);
    if length < head.size || is(&FRAGMENTS) {
        return None;
    }
    let kept = match is(&WITHOUT_TABLES) {
        true => at..at + head.size,
        false => at..end,
    };
    Some(TopBox {
        kept,
        end,
        is_index: &head.kind == b"moov",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(size: u32, kind: &[u8; 4]) -> Vec<u8> {
        [&size.to_be_bytes()[..], kind, &[0; 8]].concat()
    }

    #[test]
    fn tables_are_kept_and_media_are_not() {
        let of = |head: &[u8], at| top_box(head, at, 1000);
        let tables = of(&head(100, b"moov"), 24).expect("a box");
        assert_eq!(
            (tables.kept, tables.end, tables.is_index),
            (24..124, 124, true)
        );
        let media = of(&head(876, b"mdat"), 124).expect("a box");
        assert_eq!((media.kept, media.end), (124..132, 1000));
        let mut large = head(1, b"mdat");
        large[8..].copy_from_slice(&500_u64.to_be_bytes());
        assert_eq!(of(&large, 100).expect("a box").kept, 100..116);
        let last = of(&head(0, b"mdat"), 900).expect("a box");
        assert_eq!((last.kept, last.end), (900..908, 1000));
    }

    #[test]
    fn fragments_and_files_that_break_off_have_no_outline() {
        for (size, kind) in [(100, b"moof"), (1001, b"mdat"), (7, b"free")] {
            assert_eq!(top_box(&head(size, kind), 0, 1000), None);
        }
        assert_eq!(top_box(b"four", 996, 1000), None);
    }
}
