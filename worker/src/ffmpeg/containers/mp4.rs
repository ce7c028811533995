//! Corrections to mp4 and mov files that ffmpeg wrote. ffmpeg enables the first subtitle track even if none should
//! be. If it writes tags by keys, it writes the creation time twice or not at all. To mov it writes only the languages
//! that classic QuickTime had a number for. No byte of the file moves.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use jiff::Timestamp;

/// The bit of a track's header that enables the track.
const ENABLED: u8 = 1;
/// Seconds from the start of 1904, the epoch of mp4, to the start of 1970.
const EPOCH: i64 = 2_082_844_800;
/// The maximal number of boxes in a box.
const MOST_BOXES: usize = 100_000;

/// The position of a box's data.
#[derive(Clone, Copy)]
struct Span {
    start: u64,
    end: u64,
}

impl Span {
    /// The whole file.
    fn of(file: &File) -> io::Result<Self> {
        let end = file.metadata()?.len();
        Ok(Self { start: 0, end })
    }
}

/// Disables a track. Its number does not count covers.
///
/// # Errors
/// If the file cannot be read or written, or has no such track.
pub(crate) fn switch_off(file: &mut File, track: usize) -> io::Result<()> {
    let missing = || io::Error::other("ffmpeg wrote no such track");
    let whole = Span::of(file)?;
    let movie = find(file, whole, *b"moov", 0)?.ok_or_else(missing)?;
    let track = find(file, movie, *b"trak", track)?.ok_or_else(missing)?;
    let header = find(file, track, *b"tkhd", 0)?.ok_or_else(missing)?;
    // One byte of version and three bytes of flags.
    let mut flags = [0; 4];
    file.seek(SeekFrom::Start(header.start))?;
    file.read_exact(&mut flags)?;
    flags[3] &= !ENABLED;
    file.seek(SeekFrom::Start(header.start))?;
    file.write_all(&flags)
}

/// Writes the languages of tracks, each with the number of its track, which does not count covers. They are of three
/// small letters.
///
/// # Errors
/// If the file cannot be read or written, or has no such track.
pub(crate) fn write_languages(file: &mut File, languages: &[(usize, [u8; 3])]) -> io::Result<()> {
    let missing = || io::Error::other("ffmpeg wrote no such track");
    let whole = Span::of(file)?;
    let movie = find(file, whole, *b"moov", 0)?.ok_or_else(missing)?;
    for (track, language) in languages {
        let track = find(file, movie, *b"trak", *track)?.ok_or_else(missing)?;
        let media = find(file, track, *b"mdia", 0)?.ok_or_else(missing)?;
        let header = find(file, media, *b"mdhd", 0)?.ok_or_else(missing)?;
        let mut version = [0];
        file.seek(SeekFrom::Start(header.start))?;
        file.read_exact(&mut version)?;
        // Behind the flags, two times, the unit and the length. From version 1 on, three of these are longer.
        let place = header.start + if version[0] == 0 { 20 } else { 32 };
        // Five bits for each letter, from 1 on.
        let packed = language.iter().fold(0u16, |packed, letter| {
            packed << 5 | u16::from(letter & 0x1F)
        });
        file.seek(SeekFrom::Start(place))?;
        file.write_all(&packed.to_be_bytes())?;
    }
    Ok(())
}

/// Writes the creation time of the film and its tracks.
///
/// # Errors
/// If the file cannot be read or written, or has no header for the time.
pub(crate) fn write_created(file: &mut File, created: Timestamp) -> io::Result<()> {
    let missing = || io::Error::other("ffmpeg wrote no header of the film");
    let whole = Span::of(file)?;
    let movie = find(file, whole, *b"moov", 0)?.ok_or_else(missing)?;
    let header = find(file, movie, *b"mvhd", 0)?.ok_or_else(missing)?;
    let mut headers = vec![header];
    for number in 0..MOST_BOXES {
        let Some(track) = find(file, movie, *b"trak", number)? else {
            break;
        };
        headers.extend(find(file, track, *b"tkhd", 0)?);
        if let Some(media) = find(file, track, *b"mdia", 0)? {
            headers.extend(find(file, media, *b"mdhd", 0)?);
        }
    }
    // A time after 2040 does not fit into a short header.
    let seconds = u64::try_from(created.as_second() + EPOCH).unwrap_or(0);
    let short = u32::try_from(seconds);
    for header in headers {
        // A header begins with its version, three bytes of flags, the creation time, and the time of the last change.
        let mut version = [0; 4];
        file.seek(SeekFrom::Start(header.start))?;
        file.read_exact(&mut version)?;
        match (version[0], short) {
            (1, _) => file.write_all(&[seconds.to_be_bytes(); 2].concat())?,
            (_, Ok(seconds)) => file.write_all(&[seconds.to_be_bytes(); 2].concat())?,
            (_, Err(_)) => {}
        }
    }
    Ok(())
}

/// The box of this name within a span, after `before` others of the same name.
fn find(file: &mut File, within: Span, name: [u8; 4], before: usize) -> io::Result<Option<Span>> {
    let (mut at, mut passed) = (within.start, 0);
    for _ in 0..MOST_BOXES {
        if at + 8 > within.end {
            return Ok(None);
        }
        let mut head = [0; 8];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut head)?;
        let [a, b, c, d, kind @ ..] = head;
        let (start, size) = match u32::from_be_bytes([a, b, c, d]) {
            0 => (at + 8, within.end - at),
            1 => {
                let mut large = [0; 8];
                file.read_exact(&mut large)?;
                (at + 16, u64::from_be_bytes(large))
            }
            size => (at + 8, u64::from(size)),
        };
        let end = at.saturating_add(size).min(within.end);
        if end < start {
            return Ok(None);
        }
        if kind == name {
            if passed == before {
                return Ok(Some(Span { start, end }));
            }
            passed += 1;
        }
        at = end;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8], data: &[u8]) -> Vec<u8> {
        let size = u32::try_from(8 + data.len()).expect("small");
        [&size.to_be_bytes(), name, data].concat()
    }

    #[test]
    fn languages_are_packed_into_the_headers_of_tracks() {
        let track = |version: u8, size: usize| {
            let header = [vec![version], vec![0; size - 1]].concat();
            boxed(b"trak", &boxed(b"mdia", &boxed(b"mdhd", &header)))
        };
        let whole = boxed(b"moov", &[track(0, 24), track(1, 36)].concat());
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&whole).expect("room");
        write_languages(&mut file, &[(0, *b"und"), (1, *b"deu")]).expect("there are two");
        let mut now = Vec::new();
        file.rewind().expect("a file");
        file.read_to_end(&mut now).expect("readable");
        let first = 8 + 3 * 8;
        assert_eq!(now[first + 20..first + 22], [0x55, 0xC4]);
        let second = first + 24 + 3 * 8;
        assert_eq!(now[second + 32..second + 34], [0x10, 0xB5]);
        write_languages(&mut file, &[(2, *b"deu")]).expect_err("no such track");
    }

    #[test]
    fn only_the_given_track_is_disabled() {
        let track = |flags: u8| boxed(b"trak", &boxed(b"tkhd", &[0, 0, 0, flags, 9, 9]));
        let movie = [boxed(b"mvhd", &[1, 2]), track(3), track(7)].concat();
        let whole = [boxed(b"ftyp", b"isom"), boxed(b"moov", &movie)].concat();
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&whole).expect("room");
        switch_off(&mut file, 1).expect("there are two");
        assert!(switch_off(&mut file, 2).is_err());
        let mut now = Vec::new();
        file.rewind().expect("a file");
        file.read_to_end(&mut now).expect("readable");
        let changed: Vec<usize> = (0..whole.len())
            .filter(|&place| whole[place] != now[place])
            .collect();
        assert_eq!(changed.len(), 1);
        assert_eq!(now[changed[0]], 6);
    }
}
