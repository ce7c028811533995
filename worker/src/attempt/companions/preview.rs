//! Previews: a short clip of parts of the film.

use std::ffi::OsString;

use common::farm::card::Capabilities;
use common::job::failure::Failure;
use common::recipe::Companions;

use crate::attempt::companions::{Made, Maker};
use crate::ffmpeg::file;
use crate::ffmpeg::picture::still::Shown;

/// Parts of a preview, and the seconds of each.
const PARTS: u32 = 8;
const SECONDS: f64 = 1.5;
/// Pixels.
const WIDTH: u32 = 320;

/// The encoder of a preview: one for H.264 that this worker has proved, or else MPEG-4, which every ffmpeg has.
pub(super) fn encoder(card: Option<&Capabilities>) -> &'static str {
    let is_proved = |name: &&&str| {
        let encoder = name.parse().ok();
        encoder.is_some_and(|encoder| card.is_some_and(|card| card.proof(&encoder).is_some()))
    };
    let names = ["libx264", "libopenh264"];
    names.iter().find(is_proved).unwrap_or(&"mpeg4")
}

impl Maker<'_> {
    pub(super) async fn preview(&self, encoder: &str) -> Result<Made, Failure> {
        let name = Companions::PREVIEW;
        // A short film is shown whole.
        let (parts, seconds) = match self.duration > 2.0 * f64::from(PARTS) * SECONDS {
            true => (PARTS, SECONDS),
            false => (1, self.duration.max(0.04)),
        };
        let mut arguments: Vec<OsString> = ["-nostdin", "-hide_banner", "-v", "error", "-y"]
            .map(OsString::from)
            .into();
        let mut graph = String::new();
        for number in 0..parts {
            let middle = self.duration * (f64::from(number) + 0.5) / f64::from(parts);
            let from = (middle - seconds / 2.0).max(0.0);
            arguments.extend(
                ["-ss", &format!("{from:.3}"), "-t", &format!("{seconds:.3}")].map(OsString::from),
            );
            arguments.extend(self.source.arguments());
            graph += &format!(
                "[{number}:{}]{}[part{number}];",
                self.film.index,
                self.picture(WIDTH, Shown::Film)
            );
        }
        for number in 0..parts {
            graph += &format!("[part{number}]");
        }
        graph += &format!("concat=n={parts}:v=1:a=0[whole]");
        arguments.extend(
            [
                "-filter_complex",
                &graph,
                "-map",
                "[whole]",
                "-c:v",
                encoder,
            ]
            .map(OsString::from),
        );
        // The scales differ: CRF for the encoders of H.264, a quantiser for MPEG-4.
        arguments.extend(match encoder {
            "mpeg4" => ["-q:v", "5"].map(OsString::from),
            "libopenh264" => ["-b:v", "500k"].map(OsString::from),
            _ => ["-crf", "26"].map(OsString::from),
        });
        arguments.extend(
            [
                "-map_metadata",
                "-1",
                "-map_chapters",
                "-1",
                "-movflags",
                "+faststart",
                "-f",
                "mp4",
            ]
            .map(OsString::from),
        );
        arguments.push(file(&self.path(name)));
        self.ffmpeg(&arguments).await?;
        self.take(name)
    }
}
