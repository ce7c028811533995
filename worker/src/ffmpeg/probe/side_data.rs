//! The side data that ffprobe prints for a stream or a frame.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::ffmpeg::probe::media::{ContentLight, DolbyVision, MasteringDisplay, Stream};

/// One entry of side data: its type, and fields that depend on the type.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SideData {
    side_data_type: String,
    #[serde(flatten)]
    fields: BTreeMap<String, Value>,
}

impl SideData {
    /// Writes the entry's content to its stream.
    pub(super) fn add_to(&self, stream: &mut Stream) {
        match self.side_data_type.as_str() {
            "Display Matrix" | "3x3 displaymatrix" => self.turn(stream),
            "Mastering display metadata" => stream.hdr10.mastering = Some(self.mastering()),
            "Content light level metadata" => {
                stream.hdr10.light = Some(ContentLight {
                    max: self.number("max_content"),
                    average: self.number("max_average"),
                });
            }
            "DOVI configuration record" => {
                stream.dolby_vision = Some(DolbyVision {
                    profile: self.number("dv_profile"),
                    level: self.number("dv_level"),
                    compatibility: self.number("dv_bl_signal_compatibility_id"),
                    has_enhancement_layer: self.number::<u8>("el_present_flag") != 0,
                });
            }
            // A raw stream has no configuration record, but its frames have the metadata.
            "Dolby Vision RPU Data" | "Dolby Vision Metadata" => {
                stream.dolby_vision.get_or_insert_default();
            }
            name if name.contains("HDR10+") => stream.has_hdr10plus = true,
            name if name.contains("Closed Captions") => stream.has_captions = true,
            _ => {}
        }
    }

    fn number<N: TryFrom<i64> + Default>(&self, field: &str) -> N {
        let number = self.fields.get(field).and_then(Value::as_i64);
        number
            .and_then(|number| N::try_from(number).ok())
            .unwrap_or_default()
    }

    /// A ratio, in units of `1 / unit`.
    fn ratio(&self, field: &str, unit: f64) -> Option<u32> {
        let text = self.fields.get(field)?.as_str()?;
        let (numerator, denominator) = text.split_once('/')?;
        let numerator: f64 = numerator.parse().ok()?;
        let denominator: f64 = denominator.parse().ok()?;
        (denominator > 0.0).then(|| (numerator / denominator * unit).round() as u32)
    }

    pub(super) fn mastering(&self) -> MasteringDisplay {
        let point = |name: &str| {
            let x = self.ratio(&format!("{name}_x"), 50_000.0)?;
            Some((x, self.ratio(&format!("{name}_y"), 50_000.0)?))
        };
        let points = || {
            Some([
                point("red")?,
                point("green")?,
                point("blue")?,
                point("white_point")?,
            ])
        };
        let luminance = |name: &str| self.ratio(name, 10_000.0);
        MasteringDisplay {
            chromaticities: points(),
            luminance: luminance("min_luminance").zip(luminance("max_luminance")),
        }
    }

    fn turn(&self, stream: &mut Stream) {
        let degrees = self.fields.get("rotation").and_then(Value::as_f64);
        // Rounds to a multiple of 90. ffprobe's angle is counterclockwise, the stream's is clockwise.
        stream.rotation =
            ((-degrees.unwrap_or(0.0) / 90.0).round() as i64).rem_euclid(4) as u16 * 90;
        let matrix = self.fields.get("displaymatrix").and_then(Value::as_str);
        stream.is_mirrored = matrix.is_some_and(mirrors);
    }
}

/// Whether a display matrix, as ffprobe prints it, mirrors the picture. Its determinant is then negative.
fn mirrors(matrix: &str) -> bool {
    let rows: Vec<Vec<f64>> = matrix
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(_, numbers)| numbers.split_whitespace().flat_map(str::parse).collect())
        .collect();
    match rows.as_slice() {
        [first, second, ..] if first.len() > 1 && second.len() > 1 => {
            first[0] * second[1] - first[1] * second[0] < 0.0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_with_a_negative_determinant_mirrors() {
        let turned = "\n00000000: 0 65536 0\n00000001: -65536 0 0\n00000002: 0 0 1073741824\n";
        assert!(!mirrors(turned));
        assert!(mirrors(&turned.replace("-65536", "65536")));
    }
}
