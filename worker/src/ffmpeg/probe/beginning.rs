//! The first bytes of an object that only ffmpeg can open, by its URL.

use std::ffi::OsString;

use common::job::failure::Failure;
use serde::Deserialize;

use crate::ffmpeg::Source;
use crate::ffmpeg::run::fault;
use crate::ffmpeg::run::runner::Runner;

/// The number of packets to read, of one KiB each. They contain the description of the tracks.
const PACKETS: &str = "%+#512";

/// Reads the first bytes of a source.
///
/// # Errors
/// If ffprobe cannot read the source.
pub(crate) async fn beginning(runner: &Runner, source: &Source) -> Result<Vec<u8>, Failure> {
    let mut arguments: Vec<OsString> = [
        "-v",
        "error",
        "-of",
        "json",
        "-show_packets",
        "-show_data",
        "-show_entries",
        "packet=data",
        "-read_intervals",
        PACKETS,
    ]
    .map(OsString::from)
    .into();
    arguments.extend(source.bytes_arguments());
    let answer = runner
        .ffprobe(&arguments, fault::Origin::of(source))
        .await?;
    let answer: Answer = serde_json::from_slice(&answer)
        .map_err(|error| Failure::worker(format!("ffprobe's answer cannot be read: {error}")))?;
    let dumps = answer.packets.iter().map(|packet| packet.data.as_str());
    Ok(dumps.flat_map(bytes).collect())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    packets: Vec<Packet>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Packet {
    data: String,
}

/// The bytes of a hex dump with lines such as `00000000: 1a45 dfa3  .E..`.
fn bytes(dump: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in dump.lines() {
        let Some((_, line)) = line.split_once(": ") else {
            continue;
        };
        let digits = line.split("  ").next().unwrap_or_default();
        let digits: Vec<u32> = digits
            .chars()
            .filter_map(|digit| digit.to_digit(16))
            .collect();
        bytes.extend(
            digits
                .chunks_exact(2)
                .map(|pair| (pair[0] * 16 + pair[1]) as u8),
        );
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_becomes_bytes() {
        let dump = "\n00000000: 1a45 dfa3 a342 8681 0142 f781 0142 f281  .E...B...B...B..\n00000010: 04ab ff                                  ..:  01\n";
        let bytes = bytes(dump);
        assert_eq!(bytes.len(), 19);
        assert_eq!((bytes[0], bytes[17], bytes[18]), (0x1a, 0xab, 0xff));
    }
}
