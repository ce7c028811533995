//! ID3 tags: they stand before sound, and before anything else that ffmpeg reads.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes of a tag's header, and of its footer.
const HEADER: u64 = 10;
/// The flag of a tag with a footer.
const FOOTER: u8 = 0x10;

/// Bytes of the tag that the head begins with; `None` where there is none.
fn length(head: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', _, _, flags, size @ ..] = *head.first_chunk::<10>()? else {
        return None;
    };
    // Seven bits a byte.
    let size = size
        .iter()
        .fold(0, |size, byte| size << 7 | u64::from(byte & 0x7f));
    let footer = if flags & FOOTER == 0 { 0 } else { HEADER };
    Some(HEADER + size + footer)
}

/// What follows the tag that the head begins with, and the zeros after it: as many bytes as the
/// head has, or fewer; `None` where there is no tag.
pub(crate) fn behind(file: &mut (impl Read + Seek), head: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let Some(length) = length(head) else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(length))?;
    let mut rest = Vec::with_capacity(head.len());
    file.take(head.len() as u64).read_to_end(&mut rest)?;
    let zeros = rest.iter().take_while(|byte| **byte == 0).count();
    // A picture's start code begins with zeros, too.
    let is_sound = rest.get(zeros) == Some(&0xff);
    if is_sound {
        rest.drain(..zeros);
    }
    Ok(Some(rest))
}
