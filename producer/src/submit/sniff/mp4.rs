//! MP4, MOV and their kin: boxes within boxes, each with its size and kind.

use std::io::{self, Read, Seek};

use crate::submit::sniff::read_at;

/// Boxes that a file may begin with.
const FIRST: [&[u8; 4]; 10] = [
    b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"sidx", b"uuid",
];
/// Boxes that are looked at in one place, at the most.
const MOST: usize = 4096;
/// Kinds of tracks that are never seen beside sound, other than as words.
const UNSEEN: [&[u8; 4]; 9] = [
    b"soun", b"text", b"sbtl", b"subt", b"clcp", b"tmcd", b"meta", b"hint", b"mdir",
];

/// A box: its kind, and where what is in it begins and ends.
struct Part {
    kind: [u8; 4],
    from: u64,
    to: u64,
}

/// Whether a file with this head is one.
pub(crate) fn is_one(head: &[u8]) -> bool {
    head.get(4..8)
        .is_some_and(|kind| FIRST.iter().any(|first| first.as_slice() == kind))
}

/// Whether all tracks that the file's index names are sound, or words beside it.
///
/// # Errors
/// Where the file ends before it should.
pub(crate) fn is_sound_only(file: &mut (impl Read + Seek), size: u64) -> io::Result<bool> {
    let parts = parts(file, 0, size)?;
    let Some(index) = parts.iter().find(|part| &part.kind == b"moov") else {
        return Ok(false);
    };
    let mut tracks = Vec::new();
    for track in of_kind(file, index, b"trak")? {
        let kind = kind_of_track(file, &track)?;
        tracks.push(kind);
    }
    let is_unseen = |kind: &Option<[u8; 4]>| kind.is_some_and(|kind| UNSEEN.contains(&&kind));
    Ok(tracks.contains(&Some(*b"soun")) && tracks.iter().all(is_unseen))
}

fn kind_of_track(file: &mut (impl Read + Seek), track: &Part) -> io::Result<Option<[u8; 4]>> {
    let Some(media) = of_kind(file, track, b"mdia")?.pop() else {
        return Ok(None);
    };
    let Some(handler) = of_kind(file, &media, b"hdlr")?.pop() else {
        return Ok(None);
    };
    // After a version with flags, and a kind of component.
    read_at(file, handler.from + 8).map(Some)
}

fn of_kind(file: &mut (impl Read + Seek), within: &Part, kind: &[u8; 4]) -> io::Result<Vec<Part>> {
    let mut found = parts(file, within.from, within.to)?;
    found.retain(|part| part.kind == *kind);
    Ok(found)
}

fn parts(file: &mut (impl Read + Seek), mut at: u64, end: u64) -> io::Result<Vec<Part>> {
    let mut parts = Vec::new();
    while at.saturating_add(8) <= end && parts.len() < MOST {
        let [a, b, c, d, kind @ ..]: [u8; 8] = read_at(file, at)?;
        let (header, length) = match u32::from_be_bytes([a, b, c, d]) {
            // To the end of the file.
            0 => (8, end - at),
            1 => (16, u64::from_be_bytes(read_at(file, at + 8)?)),
            length => (8, u64::from(length)),
        };
        let to = at.saturating_add(length);
        if length < header || to > end {
            break;
        }
        parts.push(Part {
            kind,
            from: at + header,
            to,
        });
        at = to;
    }
    Ok(parts)
}
