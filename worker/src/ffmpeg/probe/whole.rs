//! Whether a file is as long as its container says. The check reads the sizes in the headers only, so it is cheap. A
//! file that is too short may still contain everything of value.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::ffmpeg::containers::ebml;

/// The maximal number of boxes of an mp4 to read: a fragmented film of some days.
const MOST_BOXES: usize = 200_000;

/// The first identifier of EBML files (Matroska, WebM), and that of their one large element.
const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
/// The maximal length of an element's identifier and size, in bytes.
const ELEMENT_HEAD: u64 = 12;

/// Boxes with which an mp4 or mov may start.
const FIRST_BOXES: [&[u8; 4]; 8] = [
    b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"sidx",
];

/// Whether a Matroska, MP4, QuickTime, AVI or WAVE file is shorter than its container says. False for all others.
///
/// # Errors
/// If the file cannot be read.
pub fn breaks_off(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    ends_beyond(&mut file, length)
}

fn ends_beyond(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let mut head = [0; 12];
    if length < head.len() as u64 {
        return Ok(false);
    }
    file.read_exact(&mut head)?;
    let kind = &head[4..8];
    if head[..4] == EBML.to_be_bytes() {
        Ok(segment_end(file)?.is_some_and(|end| end > length))
    } else if &head[..4] == b"RIFF" {
        let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        // A recording that was interrupted has one of these values.
        let is_known = size != 0 && size != u32::MAX;
        Ok(is_known && u64::from(size) + 8 > length)
    } else if FIRST_BOXES.iter().any(|first| kind == *first) {
        last_box_ends_beyond(file, length)
    } else {
        Ok(false)
    }
}

/// The end of the segment of an EBML file. `None` if the file does not say.
fn segment_end(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let Some((_, Some(at))) = element(file, 0)? else {
        return Ok(None);
    };
    Ok(match element(file, at)? {
        Some((SEGMENT, end)) => end,
        _ => None,
    })
}

/// The identifier of the EBML element at a position, and the element's end if the file says it.
fn element(file: &mut (impl Read + Seek), at: u64) -> io::Result<Option<(u32, Option<u64>)>> {
    file.seek(SeekFrom::Start(at))?;
    let mut head = Vec::new();
    file.take(ELEMENT_HEAD).read_to_end(&mut head)?;
    Ok(ebml::element(&head, 0).map(|found| {
        let data = at.checked_add(found.size_at.end as u64);
        let end = data
            .zip(found.size)
            .and_then(|(data, size)| data.checked_add(size));
        (found.id, end)
    }))
}

/// Reads the boxes of an mp4, one after the other.
fn last_box_ends_beyond(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let mut at = 0_u64;
    for _ in 0..MOST_BOXES {
        // A few bytes after the last box are not a box.
        if at + 8 > length {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let size = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            // The box reaches to the end of the file.
            0 => return Ok(false),
            1 if at + 16 <= length => {
                let mut large = [0; 8];
                file.read_exact(&mut large)?;
                u64::from_be_bytes(large)
            }
            small => u64::from(small),
        };
        if size < 8 {
            return Ok(false);
        }
        at = at.saturating_add(size);
        if at > length {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn is_short(bytes: &[u8]) -> bool {
        ends_beyond(&mut Cursor::new(bytes), bytes.len() as u64).expect("memory can be read")
    }

    /// A complete file is not short. The same file without its last byte is.
    fn check(whole: &[u8]) {
        assert!(!is_short(whole));
        assert!(is_short(&whole[..whole.len() - 1]));
    }

    #[test]
    fn a_file_that_ends_before_its_container_is_short() {
        let mut matroska = EBML.to_be_bytes().to_vec();
        matroska.extend([0x83, 1, 2, 3]);
        matroska.extend(SEGMENT.to_be_bytes());
        matroska.extend([0x40, 20]);
        matroska.extend([0; 20]);
        check(&matroska);

        let mut avi = b"RIFF".to_vec();
        avi.extend(20_u32.to_le_bytes());
        avi.extend(b"AVI ");
        avi.extend([0; 16]);
        check(&avi);

        let mut mp4 = 16_u32.to_be_bytes().to_vec();
        mp4.extend(b"ftypisom\0\0\0\0");
        mp4.extend(1_u32.to_be_bytes());
        mp4.extend(b"mdat");
        mp4.extend(26_u64.to_be_bytes());
        mp4.extend([0; 10]);
        check(&mp4);
    }

    #[test]
    fn an_unknown_size_is_not_short() {
        let mut matroska = EBML.to_be_bytes().to_vec();
        matroska.extend([0x80]);
        matroska.extend(SEGMENT.to_be_bytes());
        matroska.extend([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0]);
        assert!(!is_short(&matroska));
        assert!(!is_short(b"RIFF\0\0\0\0AVI \0\0\0\0"));
        assert!(!is_short(b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\0mdat1234"));
        assert!(!is_short(b"no container at all"));
        assert!(!is_short(b"short"));
    }
}
