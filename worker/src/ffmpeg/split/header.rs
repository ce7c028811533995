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
    /// What is said once for the whole film: its size, its pixel format, and the digest of the codec's header outside of
    /// the packets, if the codec has one, such as `1920x1080 yuv420p SHA256:ab…`. All pieces must have the same, for a
    /// joined film has one.
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
        "packet=flags:stream=width,height,pix_fmt,extradata_hash",
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
        if let (Some(width), Some(height)) = (field(line, "width"), field(line, "height")) {
            let said = ["pix_fmt", "extradata_hash"].map(|name| field(line, name));
            let said = said.into_iter().flatten();
            self.digest = format!("{width}x{height}");
            said.for_each(|text| self.digest.extend([" ", text]));
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
            "stream|width=1920|height=1080|pix_fmt=yuv420p|extradata_hash=SHA256:ab",
        ] {
            header.take(line);
        }
        let read = Header {
            digest: "1920x1080 yuv420p SHA256:ab".to_owned(),
            frames: 3,
            begins_with_key: true,
        };
        assert_eq!(header, read);
    }
}
