//! One test encode: from a synthetic source to packets that are counted and thrown away.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::farm::card::{Proof, bit_depth};
use common::recipe::encoder::{Encoder, EncoderKind};

use crate::capabilities::profile::{DevicePath, Profile, Size};
use crate::capabilities::sizes;
use crate::capabilities::watched::{Watched, is_packet};
use crate::ffmpeg::run::trial::{Ran, Trial};
use crate::sandbox::Sandbox;

/// Prints a line of text for each packet at once.
const PACKETS: [&str; 5] = ["-flush_packets", "1", "-f", "framecrc", "pipe:1"];

/// ffmpeg's names for pictures in the memory of a device.
const SURFACES: &[&str] = &[
    "vaapi",
    "vulkan",
    "cuda",
    "qsv",
    "amf",
    "d3d11",
    "videotoolbox_vld",
];

/// The ffmpeg for tests, and its time limit.
#[derive(Clone, Debug)]
pub(crate) struct TestRig {
    pub(crate) ffmpeg: PathBuf,
    pub(crate) sandbox: Sandbox,
    /// How long one encode may take.
    pub(crate) patience: Duration,
}

impl TestRig {
    pub(crate) fn tool(&self) -> Trial {
        Trial::new(&self.ffmpeg, self.sandbox.clone(), self.patience)
    }
}

/// The pictures to encode.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// This many flat pictures, which are quick to make at any size.
    Flat(u32),
    /// This many pictures with detail and motion.
    Lively(u32),
    /// Endless pictures with detail and motion.
    Endless,
    /// Endless flat pictures at the speed of playback.
    Realtime,
}

#[derive(Clone, Debug)]
pub(crate) struct TestEncode<'a> {
    pub(crate) encoder: &'a Encoder,
    pub(crate) device_path: &'a DevicePath,
    /// Whether to request 10 bits per sample instead of 8.
    pub(crate) deep: bool,
    pub(crate) size: Size,
    pub(crate) source: Source,
    /// Whether to set the encoder's quick options.
    pub(crate) quick: bool,
}

/// The result of an encode that worked.
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    /// The pixel format that the encoder really used.
    pub(crate) format: String,
    pub(crate) took: Duration,
}

/// The result of an encode that did not work.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The reason in one line.
    pub(crate) reason: String,
    /// Whether the encode was killed at its time limit.
    pub(crate) timed_out: bool,
}

impl TestEncode<'_> {
    /// Encodes to the end of the source.
    pub(crate) async fn run(&self, rig: &TestRig) -> Result<Encoded, Refusal> {
        let ran = run(rig, &self.arguments()).await?;
        if let Some(device) = software_device(&ran.stderr) {
            return Err(Refusal::new(device));
        }
        let requested = Profile::of(self.encoder).formats[usize::from(self.deep)];
        let used = used_format(&ran.stderr).filter(|format| !SURFACES.contains(format));
        let format = used.unwrap_or(requested);
        // ffmpeg may fall back to another format that the encoder has, and call that a success.
        if self.deep && bit_depth(format) != 10 {
            return Err(Refusal::new(format!("encodes {format}, not {requested}")));
        }
        Ok(Encoded {
            format: format.to_owned(),
            took: ran.took,
        })
    }

    /// Starts an endless encode, to be watched.
    pub(crate) fn watch(&self, rig: &TestRig) -> Watched {
        Watched::start(&rig.tool(), self.arguments())
    }

    fn arguments(&self) -> Vec<String> {
        let mut line = self.line();
        line.add(PACKETS);
        line.0
    }

    fn line(&self) -> Line {
        let profile = Profile::of(self.encoder);
        let depth = usize::from(self.deep);
        let (width, height) = self.size;
        let (picture, frames) = match self.source {
            Source::Flat(frames) => ("color=c=gray:", Some(frames)),
            Source::Lively(frames) => ("testsrc2=", Some(frames)),
            Source::Endless => ("testsrc2=", None),
            Source::Realtime => ("color=c=gray:", None),
        };
        let mut line = Line::quiet(match self.encoder.kind() {
            // ffmpeg needs this verbosity to print that the device is a CPU that poses as a GPU.
            EncoderKind::Vulkan => "level+verbose",
            _ => "level+info",
        });
        line.add(&self.device_path.device);
        if matches!(self.source, Source::Realtime) {
            line.add(["-re"]);
        }
        line.add(["-f", "lavfi", "-i"]);
        line.add([format!("{picture}s={width}x{height}:r=25")]);
        if let Some(frames) = frames {
            line.add(["-frames:v".to_owned(), frames.to_string()]);
        }
        let format = profile.formats[depth];
        if profile.uploads {
            line.add(["-vf".to_owned(), format!("format={format},hwupload")]);
        } else {
            line.add(["-pix_fmt", format]);
        }
        line.add(["-c:v", self.encoder.as_str()]);
        line.add(&self.device_path.encoder);
        line.add(profile.needs[depth].split_whitespace());
        if self.quick {
            line.add(profile.quick.split_whitespace());
        }
        line
    }
}

/// The number of frames of a proof encode: one second.
pub const PROOF_FRAMES: u32 = 25;

/// The arguments of a proof encode: a second of pictures with detail and motion, on the device path of the proof.
pub(crate) fn into_file(with: Option<(&Encoder, &Proof)>, output: &Path) -> Vec<OsString> {
    let line = match with {
        Some((encoder, proof)) => TestEncode {
            encoder,
            device_path: &DevicePath {
                device: proof.device_arguments.clone(),
                encoder: proof.encoder_arguments.clone(),
            },
            deep: false,
            size: sizes::usual(encoder.kind()),
            source: Source::Lively(PROOF_FRAMES),
            quick: true,
        }
        .line(),
        None => {
            let mut line = Line::quiet("level+info");
            line.add(["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25"]);
            line.add(["-frames:v", &PROOF_FRAMES.to_string(), "-c:v", "rawvideo"]);
            line
        }
    };
    let mut arguments: Vec<OsString> = line.0.into_iter().map(OsString::from).collect();
    arguments.extend(["-y", "-f", "nut"].map(OsString::from));
    arguments.push(crate::ffmpeg::file(output));
    arguments
}

/// Tests an audio encoder on a tenth of a second of a tone.
pub(crate) async fn audio(rig: &TestRig, encoder: &str) -> Result<(), Refusal> {
    let mut line = Line::quiet("level+info");
    line.add(["-f", "lavfi", "-i", "sine=duration=0.1:sample_rate=48000"]);
    line.add(["-c:a", encoder]);
    line.add(PACKETS);
    run(rig, &line.0).await.map(drop)
}

struct Line(Vec<String>);

impl Line {
    fn quiet(level: &str) -> Self {
        let quiet = ["-hide_banner", "-nostdin", "-nostats", "-loglevel", level];
        Self(quiet.map(str::to_owned).into())
    }

    fn add<T: AsRef<str>>(&mut self, words: impl IntoIterator<Item = T>) {
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        self.0.extend(words);
    }
}

/// Runs an encode that must succeed and output packets.
async fn run(rig: &TestRig, arguments: &[String]) -> Result<Ran, Refusal> {
    let ran = rig
        .tool()
        .run(arguments, |_| {})
        .await
        .map_err(|error| Refusal::new(format!("ffmpeg cannot be started: {error}")))?;
    tracing::trace!(took = ?ran.took, status = ?ran.status, command = %arguments.join(" "), "test encode");
    let reason = ran.reason();
    let Some(status) = ran.status else {
        let patience = humantime::format_duration(rig.patience);
        let reason = reason.map_or_else(String::new, |words| format!(": {words}"));
        return Err(Refusal {
            reason: format!("no answer within {patience}{reason}"),
            timed_out: true,
        });
    };
    if !status.success() {
        let silent = || format!("ffmpeg failed and did not say why ({status})");
        return Err(Refusal::new(reason.unwrap_or_else(silent)));
    }
    // ffmpeg may exit without an error and without an output.
    if !ran.stdout.lines().any(is_packet) {
        let silent = || "ffmpeg succeeded, but brought out nothing".to_owned();
        return Err(Refusal::new(reason.unwrap_or_else(silent)));
    }
    Ok(ran)
}

impl Refusal {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            timed_out: false,
        }
    }
}

/// The pixel format of the first output stream, from ffmpeg's log: `Stream #0:0: Video: prores (apch / 0x68637061),
/// yuv422p10le(tv), 1280x720, …`.
fn used_format(log: &str) -> Option<&str> {
    let output = &log[log.find("Output #0")?..];
    let line = output.lines().find(|line| line.contains(": Video: "))?;
    let (_, description) = line.split_once(": Video: ")?;
    let mut depth = 0_u32;
    let mut fields = description.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    let format = fields.nth(1)?.trim().split('(').next()?;
    (!format.is_empty()).then_some(format)
}

/// The log line that shows that a Vulkan device is no GPU: `Device 0 selected: llvmpipe (LLVM 15.0.6, 256 bits)
/// (software) (0x0)`.
fn software_device(log: &str) -> Option<&str> {
    let line = log
        .lines()
        .find(|line| line.contains("Device") && line.contains("selected: "))?;
    let start = line.find("Device")?;
    line.contains("(software)").then(|| line[start..].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_used_format_is_read_from_the_output_stream() {
        let log = "[info] Input #0, lavfi, from 'testsrc2':\n\
             [info]   Stream #0:0: Video: rawvideo (I420 / 0x30323449), yuv420p, 1280x720\n\
             [info] Output #0, framecrc, to 'pipe:':\n\
             [info]   Stream #0:0: Video: prores (HQ) (apch / 0x68, 1), yuv422p10le(tv), 1280x720";
        assert_eq!(used_format(log), Some("yuv422p10le"));
        assert_eq!(used_format("[info] Input #0"), None);
    }

    #[test]
    fn a_cpu_that_poses_as_a_gpu_is_detected() {
        let chosen =
            "[Vulkan @ 0x55] [verbose] Device 0 selected: llvmpipe (LLVM 15) (software) (0x0)";
        assert!(software_device(chosen).is_some_and(|line| line.starts_with("Device 0 selected")));
        let listed = "[verbose]     0: llvmpipe (LLVM 15) (software) (0x0)\n\
             [verbose] Device 1 selected: NVIDIA RTX A2000 (discrete) (0x2531)";
        assert_eq!(software_device(listed), None);
    }
}
