//! A track of an MP4 file: its samples (frames, or packets of sound), and the clock on which they are shown.

use std::io;

use crate::ffmpeg::containers::cmaf::boxes::{Numbers, child, children, needed};
use crate::ffmpeg::containers::cmaf::broken;

/// The number of the track in its new file.
pub(super) const TRACK: u32 = 1;
/// The most samples of a track: 40 hours at 240 frames a second.
const MOST_SAMPLES: usize = 1 << 25;

/// A track of an MP4 file.
pub(super) struct Track<'a> {
    /// The data of its box.
    pub(super) data: &'a [u8],
    /// The data of the box that describes its codec.
    pub(super) description: Vec<u8>,
    pub(super) is_video: bool,
    /// Units of time in a second.
    pub(super) timescale: u32,
    /// What is added to a composition time to get the time at which a player shows it.
    pub(super) shift: i64,
    pub(super) samples: Vec<Sample>,
}

/// A frame, or a packet of sound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    /// Where its bytes are in the file.
    pub(super) offset: u64,
    pub(super) size: u32,
    /// When it is decoded.
    pub(super) decoded: i64,
    pub(super) duration: u32,
    /// How much later it is shown than decoded.
    pub(super) delay: i32,
    pub(super) is_keyframe: bool,
}

impl Sample {
    /// When the sample is shown, without the track's shift.
    pub(super) fn shown(self) -> i64 {
        self.decoded + i64::from(self.delay)
    }
}

impl<'a> Track<'a> {
    /// Reads the track of this number from the data of a film's header.
    pub(super) fn read(movie: &'a [u8], number: usize) -> io::Result<Self> {
        let mut tracks = children(movie)?
            .into_iter()
            .filter(|(kind, _)| kind == b"trak")
            .map(|(_, data)| data);
        let data = tracks
            .nth(number)
            .ok_or_else(|| broken("a track is missing"))?;
        let media = needed(data, b"mdia")?;
        let mut handler = Numbers(needed(media, b"hdlr")?);
        handler.take(8)?;
        let is_video = handler.take(4)? == b"vide";
        let of_movie = timescale(needed(movie, b"mvhd")?)?;
        let timescale = timescale(needed(media, b"mdhd")?)?;
        let table = needed(needed(media, b"minf")?, b"stbl")?;
        Ok(Self {
            data,
            description: needed(table, b"stsd")?.to_vec(),
            is_video,
            timescale,
            shift: shift(data, of_movie, timescale)?,
            samples: samples(table)?,
        })
    }

    pub(super) fn seconds(&self, units: i64) -> f64 {
        units as f64 / f64::from(self.timescale)
    }
}

/// Units of time in a second, from the header of a film or of a track's media.
pub(super) fn timescale(header: &[u8]) -> io::Result<u32> {
    let mut header = Numbers(header);
    let version = header.version()?;
    header.either(version)?;
    header.either(version)?;
    match header.u32()? {
        0 => Err(broken("a track has no clock")),
        timescale => Ok(timescale),
    }
}

/// What the edit list adds to composition times: a pause before the track, less what it leaves out at its beginning.
fn shift(track: &[u8], of_movie: u32, timescale: u32) -> io::Result<i64> {
    let Some(edits) = child(track, b"edts")? else {
        return Ok(0);
    };
    let Some(list) = child(edits, b"elst")? else {
        return Ok(0);
    };
    let mut list = Numbers(list);
    let version = list.version()?;
    let count = list.u32()?;
    let mut pause = 0;
    for _ in 0..count {
        let length = list.either(version)?;
        let from = match version {
            0 => i64::from(list.i32()?),
            _ => list.u64()? as i64,
        };
        list.u32()?;
        if from >= 0 {
            let pause = i128::from(pause) * i128::from(timescale) / i128::from(of_movie);
            return i64::try_from(pause - i128::from(from)).map_err(io::Error::other);
        }
        pause += length;
    }
    Ok(0)
}

/// The samples that these tables describe.
fn samples(table: &[u8]) -> io::Result<Vec<Sample>> {
    let mut samples = sizes(needed(table, b"stsz")?)?;
    times(&mut samples, needed(table, b"stts")?)?;
    if let Some(delays) = child(table, b"ctts")? {
        add_delays(&mut samples, delays)?;
    }
    match child(table, b"stss")? {
        Some(list) => {
            let mut list = Numbers(list);
            list.version()?;
            for _ in 0..list.u32()? {
                let number = list.u32()? as usize;
                let sample = number.checked_sub(1).and_then(|at| samples.get_mut(at));
                sample
                    .ok_or_else(|| broken("a keyframe is no frame"))?
                    .is_keyframe = true;
            }
        }
        None => samples
            .iter_mut()
            .for_each(|sample| sample.is_keyframe = true),
    }
    place(&mut samples, table)?;
    match samples.is_empty() {
        true => Err(broken("a track is empty")),
        false => Ok(samples),
    }
}

fn sizes(list: &[u8]) -> io::Result<Vec<Sample>> {
    let mut list = Numbers(list);
    list.version()?;
    let same = list.u32()?;
    let count = list.u32()? as usize;
    if count > MOST_SAMPLES {
        return Err(broken("a track has too many frames"));
    }
    let one = |size| Sample {
        size,
        ..Sample::default()
    };
    match same {
        0 => (0..count).map(|_| list.u32().map(one)).collect(),
        size => Ok(vec![one(size); count]),
    }
}

fn times(samples: &mut [Sample], list: &[u8]) -> io::Result<()> {
    let mut list = Numbers(list);
    list.version()?;
    let mut left = samples.iter_mut();
    let mut now = 0_i64;
    for _ in 0..list.u32()? {
        let (count, duration) = (list.u32()?, list.u32()?);
        for sample in left.by_ref().take(count as usize) {
            (sample.decoded, sample.duration) = (now, duration);
            now += i64::from(duration);
        }
    }
    match left.next() {
        Some(_) => Err(broken("a frame has no time")),
        None => Ok(()),
    }
}

fn add_delays(samples: &mut [Sample], list: &[u8]) -> io::Result<()> {
    let mut list = Numbers(list);
    list.version()?;
    let mut left = samples.iter_mut();
    for _ in 0..list.u32()? {
        let (count, delay) = (list.u32()?, list.i32()?);
        for sample in left.by_ref().take(count as usize) {
            sample.delay = delay;
        }
    }
    Ok(())
}

/// Finds the bytes of each sample: the file has them in chunks, and the tables say how many samples each chunk has.
fn place(samples: &mut [Sample], table: &[u8]) -> io::Result<()> {
    let (mut list, is_large) = match child(table, b"co64")? {
        Some(list) => (Numbers(list), true),
        None => (Numbers(needed(table, b"stco")?), false),
    };
    list.version()?;
    let chunks = list.u32()?;
    let mut runs = Numbers(needed(table, b"stsc")?);
    runs.version()?;
    let runs_count = runs.u32()?;
    let mut next = (0..runs_count).map(|_| {
        let (first, count) = (runs.u32()?, runs.u32()?);
        // The number of the description: ffmpeg writes one.
        match runs.u32()? {
            1 => Ok((first, count)),
            _ => Err(broken("a track changes its codec")),
        }
    });
    let mut following = next.next().transpose()?;
    let mut in_chunk = 0;
    let mut left = samples.iter_mut();
    for chunk in 1..=chunks {
        if let Some((first, count)) = following
            && first == chunk
        {
            in_chunk = count;
            following = next.next().transpose()?;
        }
        let mut offset = match is_large {
            true => list.u64()?,
            false => list.u32()?.into(),
        };
        for sample in left.by_ref().take(in_chunk as usize) {
            sample.offset = offset;
            offset += u64::from(sample.size);
        }
    }
    match left.next() {
        Some(_) => Err(broken("a frame has no bytes")),
        None => Ok(()),
    }
}
