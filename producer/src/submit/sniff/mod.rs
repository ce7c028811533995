//! Recognising files without video by a few of their bytes: text, pictures, archives and sound, whatever their
//! extension.
//!
//! Only certain cases count. A file that is damaged, unusual or of an unknown kind counts as media, and its job finds
//! out.

mod frames;
mod id3;
mod matroska;
mod mp4;
mod ogg;
mod pictures;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes that are read at the beginning.
const HEAD: usize = 64 << 10;
/// A shorter file is not recognised, unless it is text.
const SHORTEST: usize = 4;

/// Why a file holds no video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoVideo {
    /// It holds nothing.
    Empty,
    /// A list of other files, for players or for ffmpeg.
    Playlist,
    /// A web page, as servers send one instead of a file.
    WebPage,
    /// Text of any other kind.
    Text,
    /// One picture.
    Picture,
    /// Sound without moving pictures; a cover may be there.
    Sound,
    /// An archive, a document or a program.
    Other,
}

impl NoVideo {
    /// What follows a file's name where it was given itself.
    pub(crate) fn refusal(self) -> String {
        match self {
            Self::Empty => "is empty".to_owned(),
            other => format!("is {other}, no video"),
        }
    }
}

impl std::fmt::Display for NoVideo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Empty => "empty",
            Self::Playlist => "a playlist",
            Self::WebPage => "a web page",
            Self::Text => "text",
            Self::Picture => "a picture",
            Self::Sound => "sound only",
            Self::Other => "an archive, document or program",
        })
    }
}

/// Why a local file is certain to hold no video; `None` where it may hold some.
pub(super) fn no_video(path: &Path) -> io::Result<Option<NoVideo>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut head = Vec::with_capacity(HEAD);
    Read::by_ref(&mut file)
        .take(HEAD as u64)
        .read_to_end(&mut head)?;
    if head.is_empty() {
        // What states no size, like a file of the system's own, may hold anything.
        return Ok((size == 0).then_some(NoVideo::Empty));
    }
    if let Some(found) = text(&head) {
        return Ok(is_text_throughout(&mut file, size, &head)?.then_some(found));
    }
    if head.len() < SHORTEST {
        return Ok(None);
    }
    if let Some(rest) = id3::behind(&mut file, &head)? {
        return Ok(is_bare_sound(&rest).then_some(NoVideo::Sound));
    }
    if pictures::is_one(&mut file, &head, &extension(path))? {
        return Ok(Some(NoVideo::Picture));
    }
    if begins(&head, OTHER) {
        return Ok(Some(NoVideo::Other));
    }
    if is_bare_sound(&head) {
        return Ok(Some(NoVideo::Sound));
    }
    // These say what they hold somewhere in the file.
    let is_sound_only = if mp4::is_one(&head) {
        mp4::is_sound_only(&mut file, size)
    } else if matroska::is_one(&head) {
        matroska::is_sound_only(&mut file, size)
    } else {
        Ok(false)
    };
    // A file that ends too early is for its job to find out about.
    Ok(is_sound_only.unwrap_or(false).then_some(NoVideo::Sound))
}

fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default();
    extension.to_string_lossy().to_ascii_lowercase()
}

fn begins(head: &[u8], magics: &[&[u8]]) -> bool {
    magics.iter().any(|magic| head.starts_with(magic))
}

/// Whether the head tells that nothing but sound follows.
fn is_bare_sound(head: &[u8]) -> bool {
    let is_riff = |form: &[u8]| begins(head, &[b"RIFF", b"RF64"]) && head.get(8..12) == Some(form);
    begins(head, SOUND)
        || is_riff(b"WAVE")
        || (begins(head, &[b"FORM"]) && head.get(8..11) == Some(b"AIF"))
        || ogg::is_sound_only(head)
        || frames::is_sound(head)
        || asf_is_sound_only(head)
}

/// How files begin that hold sound and nothing else.
const SOUND: &[&[u8]] = &[
    b"fLaC", b"MAC ", b"wvpk", b"TTA1", b"MPCK", b"#!AMR", b".snd", b"caff", b"DSD ", b"MThd",
];

/// How archives, documents and programs begin.
const OTHER: &[&[u8]] = &[
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b\x08",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"%PDF-",
    b"\x7fELF",
    b"MZ\x90\0",
    b"SQLite format 3\0",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
];

/// Whether what lies in the middle of a file and at its end is text as its head is: ffmpeg finds
/// media behind any beginning.
fn is_text_throughout(file: &mut (impl Read + Seek), size: u64, head: &[u8]) -> io::Result<bool> {
    // UTF-16 has its mark once, and two bytes a character.
    let mark = utf16(head).map_or(&[][..], |_| &head[..2]);
    let last = size.saturating_sub(HEAD as u64);
    for at in [last / 2, last] {
        file.seek(SeekFrom::Start(at & !1))?;
        let mut part = mark.to_vec();
        Read::by_ref(file)
            .take(HEAD as u64)
            .read_to_end(&mut part)?;
        if text(&part).is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether text holds such a byte.
fn is_written(byte: &u8) -> bool {
    !matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127)
}

/// Whether the head is text, in any of the encodings that people have: then there is
/// no byte in it that no text holds. Media have some within a few bytes.
fn text(head: &[u8]) -> Option<NoVideo> {
    let decoded = utf16(head);
    let head = decoded.as_deref().unwrap_or(head);
    if head.starts_with(b"YUV4MPEG2") || !head.iter().all(is_written) {
        return None;
    }
    let start = String::from_utf8_lossy(&head[..head.len().min(1024)]);
    let start = start.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let lower = start.to_ascii_lowercase();
    let begins = |beginnings: &[&str]| beginnings.iter().any(|text| lower.starts_with(text));
    Some(if begins(&["#extm3u", "ffconcat", "[playlist]", "<asx"]) {
        NoVideo::Playlist
    } else if begins(&["<!doctype html", "<html"]) {
        NoVideo::WebPage
    } else {
        NoVideo::Text
    })
}

/// UTF-16 with its mark, as text of single bytes; `None` where it is none.
fn utf16(head: &[u8]) -> Option<Vec<u8>> {
    let read: fn([u8; 2]) -> u16 = match head.get(..2)? {
        b"\xff\xfe" => u16::from_le_bytes,
        b"\xfe\xff" => u16::from_be_bytes,
        _ => return None,
    };
    let units = head[2..].chunks_exact(2);
    let units: Vec<u16> = units.map(|unit| read([unit[0], unit[1]])).collect();
    // The last character may be cut in two.
    let whole = units.len() - usize::from(units.last().is_some_and(|last| *last >= 0xd800));
    let text = String::from_utf16(&units[..whole]).ok()?;
    Some(text.into_bytes())
}

/// What ASF calls its header, and the streams in it.
const ASF: &[u8] = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c";
const ASF_STREAM: &[u8] = b"\x91\x07\xdc\xb7\xb7\xa9\xcf\x11\x8e\xe6\x00\xc0\x0c\x20\x53\x65";
const ASF_SOUND: &[u8] = b"\x40\x9e\x69\xf8\x4d\x5b\xcf\x11\xa8\xfd\x00\x80\x5f\x5c\x44\x2b";

/// Whether every stream of an ASF file is sound, where all of its header is in sight.
fn asf_is_sound_only(head: &[u8]) -> bool {
    let Some(size) = head.get(16..24).filter(|_| head.starts_with(ASF)) else {
        return false;
    };
    let size = u64::from_le_bytes(size.try_into().unwrap_or_default());
    let Some(header) = usize::try_from(size).ok().and_then(|size| head.get(..size)) else {
        return false;
    };
    let mut kinds = header
        .windows(ASF_STREAM.len())
        .enumerate()
        .filter(|(_, window)| *window == ASF_STREAM)
        // A kind follows the object's own id and size.
        .map(|(at, _)| header.get(at + 24..at + 40))
        .peekable();
    kinds.peek().is_some() && kinds.all(|kind| kind == Some(ASF_SOUND))
}

/// Reads so many bytes at a place.
fn read_at<const N: usize>(file: &mut (impl Read + Seek), at: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
