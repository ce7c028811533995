//! Packages one track of an MP4 file as a CMAF track file: fragmented MP4 with one fragment for each segment, and an
//! index of the segments (`sidx`) before them. No byte of the track is changed.
//!
//! ffmpeg's own muxer moves the picture by the delay of reordered frames, differently in each version, and cuts
//! fragments of sound where it likes. A ladder needs all renditions on one clock and all cuts at the same times.

pub(super) mod boxes;
mod codec;
mod cut;
mod fragments;
mod header;
mod track;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom, Write};

use common::job::ladder::ByteRange;
use common::recipe::Segment;

use track::Track;

/// The longest header of a film, in bytes: that of ten hours at 60 frames a second has 60 MiB.
const LONGEST_HEADER: u64 = 1 << 29;

/// A packaged track.
#[derive(Clone, Debug, PartialEq)]
pub struct Packaged {
    /// The codec as RFC 6381 says it.
    pub codec: String,
    /// The part that a player reads first.
    pub initialization: ByteRange,
    /// The index of the segments.
    pub index: ByteRange,
    /// The segments, in order.
    pub segments: Vec<Part>,
    /// Where the track begins, in seconds of the film's clock.
    pub start: f64,
    /// Seconds from there to its end.
    pub duration: f64,
    /// The number of frames, or of packets of sound.
    pub samples: u64,
}

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// The bytes of the segment.
    pub bytes: ByteRange,
    /// Its length in seconds.
    pub seconds: f64,
}

/// Packages the track of this number, from 0, of an MP4 file that ffmpeg wrote. Segments begin at multiples of
/// `segment`. `is_stopped` is asked before each of them.
///
/// # Errors
/// If a file cannot be read or written, the MP4 is not as expected, or its keyframes are not at these times.
pub fn package(
    mp4: &File,
    number: usize,
    segment: Segment,
    into: &File,
    is_stopped: &dyn Fn() -> bool,
) -> io::Result<Packaged> {
    let mut reader = BufReader::with_capacity(1 << 20, mp4);
    let movie = movie(&mut reader, mp4.metadata()?.len())?;
    let track = Track::read(&movie, number)?;
    let layout = cut::cut(&track, segment)?;
    let mut writer = BufWriter::with_capacity(1 << 20, into);
    let initialization = header::initialization(&movie, &track, &layout)?;
    let fragments = fragments::plan(&track, &layout)?;
    let index = header::index(&track, &layout, &fragments)?;
    writer.write_all(&initialization)?;
    writer.write_all(&index)?;
    for (fragment, cut) in fragments.iter().zip(&layout.segments) {
        if is_stopped() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        fragment.write(&track.samples[cut.first..cut.end], &mut reader, &mut writer)?;
    }
    writer.flush()?;
    let (first, second) = (initialization.len() as u64, index.len() as u64);
    let mut offset = first + second;
    let mut segments = Vec::new();
    for (cut, fragment) in layout.segments.iter().zip(&fragments) {
        let length = fragment.bytes();
        segments.push(Part {
            bytes: ByteRange { offset, length },
            seconds: track.seconds(cut.duration),
        });
        offset += length;
    }
    Ok(Packaged {
        codec: codec::name(&track.description)?,
        initialization: ByteRange {
            offset: 0,
            length: first,
        },
        index: ByteRange {
            offset: first,
            length: second,
        },
        duration: segments.iter().map(|part| part.seconds).sum(),
        segments,
        start: layout.start as f64 / f64::from(track.timescale),
        samples: track.samples.len() as u64,
    })
}

/// The data of the box that describes the film.
fn movie(reader: &mut BufReader<&File>, size: u64) -> io::Result<Vec<u8>> {
    let mut at = 0;
    while at + 8 <= size {
        reader.seek(SeekFrom::Start(at))?;
        let head = boxes::head(reader)?;
        let length = head.length.unwrap_or(size - at);
        if length < head.size || length > size - at {
            return Err(broken("a box is longer than the file"));
        }
        if &head.kind == b"moov" {
            if length > LONGEST_HEADER {
                return Err(broken("its header is too long"));
            }
            let mut data = vec![0; (length - head.size) as usize];
            io::Read::read_exact(reader, &mut data)?;
            return Ok(data);
        }
        at += length;
    }
    Err(broken("it has no header"))
}

/// An MP4 that is not as ffmpeg writes it.
fn broken(what: &str) -> io::Error {
    io::Error::other(format!(
        "the MP4 that ffmpeg made cannot be packaged: {what}"
    ))
}
