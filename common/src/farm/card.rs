//! The capability card: what a worker has *proved* that it can do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::farm::confinement::Confinement;
use crate::farm::queue::Queue;
use crate::farm::worker_name::WorkerName;
use crate::recipe::encoder::{Codec, Encoder, EncoderKind};
use crate::recipe::{Metric, Recipe};

/// The capabilities of a worker's ffmpeg and hardware, found by test encodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capabilities {
    /// The ffmpeg that was tested.
    pub ffmpeg: Ffmpeg,
    /// The machine.
    pub host: Host,
    /// Every supported video encoder that ffmpeg lists, proved or refused.
    pub encoders: BTreeMap<Encoder, Verdict>,
    /// Audio encoders that passed a test encode.
    pub audio: Vec<String>,
    /// Supported filters that ffmpeg lists.
    pub filters: Vec<String>,
    /// Supported muxers that ffmpeg lists.
    pub muxers: Vec<String>,
    /// How well it confines ffmpeg; `None` where the worker's version does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Confinement>,
    /// Metrics of quality with which it has compared two test pictures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
}

/// The result of an encoder's test encodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The encoder works.
    Proved(Proof),
    /// The encoder does not work.
    Refused {
        /// The reason, in one line of ffmpeg's log.
        reason: String,
    },
}

/// The abilities of an encoder that works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// The hardware or software that it uses.
    pub kind: EncoderKind,
    /// ffmpeg's names of the pixel formats that it encoded.
    pub pixel_formats: Vec<String>,
    /// Largest picture that it encoded, width and height in pixels. Hardware refused a larger one; software was not
    /// tested with sizes that take long.
    pub largest: (u32, u32),
    /// Frames per second at 1280×720 with default settings.
    pub fps: f32,
    /// Number of encodes that it ran at once before it refused; `None` if only the worker's slots limit it.
    pub sessions: Option<u32>,
    /// ffmpeg arguments before the input, e.g. VA-API's device.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub device_arguments: Vec<String>,
    /// Encoder arguments for this device, e.g. VA-API's low-power mode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encoder_arguments: Vec<String>,
}

impl Proof {
    /// Whether it encoded pictures with this bit depth (8, 10 or 12).
    pub fn encodes_depth(&self, depth: u8) -> bool {
        self.pixel_formats
            .iter()
            .any(|format| bit_depth(format) == depth)
    }
}

/// Bits per sample of one of ffmpeg's pixel formats.
pub fn bit_depth(pixel_format: &str) -> u8 {
    let base = pixel_format.trim_end_matches("le").trim_end_matches("be");
    let begins = |names: &[&str]| names.iter().any(|name| base.starts_with(name));
    if begins(&["p01", "p21", "p41", "y21"]) {
        // `p010`, `p212`, `p416`: the last two digits.
        return base[2..].parse().unwrap_or(8);
    }
    if begins(&["rgb48", "bgr48", "rgba64", "bgra64", "ayuv64", "ya16"]) || base.contains("f16") {
        return 16;
    }
    if base.contains("f32") {
        return 32;
    }
    if begins(&["x2", "v30", "xv30", "nv20"]) {
        return 10;
    }
    if begins(&["xyz12", "xv36"]) {
        return 12;
    }
    // `yuv420p10`, `gbrap16`, `gray12`; `gray8` is plain `gray`.
    let digits = base.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let depth = match base.strip_prefix("gray") {
        Some(_) => digits,
        None => base.rsplit_once('p').map_or("", |(_, depth)| depth),
    };
    depth.parse().unwrap_or(8)
}

/// An ffmpeg build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ffmpeg {
    /// The version, e.g. `5.1.9-0+deb12u1`.
    pub version: String,
    /// A hash of the output of `ffmpeg -version`, which lists the build's options.
    pub build: String,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// The machine's name.
    pub name: String,
    /// Operating system and version, for people.
    pub os: String,
    /// Processor, for people.
    pub cpu: String,
    /// Number of cores that the worker may use.
    pub cores: u32,
    /// Memory in bytes.
    pub memory: u64,
}

impl Capabilities {
    /// The proof of an encoder; `None` if it is not proved.
    pub fn proof(&self, encoder: &Encoder) -> Option<&Proof> {
        match self.encoders.get(encoder)? {
            Verdict::Proved(proof) => Some(proof),
            Verdict::Refused { .. } => None,
        }
    }

    /// The proved encoders.
    pub fn proved(&self) -> impl Iterator<Item = (&Encoder, &Proof)> {
        self.encoders
            .iter()
            .filter_map(|(encoder, verdict)| match verdict {
                Verdict::Proved(proof) => Some((encoder, proof)),
                Verdict::Refused { .. } => None,
            })
    }

    /// Whether an encoder of the codec is proved.
    fn proves_any(&self, codec: Codec) -> bool {
        self.proved()
            .any(|(encoder, _)| encoder.codec() == Some(codec))
    }

    /// A metric that the recipe asks for and that the worker cannot measure.
    pub fn missing_metric(&self, recipe: &Recipe) -> Option<Metric> {
        let mut metrics = recipe.metrics();
        metrics.find(|metric| !self.metrics.contains(metric))
    }

    /// The queues that a worker of this name may serve with this card.
    pub fn queues(&self, worker: &WorkerName) -> Vec<Queue> {
        let mut queues = vec![Queue::On(worker.clone()), Queue::Copy];
        queues.extend(
            Codec::ALL
                .into_iter()
                .filter(|codec| self.proves_any(*codec))
                .map(Queue::Any),
        );
        queues.extend(
            self.proved()
                .map(|(encoder, _)| Queue::Encoder(encoder.clone())),
        );
        queues
    }

    /// Whether a worker of this name may serve the queue with this card.
    pub fn serves(&self, worker: &WorkerName, queue: &Queue) -> bool {
        match queue {
            Queue::Encoder(encoder) => self.proof(encoder).is_some(),
            Queue::Any(codec) => self.proves_any(*codec),
            Queue::On(name) => name == worker,
            Queue::Copy => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bit_depth;

    #[test]
    fn pixel_formats_say_their_depth() {
        for (format, depth) in [
            ("yuv420p", 8),
            ("nv12", 8),
            ("yuv420p10le", 10),
            ("p010le", 10),
            ("yuv444p12le", 12),
            ("yuvj420p", 8),
            ("gray", 8),
            ("gray16le", 16),
            ("gray10be", 10),
            ("grayf32le", 32),
            ("gbrapf16le", 16),
            ("rgb48be", 16),
            ("rgba64le", 16),
            ("ya16be", 16),
            ("rgb24", 8),
            ("bgra", 8),
            ("pal8", 8),
            ("nv12", 8),
            ("yuyv422", 8),
            ("p010le", 10),
            ("p416le", 16),
            ("y212le", 12),
            ("xv36le", 12),
            ("x2rgb10le", 10),
            ("gbrp10le", 10),
            ("yuva444p16be", 16),
        ] {
            assert_eq!(bit_depth(format), depth, "{format}");
        }
    }
}
