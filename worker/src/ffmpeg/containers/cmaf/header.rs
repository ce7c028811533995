//! What comes before the segments: the header that players read first, and the index.

use std::io;

use crate::ffmpeg::containers::cmaf::boxes::{boxed, children, needed};
use crate::ffmpeg::containers::cmaf::broken;
use crate::ffmpeg::containers::cmaf::cut::Layout;
use crate::ffmpeg::containers::cmaf::fragments::{Fragment, KEYFRAME};
use crate::ffmpeg::containers::cmaf::track::{TRACK, Track, timescale};

/// The most bytes of a segment that the index can tell.
const LONGEST_SEGMENT: u64 = (1 << 31) - 1;
/// The bit that says that a segment begins with a keyframe that needs nothing before it.
const STARTS_WITH_KEYFRAME: u32 = 0x9000_0000;

/// The boxes `ftyp` and `moov`: the film's header, with this track alone and without its samples.
pub(super) fn initialization(
    movie: &[u8],
    track: &Track<'_>,
    layout: &Layout,
) -> io::Result<Vec<u8>> {
    // `cmf2` promises that no edit list is needed.
    let brands: &[u8] = match layout.hidden {
        0 => b"iso6\0\0\0\0iso6cmf2cmfcdashmp41",
        _ => b"iso6\0\0\0\0iso6cmfcdashmp41",
    };
    let movie_header = without_length(needed(movie, b"mvhd")?)?;
    let duration: i64 = layout.segments.iter().map(|cut| cut.duration).sum();
    let of_movie = timescale(&movie_header)?;
    let duration = i128::from(duration) * i128::from(of_movie) / i128::from(track.timescale);
    let duration = u64::try_from(duration).map_err(io::Error::other)?;
    let extended = boxed(
        b"mvex",
        &[
            &boxed(b"mehd", &[&[1, 0, 0, 0], &duration.to_be_bytes()]),
            &boxed(
                b"trex",
                &[
                    &[0; 4],
                    &TRACK.to_be_bytes(),
                    &1_u32.to_be_bytes(),
                    &[0; 8],
                    &KEYFRAME.to_be_bytes(),
                ],
            ),
        ],
    );
    let movie = boxed(
        b"moov",
        &[
            &boxed(b"mvhd", &[&movie_header]),
            &track_box(track, layout)?,
            &extended,
        ],
    );
    Ok([boxed(b"ftyp", &[brands]), movie].concat())
}

/// The track's box without samples, edits and tags.
fn track_box(track: &Track<'_>, layout: &Layout) -> io::Result<Vec<u8>> {
    let media = needed(track.data, b"mdia")?;
    let table = boxed(
        b"stbl",
        &[
            &boxed(b"stsd", &[&track.description]),
            &boxed(b"stts", &[&[0; 8]]),
            &boxed(b"stsc", &[&[0; 8]]),
            &boxed(b"stsz", &[&[0; 12]]),
            &boxed(b"stco", &[&[0; 8]]),
        ],
    );
    let mut information = Vec::new();
    for (kind, data) in children(needed(media, b"minf")?)? {
        match &kind {
            b"stbl" => information.extend(&table),
            _ => information.extend(boxed(&kind, &[data])),
        }
    }
    let mut parts = Vec::new();
    for (kind, data) in children(media)? {
        match &kind {
            b"mdhd" => parts.extend(boxed(&kind, &[&without_length(data)?])),
            b"minf" => parts.extend(boxed(&kind, &[&information])),
            _ => parts.extend(boxed(&kind, &[data])),
        }
    }
    let header = boxed(b"tkhd", &[&track_header(needed(track.data, b"tkhd")?)?]);
    let edits = match layout.hidden {
        0 => Vec::new(),
        hidden => {
            let one = [
                &[1, 0, 0, 0][..],
                &1_u32.to_be_bytes(),
                &[0; 8],
                &hidden.to_be_bytes(),
            ];
            let rate = 0x0001_0000_u32.to_be_bytes();
            boxed(b"edts", &[&boxed(b"elst", &[&one.concat(), &rate])])
        }
    };
    Ok(boxed(
        b"trak",
        &[&header, &edits, &boxed(b"mdia", &[&parts])],
    ))
}

/// The header of a film or of a track's media, in which no length stands: that of the segments counts.
fn without_length(header: &[u8]) -> io::Result<Vec<u8>> {
    let (at, bytes) = match header.first() {
        Some(0) => (16, 4),
        _ => (24, 8),
    };
    zeroed(header, at, bytes)
}

/// A track's header: it is the only one, it is on, and it has no length.
fn track_header(header: &[u8]) -> io::Result<Vec<u8>> {
    let (number, at, bytes) = match header.first() {
        Some(0) => (12, 20, 4),
        _ => (20, 28, 8),
    };
    let mut header = zeroed(header, at, bytes)?;
    // Enabled, in the film, in its preview.
    header[3] = 7;
    header[number..number + 4].copy_from_slice(&TRACK.to_be_bytes());
    Ok(header)
}

fn zeroed(header: &[u8], at: usize, bytes: usize) -> io::Result<Vec<u8>> {
    let mut header = header.to_vec();
    let part = header.get_mut(at..at + bytes);
    part.ok_or_else(|| broken("a header is too short"))?.fill(0);
    Ok(header)
}

/// The box `sidx`: length and time of each segment. It is followed by the first one.
pub(super) fn index(
    track: &Track<'_>,
    layout: &Layout,
    fragments: &[Fragment],
) -> io::Result<Vec<u8>> {
    let count = u16::try_from(fragments.len())
        .map_err(|_| broken("it has more segments than an index can tell: choose longer ones"))?;
    let begins = u64::try_from(layout.start).map_err(io::Error::other)?;
    let mut data = vec![1, 0, 0, 0];
    data.extend(TRACK.to_be_bytes());
    data.extend(track.timescale.to_be_bytes());
    data.extend(begins.to_be_bytes());
    data.extend([0; 8]);
    data.extend([0; 2]);
    data.extend(count.to_be_bytes());
    for (fragment, cut) in fragments.iter().zip(&layout.segments) {
        if fragment.bytes() > LONGEST_SEGMENT {
            return Err(broken("a segment has more than 2 GiB: choose shorter ones"));
        }
        let duration = u32::try_from(cut.duration)
            .map_err(|_| broken("a segment is longer than an index can tell"))?;
        data.extend((fragment.bytes() as u32).to_be_bytes());
        data.extend(duration.to_be_bytes());
        data.extend(STARTS_WITH_KEYFRAME.to_be_bytes());
    }
    Ok(boxed(b"sidx", &[&data]))
}
