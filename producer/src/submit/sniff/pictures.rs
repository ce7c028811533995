//! Pictures: one in a file, or many, one after the other, which are a film.

use std::io::{self, Read, Seek, SeekFrom};

/// Extensions of streams of pictures, one after the other.
const STREAMS: [&str; 3] = ["mjpg", "mjpeg", "mjp"];
/// How the end of one picture and the beginning of the next look.
const JPEG_NEXT: &[u8] = b"\xff\xd9\xff\xd8\xff";
const PNG_NEXT: &[u8] = b"IEND\xae\x42\x60\x82\x89PNG";
/// Bytes within which a picture ends that others follow.
const LARGEST: u64 = 32 << 20;

/// Whether a file with this head is one picture, and no film of them.
pub(crate) fn is_one(
    file: &mut (impl Read + Seek),
    head: &[u8],
    extension: &str,
) -> io::Result<bool> {
    let still = |brand: &[u8]| head.get(8..12) == Some(brand) && !holds(head, b"moov");
    if head.starts_with(b"\xff\xd8\xff") {
        return Ok(!STREAMS.contains(&extension) && !goes_on(file, JPEG_NEXT)?);
    }
    if head.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(!holds(head, b"acTL") && !goes_on(file, PNG_NEXT)?);
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Ok(!holds(head, b"ANIM"));
    }
    if head.get(4..8) == Some(b"ftyp") {
        return Ok([b"heic", b"heix", b"mif1", b"avif"].map(|brand| still(brand)) != [false; 4]);
    }
    // The sizes in a bitmap's header are those of the format.
    if head.starts_with(b"BM") && matches!(head.get(14), Some(12 | 40 | 108 | 124)) {
        return Ok(!another_bitmap(file, head)?);
    }
    let is_tiff = head.starts_with(b"II*\0") || head.starts_with(b"MM\0*");
    Ok(is_tiff || head.starts_with(b"8BPS"))
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn goes_on(file: &mut (impl Read + Seek), next: &[u8]) -> io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(holds(&bytes, next))
}

/// Whether another bitmap begins where the first one says that it ends.
fn another_bitmap(file: &mut (impl Read + Seek), head: &[u8]) -> io::Result<bool> {
    let Some(size) = head.get(2..6).and_then(|size| size.first_chunk()) else {
        return Ok(false);
    };
    file.seek(SeekFrom::Start(u64::from(u32::from_le_bytes(*size))))?;
    let mut next = Vec::new();
    file.take(2).read_to_end(&mut next)?;
    Ok(next == b"BM")
}
