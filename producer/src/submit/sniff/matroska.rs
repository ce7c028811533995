//! Matroska and WebM: elements within elements, each with its id and size.

use std::io::{self, Read, Seek};

use crate::submit::sniff::read_at;

const EBML: &[u8] = b"\x1a\x45\xdf\xa3";
const SEGMENT: u64 = 0x1853_8067;
const CLUSTER: u64 = 0x1f43_b675;
const TRACKS: u64 = 0x1654_ae6b;
const TRACK: u64 = 0xae;
const KIND: u64 = 0x83;
const SOUND: u64 = 2;
const WORDS: u64 = 0x11;
/// Elements that are looked at in one place, at the most.
const MOST: usize = 1024;

/// An element: its id, and where what is in it begins and ends.
struct Part {
    id: u64,
    from: u64,
    to: u64,
}

/// Whether a file with this head is one.
pub(crate) fn is_one(head: &[u8]) -> bool {
    head.starts_with(EBML)
}

/// Whether all tracks that are named before the first of their data are sound, or
/// words beside it.
///
/// # Errors
/// Where the file ends before it should.
pub(crate) fn is_sound_only(file: &mut (impl Read + Seek), size: u64) -> io::Result<bool> {
    let top = parts(file, 0, size)?;
    let Some(segment) = top.iter().find(|part| part.id == SEGMENT) else {
        return Ok(false);
    };
    let known = parts(file, segment.from, segment.to)?;
    let Some(tracks) = known.iter().find(|part| part.id == TRACKS) else {
        return Ok(false);
    };
    let mut kinds = Vec::new();
    for track in parts(file, tracks.from, tracks.to)? {
        if track.id != TRACK {
            continue;
        }
        let entry = parts(file, track.from, track.to)?;
        let kind = entry.iter().find(|part| part.id == KIND);
        kinds.push(match kind {
            Some(kind) if kind.to - kind.from == 1 => {
                let [kind] = read_at(file, kind.from)?;
                u64::from(kind)
            }
            _ => return Ok(false),
        });
    }
    let is_unseen = |kind: &u64| matches!(*kind, SOUND | WORDS);
    Ok(kinds.contains(&SOUND) && kinds.iter().all(is_unseen))
}

/// What lies between two places, up to the first data.
fn parts(file: &mut (impl Read + Seek), mut at: u64, end: u64) -> io::Result<Vec<Part>> {
    let mut parts = Vec::new();
    while at < end && parts.len() < MOST {
        let (id, _, after) = number(file, at)?;
        if id == CLUSTER {
            break;
        }
        let (_, size, from) = number(file, after)?;
        let to = match size {
            // To the end of what it is in.
            None => end,
            Some(size) => from.saturating_add(size).min(end),
        };
        parts.push(Part { id, from, to });
        at = to;
    }
    Ok(parts)
}

/// A number whose first bits say how long it is: with these bits, as ids are written;
/// without, as sizes are, where all ones stand for an unknown one; and what follows.
fn number(file: &mut (impl Read + Seek), at: u64) -> io::Result<(u64, Option<u64>, u64)> {
    let [first] = read_at(file, at)?;
    let length = first.leading_zeros() + 1;
    if length > 8 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut whole = u64::from(first);
    for offset in 1..u64::from(length) {
        let [next] = read_at(file, at + offset)?;
        whole = whole << 8 | u64::from(next);
    }
    let ones = (1 << (7 * length)) - 1;
    let size = whole & ones;
    Ok((
        whole,
        (size != ones).then_some(size),
        at + u64::from(length),
    ))
}
