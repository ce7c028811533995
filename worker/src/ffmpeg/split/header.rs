//! What must be right about the piece of a chunk before it is joined with others.

use std::ffi::OsString;

use common::job::failure::Failure;

use crate::ffmpeg::Source;
use crate::ffmpeg::probe::packets::field;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Printed, Runner};

/// The film of a piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The digest of the codec's header outside of the packets, such as `SHA256:ab…`; empty if the codec has none. All
    /// pieces must have the same, for a joined film has one.
    pub digest: String,
    /// The number of its packets, which is that of its frames.
    pub frames: u64,
    /// Whether decoding can begin with its first packet.
    pub begins_with_key: bool,
}

/// Reads the header of a piece, and counts its packets.
///
/// # Errors
/// If ffprobe cannot read the piece.
pub async fn header(runner: &Runner, piece: &Source) -> Result<Header, Failure> {
    let mut arguments: Vec<OsString> = [
        "-v",
        "error",
        "-of",
        "compact",
        "-select_streams",
        "v:0",
        "-show_data_hash",
        "sha256",
        "-show_entries",
        "packet=flags:stream=extradata_hash",
    ]
    .map(OsString::from)
    .into();
    arguments.extend(piece.arguments());
    let mut header = Header::default();
    runner
        .ffprobe_lines(&arguments, Origin::of(piece), |printed| {
            if let Printed::Answer(line) = printed {
                header.take(line);
            }
        })
        .await?;
    Ok(header)
}

impl Header {
    fn take(&mut self, line: &str) {
        if let Some(flags) = field(line, "flags") {
            self.begins_with_key |= self.frames == 0 && flags.starts_with('K');
            self.frames += 1;
        }
        if let Some(digest) = field(line, "extradata_hash") {
            self.digest = digest.to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_counted_and_the_digest_is_kept() {
        let mut header = Header::default();
        for line in [
            "packet|flags=K__",
            "packet|flags=___|side_data|",
            "packet|flags=K__",
            "stream|extradata_hash=SHA256:ab",
        ] {
            header.take(line);
        }
        let read = Header {
            digest: "SHA256:ab".to_owned(),
            frames: 3,
            begins_with_key: true,
        };
        assert_eq!(header, read);
    }
}
