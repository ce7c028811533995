//! Whether a join has kept the packets of all pieces at their times and in their order. Frames that are shown in another
//! order than they are decoded in are as many as before, so no count tells it.

use std::ffi::OsString;

use common::job::failure::Failure;

use crate::ffmpeg::probe::packets::{field, number};
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Printed, Runner};

/// What containers round times by, in seconds.
const ROUNDED: f64 = 0.002;
/// The share of a frame by which a film of a constant rate may be moved to its exact times.
const SHARE_OF_FRAME: f64 = 0.25;

/// The times of the packets of a film, in the order of the file, in seconds. Packets without a time have none.
pub type Times = Vec<Option<f64>>;

/// Reads the times of the first film of an input; `reading` are the arguments that open it.
///
/// # Errors
/// If ffprobe cannot read the input.
pub async fn times(runner: &Runner, reading: Vec<OsString>) -> Result<Times, Failure> {
    let mut arguments: Vec<OsString> = [
        "-v",
        "error",
        "-of",
        "compact",
        "-select_streams",
        "V:0",
        "-show_entries",
        "packet=pts_time",
    ]
    .map(OsString::from)
    .into();
    arguments.extend(reading);
    let mut times = Times::new();
    let on_line = |printed: Printed<'_>| {
        if let Printed::Answer(line) = printed
            && field(line, "pts_time").is_some()
        {
            times.push(number(line, "pts_time"));
        }
    };
    runner
        .ffprobe_lines(&arguments, Origin::Local, on_line)
        .await?;
    Ok(times)
}

/// Why the joined film is not that of the pieces; `None` if it is.
pub fn difference(pieces: &Times, joined: &Times) -> Option<String> {
    if pieces.len() != joined.len() {
        return Some(format!(
            "the joined film has {} packets where its pieces have {}",
            joined.len(),
            pieces.len()
        ));
    }
    let (Some(from), Some(to)) = (first(pieces), first(joined)) else {
        return Some("the joined film has no times".to_owned());
    };
    let last = pieces.iter().flatten().copied().fold(from, f64::max);
    let frame = (last - from) / pieces.len().max(1) as f64;
    let off = ROUNDED + SHARE_OF_FRAME * frame;
    let is_off = |(piece, joined): (&Option<f64>, &Option<f64>)| match (piece, joined) {
        (Some(piece), Some(joined)) => ((joined - to) - (piece - from)).abs() > off,
        _ => true,
    };
    let wrong = pieces.iter().zip(joined).position(is_off)?;
    Some(format!(
        "packet {wrong} of the joined film is shown {} where its piece says {}",
        seconds(joined[wrong].map(|time| time - to)),
        seconds(pieces[wrong].map(|time| time - from)),
    ))
}

/// The earliest time.
fn first(times: &Times) -> Option<f64> {
    times.iter().flatten().copied().reduce(f64::min)
}

fn seconds(time: Option<f64>) -> String {
    time.map_or("at no time".to_owned(), |time| format!("at {time:.3} s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_frames_counts_and_not_where_a_film_begins() {
        let at = |times: &[f64]| -> Times { times.iter().copied().map(Some).collect() };
        let pieces = at(&[0.0, 0.16, 0.08, 0.04, 0.12]);
        let same = at(&[1.021, 1.181, 1.101, 1.061, 1.141]);
        assert_eq!(difference(&pieces, &same), None);
        let coded = at(&[0.0, 0.04, 0.08, 0.12, 0.16]);
        let why = difference(&pieces, &coded).expect("another order");
        assert!(why.contains("packet 1 of"), "{why}");
        let mut without = same.clone();
        without[4] = None;
        assert!(difference(&pieces, &without).is_some());
        let mut fewer = same;
        fewer.pop();
        let why = difference(&pieces, &fewer).expect("one is missing");
        assert!(why.contains("4 packets"), "{why}");
    }
}
