//! The command line that joins the pieces of a split job, by copy. The output is that of an unsplit encode.

use std::ffi::OsString;
use std::path::Path;

use common::job::failure::Failure;
use common::job::split::{Chunk, Stated};

use crate::ffmpeg::arguments::line::{Line, units};
use crate::ffmpeg::arguments::pieces::{beginning, ratio, rest_later, shown_in_rest};
use crate::ffmpeg::arguments::{Arguments, Whole, encode, tasks};
use crate::ffmpeg::picture::{Pace, Picture};
use crate::ffmpeg::probe::media::{Ratio, Stream};
use crate::ffmpeg::split::stated;
use crate::ffmpeg::tracks::{Track, TrackMethod, dispositions, extras, tags};
use crate::ffmpeg::{FORMATS, Source, file};

/// Decoding goes on from piece to piece: the encoder may have begun a piece earlier than the one before ends.
const IN_ORDER: &str = "setts=pts=PTS:dts='if(N,max(DTS,PREV_OUTDTS+1),DTS)'";

/// The delay of libopus: 312 samples at 48 kHz.
const OPUS_LATER: &str = "setts=ts='TS+round(0.0065/TB)'";

/// Tags that the container of a piece gives to each film.
const OF_PIECES: [&str; 3] = ["handler_name", "vendor_id", "language"];

/// The pieces of a split job.
#[derive(Clone, Copy)]
pub struct Pieces<'a> {
    /// The chunks, in order.
    pub chunks: &'a [Chunk],
    /// The unit of their times, in seconds.
    pub time_base: (u32, u32),
    /// The file with [`list_of_pieces`].
    pub list: &'a Path,
    /// Whether a piece of that list is read over the network.
    pub is_remote: bool,
    /// The piece with all other tracks; `None` if there are none.
    pub rest: Option<&'a Source>,
    /// What an unsplit output states about the film.
    pub stated: &'a Stated,
}

/// A list of the pieces of chunks for ffmpeg's concat demuxer. It says how long each piece is, in differences of rounded
/// times, so that no error adds up.
///
/// # Errors
/// The worker's fault if an address cannot be written into a list.
pub fn list_of_pieces(
    pieces: &[Source],
    chunks: &[Chunk],
    time_base: (u32, u32),
) -> Result<Vec<u8>, Failure> {
    let mut list = b"ffconcat version 1.0\n".to_vec();
    for (piece, chunk) in pieces.iter().zip(chunks) {
        let address = match piece {
            Source::File(path) | Source::Outline(path) => file(path),
            Source::Url(address) => address.url().into(),
        };
        let address = address.as_encoded_bytes();
        if address.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
            return Err(Failure::worker("the address of a piece holds a line break"));
        }
        list.extend(b"file '");
        for byte in address {
            match byte {
                b'\'' => list.extend(b"'\\''"),
                byte => list.push(*byte),
            }
        }
        let length = micros(chunk.end, time_base) - micros(chunk.start, time_base);
        list.extend(format!("'\nduration {length}us\n").as_bytes());
    }
    Ok(list)
}

/// Makes the command line that joins the pieces. All else is as for an unsplit encode.
///
/// # Errors
/// As for [`encode`].
pub fn join(whole: &Whole<'_>, pieces: &Pieces<'_>, output: &Path) -> Result<Arguments, Failure> {
    let Whole {
        recipe,
        media,
        findings,
        encoder,
        build,
        source,
    } = *whole;
    let arguments = encode(recipe, media, findings, encoder, build, source, output)?;
    let tracks = &arguments.tracks;
    let films: Vec<Stream> = tracks
        .iter()
        .filter(|track| track.by == TrackMethod::Video)
        .map(|track| track.source.clone())
        .collect();
    let tasks = tasks(recipe, &films, (findings, None), encoder, build, None)?;
    let (Some(task), [film]) = (tasks.first(), films.as_slice()) else {
        return Err(Failure::worker("only an encode of one film has chunks"));
    };
    let mut line = Line::beginning(None);
    // All pieces keep the times that they have.
    line.push("-copyts");
    let begins = beginning(media, tracks, build);
    line.push(format!("-itsoffset {:.6}", offset(pieces, begins)));
    line.add(reading_of_pieces(pieces));
    let mut last = 0;
    if let Some(rest) = pieces.rest {
        let later = rest_later(recipe.container);
        if later > 0 {
            line.push(format!("-itsoffset -{later}"));
        }
        line.add(rest.arguments());
        last += 1;
    }
    // Chapters move with the source, by as much as in an unsplit encode.
    let start = media.start.unwrap_or(0.0);
    let start = match build.keeps_times_below_zero() {
        true => start.max(0.0),
        false => start,
    };
    line.push(format!("-itsoffset {:.6}", -start));
    line.add(source.arguments());
    last += 1;
    let mut maps = vec![None; tracks.len()];
    for (number, track) in tracks.iter().enumerate() {
        if track.by == TrackMethod::Video {
            maps[number] = Some("0:0".to_owned());
        }
    }
    let shown = shown_in_rest(recipe.container, tracks);
    for (place, (number, _)) in shown.into_iter().enumerate() {
        maps[number] = Some(format!("1:{place}"));
    }
    for from in maps.into_iter().flatten() {
        line.push(format!("-map {from}"));
    }
    line.push("-c copy");
    let folder = output.parent().unwrap_or(Path::new(""));
    line.add(extras::arguments(tracks, folder));
    line.push(format!("-map_metadata {last} -map_chapters {last}"));
    line.add(tags_of_film(film));
    line.add(tags::arguments(recipe.container, media, tracks));
    line.add(dispositions::arguments(recipe.container, tracks));
    for tag in Picture::of(task)?.cleared() {
        line.add(["-metadata:s:v:0".to_owned(), format!("{tag}=")]);
    }
    line.add(stated::options(pieces.stated));
    if recipe.container.is_matroska() {
        // Pieces do not say it, and a short one tells little. With a rate, ffmpeg 9 hands bitstream filters times that are
        // rounded to frames, so there are none. Matroska holds no times of decoding.
        if let Some(rate) = film.base_rate {
            line.push(format!("-r:v:0 {rate}"));
        }
        if !build.adds_opus_delay() {
            line.add(opus_delays(tracks));
        }
    } else {
        let pace = Pace::of(task.video, film);
        let clock = units(task, None).1.map(|clock| clock.filter(pace.step()));
        let filters: Vec<String> = [IN_ORDER.to_owned()].into_iter().chain(clock).collect();
        line.add(["-bsf:v:0".to_owned(), filters.join(",")]);
    }
    let with = encoder.map(|(encoder, _)| encoder);
    line.container(recipe.container, with, tracks, tags::has_keys(media));
    line.list.push(file(output));
    let finish = arguments.finish.clone();
    let finish = finish.with_frame(recipe.container, tracks, pieces.stated.frame);
    Ok(Arguments {
        list: line.list,
        finish,
        first_pass: None,
        size: None,
        tables: Vec::new(),
        burn_in: None,
        ..arguments
    })
}

/// The arguments that open the list of pieces.
pub fn reading_of_pieces(pieces: &Pieces<'_>) -> Vec<OsString> {
    let protocols = match pieces.is_remote {
        true => "file,http,tcp",
        false => "file",
    };
    // Without conversion, the header of the first piece is that of all: they are alike.
    let options = format!(
        "-format_whitelist concat,{FORMATS} -protocol_whitelist {protocols} -auto_convert 0 -safe 0 -f concat -i"
    );
    let mut list: Vec<OsString> = options.split(' ').map(OsString::from).collect();
    list.push(file(pieces.list));
    list
}

/// Adds the delay of Opus to its times, which old versions of ffmpeg take off when they read Matroska, but do not add
/// when they write it.
fn opus_delays(tracks: &[Track]) -> Vec<String> {
    let is_opus = |track: &Track| match track.by {
        TrackMethod::Audio(encoder) => encoder.codec() == "opus",
        _ => track.source.codec == "opus",
    };
    let all = tracks.iter().enumerate();
    all.filter(|(_, track)| is_opus(track))
        .flat_map(|(number, _)| [format!("-bsf:{number}"), OPUS_LATER.to_owned()])
        .collect()
}

/// The tags that an encode of the film would keep. The pieces add none but the name of the encoder.
fn tags_of_film(film: &Stream) -> Vec<String> {
    let none = OF_PIECES.map(|key| (key, ""));
    let own = film.tags.iter();
    let kept = own
        .filter(|(key, _)| !key.eq_ignore_ascii_case("encoder"))
        .map(|(key, value)| (key.as_str(), value.as_str()));
    none.into_iter()
        .chain(kept)
        .flat_map(|(key, value)| ["-metadata:s:v:0".to_owned(), format!("{key}={value}")])
        .collect()
}

/// Seconds from the output's 0 to the first frame of the film, rounded to its units as ffmpeg does. `begins` is what
/// the source's clock shows at 0.
fn offset(pieces: &Pieces<'_>, begins: f64) -> f64 {
    let Some(first) = pieces.chunks.first() else {
        return 0.0;
    };
    let unit: Ratio = ratio(pieces.time_base);
    let shift = (-begins / unit.value()).round();
    (first.start as f64 + shift) * unit.value()
}

/// A time in microseconds.
fn micros(time: i64, (numerator, denominator): (u32, u32)) -> i64 {
    (time as f64 * f64::from(numerator) * 1e6 / f64::from(denominator)).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::address::Address;

    #[test]
    fn a_list_says_how_long_each_piece_is_without_drift() {
        let chunk = |start| Chunk {
            start,
            end: start + 1001,
            frames: 1,
            decode_from: start,
            read_from: None,
        };
        let chunks = [chunk(0), chunk(1001), chunk(2002)];
        let pieces = [
            Source::File("/a/it's 1.mov".into()),
            Source::File("/a/2.mov".into()),
            Source::Url(Address::new("http://127.0.0.1:9/3a", 9, ())),
        ];
        let list = list_of_pieces(&pieces, &chunks, (1, 24000)).expect("addresses");
        assert_eq!(
            String::from_utf8(list).expect("text"),
            "ffconcat version 1.0\n\
             file 'file:/a/it'\\''s 1.mov'\nduration 41708us\n\
             file 'file:/a/2.mov'\nduration 41709us\n\
             file 'http://127.0.0.1:9/3a'\nduration 41708us\n"
        );
        let broken = [Source::Url(Address::new("http://a\nfile 'b'", 9, ()))];
        list_of_pieces(&broken, &chunks, (1, 24000)).expect_err("a line break");
    }
}
