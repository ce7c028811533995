//! Whether a file is as long as its container says, by the sizes in its headers:
//! a look that costs nothing. A file that is shorter breaks off somewhere, but
//! may hold all that it is about all the same.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::ffmpeg::containers::ebml;

/// Boxes of an mp4 that are looked at: a fragmented film of some days.
const MOST_BOXES: usize = 200_000;

/// What EBML files (Matroska, WebM) begin with, and what their one big element begins with.
const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
/// Bytes of an element's identifier and size, at the most.
const ELEMENT_HEAD: u64 = 12;

/// Boxes that an mp4 or mov begins with.
const FIRST_BOXES: [&[u8; 4]; 8] = [
    b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"sidx",
];

/// Whether a Matroska, MP4, QuickTime, AVI or WAVE file ends before its container does. False for
/// all others.
///
/// # Errors
/// Where it cannot be read.
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
        // Recorders that were cut off leave one of these.
        let is_said = size != 0 && size != u32::MAX;
        Ok(is_said && u64::from(size) + 8 > length)
    } else if FIRST_BOXES.iter().any(|first| kind == *first) {
        last_box_ends_beyond(file, length)
    } else {
        Ok(false)
    }
}

/// Where the segment of an EBML file ends; `None` where the file does not say so.
fn segment_end(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let Some((_, Some(at))) = element(file, 0)? else {
        return Ok(None);
    };
    Ok(match element(file, at)? {
        Some((SEGMENT, end)) => end,
        _ => None,
    })
}

/// The identifier of the EBML element at a place, and where the element ends where it says so.
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

/// Walks over the boxes of an mp4.
fn last_box_ends_beyond(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let mut at = 0_u64;
    for _ in 0..MOST_BOXES {
        // Some bytes after the last box are no box.
        if at + 8 > length {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let size = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            // To the end of the file.
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

    /// A whole file is not short; without its last byte it is.
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
    fn a_size_that_is_unknown_says_nothing() {
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
