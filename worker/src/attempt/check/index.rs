//! Whether the container itself is in order: as long as it says, and with an index that leads where it should.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::ffmpeg::containers::ebml::{Element, element, elements};
use crate::ffmpeg::probe::whole;

const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1F43_B675;
const CUES: u32 = 0x1C53_BB6B;
const CUE_POINT: u32 = 0xBB;
const CUE_TRACK_POSITIONS: u32 = 0xB7;
const CUE_CLUSTER_POSITION: u32 = 0xF1;

/// The maximal length of an element's identifier and size, in bytes.
const HEAD: u64 = 12;
/// The maximal number of elements of a segment that are walked: a film of some days.
const MOST_ELEMENTS: usize = 1 << 20;
/// The maximal size of an index, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// The lengths of packets of a transport stream: plain, with times (M2TS), with redundancy.
const PACKETS: [u64; 3] = [188, 192, 204];
/// How many packets must be in step.
const IN_STEP: u64 = 4;

/// What is wrong with a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    /// The file is shorter than it says.
    pub(super) breaks_off: bool,
    /// The file ends within a packet of a transport stream.
    pub(super) ends_within_packet: bool,
    /// The index leads to places where nothing begins.
    pub(super) misleads: bool,
}

/// Looks at the container of a local file.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn look(path: &Path) -> io::Result<Faults> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok(Faults {
        breaks_off: whole::breaks_off(path)?,
        ends_within_packet: ends_within_packet(&mut file, length)?,
        misleads: misleads(&mut file, length)?,
    })
}

/// Whether a transport stream ends within a packet. False for other files.
fn ends_within_packet(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.take(PACKETS[2] * IN_STEP).read_to_end(&mut bytes)?;
    let is_in_step = |packet: u64| {
        let first = if packet == 192 { 4 } else { 0 };
        (0..IN_STEP).all(|number| {
            let at = usize::try_from(number * packet + first);
            at.is_ok_and(|at| bytes.get(at) == Some(&0x47))
        })
    };
    let packet = PACKETS.into_iter().find(|packet| is_in_step(*packet));
    Ok(packet.is_some_and(|packet| !length.is_multiple_of(packet)))
}

/// Whether the index of a Matroska file leads to a place where no cluster begins. False for other files, and for those
/// without an index.
fn misleads(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    let Some((start, _)) = head(file, 0)?.filter(|(_, found)| found.id == 0x1a45_dfa3) else {
        return Ok(false);
    };
    let Some(after) = end(start, file, 0)? else {
        return Ok(false);
    };
    let Some((segment, _)) = head(file, after)?.filter(|(_, found)| found.id == SEGMENT) else {
        return Ok(false);
    };
    let mut at = segment;
    for _ in 0..MOST_ELEMENTS {
        let Some((data, found)) = head(file, at)? else {
            return Ok(false);
        };
        let Some(size) = found.size else {
            return Ok(false);
        };
        if found.id == CUES && size <= MOST_BYTES && data.saturating_add(size) <= length {
            file.seek(SeekFrom::Start(data))?;
            let mut bytes = Vec::new();
            file.take(size).read_to_end(&mut bytes)?;
            return leads_astray(file, segment, &bytes);
        }
        at = data.saturating_add(size);
        if at >= length {
            return Ok(false);
        }
    }
    Ok(false)
}

/// Whether one of the positions of an index is not the beginning of a cluster.
fn leads_astray(file: &mut (impl Read + Seek), segment: u64, index: &[u8]) -> io::Result<bool> {
    let within =
        |of: Element, id: u32| elements(index, of.data).filter(move |found| found.id == id);
    let points = elements(index, 0..index.len()).filter(|found| found.id == CUE_POINT);
    let positions = points
        .flat_map(|point| within(point, CUE_TRACK_POSITIONS))
        .flat_map(|positions| within(positions, CUE_CLUSTER_POSITION));
    let mut last = None;
    for position in positions {
        let bytes = index[position.data].iter();
        let at = bytes.fold(0_u64, |at, byte| at << 8 | u64::from(*byte));
        // Many points of an index lead to the same cluster.
        if last == Some(at) {
            continue;
        }
        last = Some(at);
        match head(file, segment.saturating_add(at))? {
            Some((_, found)) if found.id == CLUSTER => {}
            _ => return Ok(true),
        }
    }
    Ok(false)
}

/// The element that begins at `at`, and where its data begins.
fn head(file: &mut (impl Read + Seek), at: u64) -> io::Result<Option<(u64, Element)>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(HEAD).read_to_end(&mut bytes)?;
    Ok(element(&bytes, 0).map(|found| (at + found.size_at.end as u64, found)))
}

/// The end of the element that begins at `at`, whose data begins at `data`.
fn end(data: u64, file: &mut (impl Read + Seek), at: u64) -> io::Result<Option<u64>> {
    let found = head(file, at)?;
    Ok(found.and_then(|(_, found)| data.checked_add(found.size?)))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_transport_stream_ends_with_a_whole_packet() {
        for packet in [188, 192, 204] {
            let mut bytes = vec![0; packet * 6];
            for number in 0..6 {
                bytes[number * packet + if packet == 192 { 4 } else { 0 }] = 0x47;
            }
            let is_cut = |length: usize| {
                let mut file = Cursor::new(&bytes[..length]);
                ends_within_packet(&mut file, length as u64).expect("memory")
            };
            assert!(!is_cut(packet * 6), "{packet}");
            assert!(is_cut(packet * 6 - 1), "{packet}");
        }
        let mut other = Cursor::new(vec![0; 1001]);
        assert!(!ends_within_packet(&mut other, 1001).expect("memory"));
    }

    /// A file with one cluster, and an index that names its position, or another one.
    fn film(position: u8) -> Vec<u8> {
        let mut file = b"\x1A\x45\xDF\xA3\x80\x18\x53\x80\x67".to_vec();
        let cluster = b"\x1F\x43\xB6\x75\x84abcd";
        let index = [
            0x1C, 0x53, 0xBB, 0x6B, 0x87, 0xBB, 0x85, 0xB7, 0x83, 0xF1, 0x81, position,
        ];
        file.push(0x80 | u8::try_from(cluster.len() + index.len()).expect("short"));
        file.extend(cluster);
        file.extend(index);
        file
    }

    #[test]
    fn an_index_leads_to_clusters() {
        let misleads = |bytes: Vec<u8>| {
            let length = bytes.len() as u64;
            misleads(&mut Cursor::new(bytes), length).expect("memory")
        };
        assert!(!misleads(film(0)));
        assert!(misleads(film(2)));
        assert!(misleads(film(200)));
        assert!(!misleads(b"no film at all".to_vec()));
    }
}
