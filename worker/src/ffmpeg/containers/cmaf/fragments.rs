//! The segments of a track: a table of samples (`moof`) and their bytes (`mdat`) for each.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use crate::ffmpeg::containers::cmaf::boxes::boxed;
use crate::ffmpeg::containers::cmaf::broken;
use crate::ffmpeg::containers::cmaf::cut::{Cut, Layout};
use crate::ffmpeg::containers::cmaf::track::{Sample, TRACK, Track};

/// The flags of a sample that needs no other, and of one that does.
pub(super) const KEYFRAME: u32 = 0x0200_0000;
const OTHER: u32 = 0x0101_0000;

/// The table of a segment before it is written, and the bytes of its samples.
pub(super) struct Fragment {
    table: Vec<u8>,
    samples: u64,
}

impl Fragment {
    /// Bytes of the segment.
    pub(super) fn bytes(&self) -> u64 {
        self.table.len() as u64 + 8 + self.samples
    }

    /// Writes the segment, with the bytes of its samples from the MP4.
    pub(super) fn write(
        &self,
        samples: &[Sample],
        reader: &mut BufReader<&File>,
        writer: &mut BufWriter<&File>,
    ) -> io::Result<()> {
        writer.write_all(&self.table)?;
        let length = u32::try_from(8 + self.samples).map_err(io::Error::other)?;
        writer.write_all(&length.to_be_bytes())?;
        writer.write_all(b"mdat")?;
        let mut at = reader.stream_position()?;
        for sample in samples {
            // What is read already stays in the buffer.
            match i64::try_from(i128::from(sample.offset) - i128::from(at)) {
                Ok(away) => reader.seek_relative(away)?,
                Err(_) => drop(reader.seek(SeekFrom::Start(sample.offset))?),
            }
            let copied = io::copy(&mut reader.by_ref().take(sample.size.into()), writer)?;
            if copied != u64::from(sample.size) {
                return Err(broken("a frame is cut off"));
            }
            at = sample.offset + copied;
        }
        Ok(())
    }
}

/// The tables of all segments.
pub(super) fn plan(track: &Track<'_>, layout: &Layout) -> io::Result<Vec<Fragment>> {
    let numbered = (1_u32..).zip(&layout.segments);
    numbered
        .map(|(number, cut)| fragment(track, layout, *cut, number))
        .collect()
}

fn fragment(track: &Track<'_>, layout: &Layout, cut: Cut, number: u32) -> io::Result<Fragment> {
    let samples = &track.samples[cut.first..cut.end];
    let begins = samples.first().map_or(0, |sample| sample.decoded);
    let begins = u64::try_from(layout.base + begins - track.samples[0].decoded)
        .map_err(|_| broken("a frame is decoded before the film begins"))?;
    // Where the bytes of the samples begin stands in the table, which is as long whatever stands there.
    let table = |bytes_at: u32| {
        let run = run(track, samples, bytes_at);
        let relative_to_table = 0x0002_0000_u32;
        let traffic = boxed(
            b"traf",
            &[
                &boxed(
                    b"tfhd",
                    &[&relative_to_table.to_be_bytes(), &TRACK.to_be_bytes()],
                ),
                &boxed(b"tfdt", &[&[1, 0, 0, 0], &begins.to_be_bytes()]),
                &run,
            ],
        );
        let head = boxed(b"mfhd", &[&[0; 4], &number.to_be_bytes()]);
        boxed(b"moof", &[&head, &traffic])
    };
    let bytes_at = u32::try_from(table(0).len() + 8).map_err(io::Error::other)?;
    let bytes = samples.iter().map(|sample| u64::from(sample.size)).sum();
    Ok(Fragment {
        table: table(bytes_at),
        samples: bytes,
    })
}

/// The box `trun`: length, size and delay of each sample.
fn run(track: &Track<'_>, samples: &[Sample], bytes_at: u32) -> Vec<u8> {
    // Whether the table has: where the bytes are, durations, sizes, and for video flags and delays.
    let flags: u32 = match track.is_video {
        true => 0x0100_0f01,
        false => 0x0100_0301,
    };
    let mut data = flags.to_be_bytes().to_vec();
    data.extend((samples.len() as u32).to_be_bytes());
    data.extend(bytes_at.to_be_bytes());
    for sample in samples {
        data.extend(sample.duration.to_be_bytes());
        data.extend(sample.size.to_be_bytes());
        if track.is_video {
            let flags = if sample.is_keyframe { KEYFRAME } else { OTHER };
            data.extend(flags.to_be_bytes());
            data.extend(sample.delay.to_be_bytes());
        }
    }
    boxed(b"trun", &[&data])
}
