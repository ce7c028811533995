//! The parts of a Matroska header that ffmpeg neither reads nor writes: languages by BCP 47, codecs that ffmpeg does not
//! know, and how long a frame of a copied film is shown, which old versions take from its beginning.
//!
//! ffmpeg writes the language by ISO 639 only (`por` for `pt-BR`). It is therefore given a title with filling
//! characters at the end, and this module replaces them by the missing element. No other byte of the file moves.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::ffmpeg::containers::ebml;
use crate::ffmpeg::containers::ebml::{Element, element, elements};
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};

const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_AE6B;
const CLUSTER: u32 = 0x1F43_B675;
const CRC: u32 = 0xBF;
const ENTRY: u32 = 0xAE;
const TYPE: u32 = 0x83;
const CODEC: u32 = 0x86;
const NAME: u32 = 0x536E;
const LANGUAGE: u32 = 0x22_B59C;
const BCP47: u32 = 0x22_B59D;
const FRAME: u32 = 0x23_E383;

/// The length of the beginning of [`BCP47`]: its identifier and a size of one byte.
const BCP47_HEAD: usize = 4;
/// The length of the beginning of [`NAME`] if the name is short.
const NAME_HEAD: usize = 3;

/// The maximal number of elements before the tracks of a file.
const MOST_ELEMENTS: usize = 64;
/// The maximal size of the description of all tracks, in bytes.
const MOST_BYTES: u64 = 16 << 20;
/// The maximal length of a language to write, in bytes. No real one is longer.
const MOST_LANGUAGE: usize = 60;

/// The filling character of titles.
const FILLING: char = '_';

/// Adds to ffprobe's result what ffprobe does not read. If the header cannot be read, the result stays.
pub(crate) fn look(file: impl Read + Seek, media: &mut Media) {
    match Header::read(file) {
        Ok(Some(header)) => header.add_to(media),
        Ok(None) => {}
        Err(error) => tracing::debug!(%error, "the header of a Matroska file cannot be read"),
    }
}

/// A title with filling characters that make room for a language.
pub(crate) fn with_room(title: &str, language: &str) -> String {
    let room = language.len()
        + if title.is_empty() {
            BCP47_HEAD - NAME_HEAD
        } else {
            BCP47_HEAD
        };
    format!("{title}{}", FILLING.to_string().repeat(room))
}

/// Whether a language can be written.
pub(crate) fn is_writable(language: &str) -> bool {
    language.len() <= MOST_LANGUAGE
        && language
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Writes languages into the room of titles. Each language comes with the number of its track.
///
/// # Errors
/// If the file cannot be written, or has no such room.
pub(crate) fn write_languages(file: &mut File, languages: &[(usize, String)]) -> io::Result<()> {
    let missing = |what: &str| io::Error::other(format!("ffmpeg wrote no {what}"));
    let mut header = Header::read(&*file)?.ok_or_else(|| missing("description of tracks"))?;
    for (number, language) in languages {
        let entry = header.entries().nth(*number);
        let entry = entry.ok_or_else(|| missing("track"))?;
        let name = elements(&header.bytes, entry.data).find(|element| element.id == NAME);
        let name = name.ok_or_else(|| missing("title"))?;
        header
            .put_language(&name, language)
            .ok_or_else(|| missing("room for a language"))?;
    }
    header.update_checksum();
    file.seek(SeekFrom::Start(header.at))?;
    file.write_all(&header.bytes)
}

/// How long a frame of this track is shown, in nanoseconds; `None` if the file does not say.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn frame(file: impl Read + Seek, track: usize) -> io::Result<Option<u64>> {
    let header = Header::read(file)?;
    Ok(header.and_then(|header| {
        let stated = header.frame(track)?;
        let bytes = &header.bytes[stated.data];
        Some(
            bytes
                .iter()
                .fold(0, |value, byte| value << 8 | u64::from(*byte)),
        )
    }))
}

/// Writes how long a frame of this track is shown, in nanoseconds, if the file says that at all.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write_frame(file: &mut File, track: usize, nanoseconds: u64) -> io::Result<()> {
    let Some(mut header) = Header::read(&*file)? else {
        return Ok(());
    };
    let value = nanoseconds.to_be_bytes();
    let Some(place) = header.frame(track).map(|stated| stated.data) else {
        return Ok(());
    };
    let Some(unused) = value.len().checked_sub(place.len()) else {
        return Ok(());
    };
    if value[..unused].iter().any(|byte| *byte != 0)
        || header.bytes[place.clone()] == value[unused..]
    {
        return Ok(());
    }
    header.bytes[place].copy_from_slice(&value[unused..]);
    header.update_checksum();
    file.seek(SeekFrom::Start(header.at))?;
    file.write_all(&header.bytes)
}

/// The description of all tracks.
struct Header {
    /// The position of its data in the file.
    at: u64,
    /// Its data.
    bytes: Vec<u8>,
}

impl Header {
    /// Finds the description before the first cluster. `None` if there is none.
    fn read(mut file: impl Read + Seek) -> io::Result<Option<Self>> {
        let mut at = 0;
        for _ in 0..MOST_ELEMENTS {
            let mut head = Vec::with_capacity(12);
            file.seek(SeekFrom::Start(at))?;
            Read::by_ref(&mut file).take(12).read_to_end(&mut head)?;
            let Some(found) = element(&head, 0) else {
                return Ok(None);
            };
            let data = at + found.size_at.end as u64;
            match (found.id, found.size) {
                (SEGMENT, _) => at = data,
                (TRACKS, Some(size)) if size <= MOST_BYTES => {
                    let mut bytes = Vec::new();
                    file.seek(SeekFrom::Start(data))?;
                    Read::by_ref(&mut file).take(size).read_to_end(&mut bytes)?;
                    return Ok(Some(Self { at: data, bytes }));
                }
                (CLUSTER, _) | (_, None) => return Ok(None),
                (_, Some(size)) => match data.checked_add(size) {
                    Some(next) => at = next,
                    None => return Ok(None),
                },
            }
        }
        Ok(None)
    }

    fn entries(&self) -> impl Iterator<Item = Element> {
        elements(&self.bytes, 0..self.bytes.len()).filter(|element| element.id == ENTRY)
    }

    /// The element that says how long a frame of a track is shown.
    fn frame(&self, track: usize) -> Option<Element> {
        let entry = self.entries().nth(track)?;
        elements(&self.bytes, entry.data).find(|element| element.id == FRAME)
    }

    fn add_to(&self, media: &mut Media) {
        // ffmpeg makes a stream of each entry that has a known type and a codec, in this order.
        let described: Vec<Entry> = self
            .entries()
            .filter_map(|entry| Entry::read(&self.bytes, &entry))
            .collect();
        let streams = || media.streams.iter().filter(|stream| !is_attached(stream));
        let fits = streams().count() == described.len()
            && streams()
                .zip(&described)
                .all(|(stream, entry)| stream.kind == entry.kind);
        if !fits {
            return;
        }
        let streams = media.streams.iter_mut();
        for (stream, entry) in streams.filter(|stream| !is_attached(stream)).zip(described) {
            // If there is no ISO 639 code, ffmpeg assumes English, which is the default of old files.
            let has_code = entry.has_code;
            let says_more = |language: &String| !has_code || language.contains('-');
            if let Some(language) = entry.language.filter(says_more) {
                stream.tags.insert("language".to_owned(), language);
            }
            if stream.codec.is_empty() && entry.codec == "S_TEXT/WEBVTT" {
                stream.codec = "webvtt".to_owned();
                // ffmpeg's decoder for WebVTT in Matroska supports only the first form that WebM used.
                stream.reader = Some("subrip".into());
            }
        }
    }

    /// Replaces the room at a title's end by a language.
    fn put_language(&mut self, name: &Element, language: &str) -> Option<()> {
        let title = std::str::from_utf8(&self.bytes[name.data.clone()]).ok()?;
        let title = title.strip_suffix(with_room("", language).as_str())?;
        let rest = title.strip_suffix(FILLING.to_string().repeat(NAME_HEAD).as_str());
        let mut written = Vec::new();
        let start = match rest {
            // A title, followed by room for a whole element.
            Some(title) => {
                written.extend(ebml::size(title.len(), name.size_at.len())?);
                written.extend(title.as_bytes());
                name.size_at.start
            }
            // No title: the language replaces the whole element.
            None if title.is_empty() && name.size_at.len() == 1 => name.size_at.start - 2,
            None => return None,
        };
        written.extend(&BCP47.to_be_bytes()[1..]);
        written.extend(ebml::size(language.len(), 1)?);
        written.extend(language.as_bytes());
        let room = self.bytes.get_mut(start..name.data.end)?;
        if room.len() != written.len() {
            return None;
        }
        room.copy_from_slice(&written);
        Some(())
    }

    /// Updates the checksum, if there is one.
    fn update_checksum(&mut self) {
        if let Some(first) = element(&self.bytes, 0)
            && first.id == CRC
            && first.data.len() == 4
        {
            let sum = crc32(&self.bytes[first.data.end..]);
            self.bytes[first.data].copy_from_slice(&sum.to_le_bytes());
        }
    }
}

/// The entry of a track.
struct Entry {
    kind: StreamKind,
    codec: String,
    /// By BCP 47.
    language: Option<String>,
    /// Whether there is also a language by ISO 639-2.
    has_code: bool,
}

impl Entry {
    fn read(bytes: &[u8], entry: &Element) -> Option<Self> {
        let mut read = Self {
            kind: StreamKind::Data,
            codec: String::new(),
            language: None,
            has_code: false,
        };
        for part in elements(bytes, entry.data.clone()) {
            let data = &bytes[part.data];
            let text = || {
                String::from_utf8_lossy(data)
                    .trim_end_matches('\0')
                    .to_owned()
            };
            match part.id {
                TYPE => {
                    read.kind = match data {
                        [1] => StreamKind::Video,
                        [2] => StreamKind::Audio,
                        [0x11 | 0x21] => StreamKind::Subtitle,
                        _ => return None,
                    }
                }
                CODEC => read.codec = text(),
                LANGUAGE => read.has_code = true,
                BCP47 => read.language = Some(text()).filter(|language| is_writable(language)),
                _ => {}
            }
        }
        (!read.codec.is_empty()).then_some(read)
    }
}

/// Whether a stream is an attached file. Matroska does not count these as tracks.
fn is_attached(stream: &Stream) -> bool {
    stream.kind == StreamKind::Attachment || stream.is_cover()
}

/// The checksum of IEEE 802.3, which EBML uses.
fn crc32(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ if sum & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_frame_is_replaced_in_place() {
        let frame =
            |value: &[u8]| [&[0x23, 0xE3, 0x83, 0x80 | value.len() as u8][..], value].concat();
        let entry = |inside: &[u8]| [&[0xAE, 0x80 | inside.len() as u8][..], inside].concat();
        let sound = [0x83, 0x81, 2];
        let tracks = [entry(&sound), entry(&frame(&[2, 0x7C, 0x6A, 0xF5]))].concat();
        let size = 0x80 | tracks.len() as u8;
        let head = [0x18, 0x53, 0x80, 0x67, 0xFF, 0x16, 0x54, 0xAE, 0x6B, size];
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("film.mkv");
        std::fs::write(&path, [&head[..], &tracks].concat()).expect("room");
        let mut file = File::options()
            .read(true)
            .write(true)
            .open(&path)
            .expect("it");
        assert_eq!(super::frame(&file, 1).expect("read"), Some(41_708_277));
        assert_eq!(super::frame(&file, 0).expect("read"), None);
        write_frame(&mut file, 1, 40_000_000).expect("written");
        assert_eq!(super::frame(&file, 1).expect("read"), Some(40_000_000));
        write_frame(&mut file, 1, u64::MAX).expect("no room");
        write_frame(&mut file, 0, 1).expect("nothing is said");
        assert_eq!(super::frame(&file, 1).expect("read"), Some(40_000_000));
    }

    #[test]
    fn room_in_a_title_becomes_a_language() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        for (title, language) in [
            ("", "pt-BR"),
            ("Ton", "zh-Hans"),
            (&"x".repeat(130), "de-CH"),
        ] {
            let padded = with_room(title, language);
            let head = if padded.len() < 127 { 1 } else { 2 };
            let mut bytes = vec![0x53, 0x6E];
            bytes.extend(ebml::size(padded.len(), head).expect("short"));
            bytes.extend(padded.as_bytes());
            let name = element(&bytes, 0).expect("an element");
            let mut header = Header { at: 0, bytes };
            header.put_language(&name, language).expect("room");
            let found: Vec<_> = elements(&header.bytes, 0..header.bytes.len())
                .map(|part| (part.id, header.bytes[part.data].to_vec()))
                .collect();
            let mut wanted = Vec::new();
            if !title.is_empty() {
                wanted.push((NAME, title.as_bytes().to_vec()));
            }
            wanted.push((BCP47, language.as_bytes().to_vec()));
            assert_eq!(found, wanted);
        }
    }
}
