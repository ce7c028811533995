//! Whether a keyframe of H.264 resets the decoder, so that nothing after it depends on what was before. Others are points
//! from which the picture recovers step by step, or pictures shown before them depend on them.

/// The most bytes at the beginning of a keyframe that are looked at: before its picture come settings and notes.
pub const HEAD: u64 = 4096;

/// The bytes that tell the length of a unit, as nearly all MP4 files have them.
const LENGTH: usize = 4;

/// The kind of a unit that holds a picture, or a part of one.
const PICTURES: std::ops::RangeInclusive<u8> = 1..=5;
/// The kind of a picture that resets the decoder.
const RESET: u8 = 5;

/// Whether the packet of `size` bytes that begins with `head` holds a picture that resets the decoder. `false` if it is not
/// understood.
pub fn resets(head: &[u8], size: u64) -> bool {
    let mut at = 0;
    while let Some((length, rest)) = head.get(at..).and_then(<[u8]>::split_first_chunk::<LENGTH>) {
        let length = u32::from_be_bytes(*length);
        let end = at as u64 + LENGTH as u64 + u64::from(length);
        let Some(&first) = rest.first().filter(|_| length > 0 && end <= size) else {
            return false;
        };
        // The highest bit is never set, and the next two say that other pictures may depend on this one.
        let (is_wrong, is_used, kind) = (first & 0x80 != 0, first & 0x60 != 0, first & 0x1f);
        if is_wrong || kind == 0 {
            return false;
        }
        if PICTURES.contains(&kind) {
            return kind == RESET && is_used;
        }
        at = end as usize;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units with the given first bytes, each with three more.
    fn packet(units: &[u8]) -> Vec<u8> {
        let unit = |first: &u8| [0, 0, 0, 4, *first, 1, 2, 3];
        units.iter().flat_map(unit).collect()
    }

    fn of(units: &[u8]) -> bool {
        resets(&packet(units), 8 * units.len() as u64)
    }

    #[test]
    fn the_first_picture_decides() {
        // A note, settings, and a picture.
        assert!(of(&[0x06, 0x67, 0x68, 0x65]));
        assert!(of(&[0x65, 0x41]));
        assert!(!of(&[0x06, 0x61, 0x65]));
        assert!(!of(&[0x06, 0x67, 0x68]));
    }

    #[test]
    fn what_is_not_understood_resets_nothing() {
        assert!(!resets(&packet(&[0x65]), 7));
        assert!(!of(&[0xe5]));
        assert!(!of(&[0x05]));
        assert!(!of(&[0x00, 0x65]));
        assert!(!resets(&[], 0));
        // Start codes instead of lengths.
        assert!(!resets(
            &[0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x65, 0x88],
            12
        ));
        let long = [&[0, 0, 16, 0, 6][..], &[0; 4000]].concat();
        assert!(!resets(&long, 9000));
    }
}
