//! The properties of an encoder that a fair test must respect.

use common::recipe::encoder::{Encoder, EncoderKind};

use crate::capabilities::devices;

/// A picture's width and height in pixels.
pub(crate) type Size = (u32, u32);

/// How to test an encoder.
pub(crate) struct Profile {
    /// The pixel formats to request: one with 8 and one with 10 bits per sample.
    pub(crate) formats: [&'static str; 2],
    /// Whether pictures must be uploaded to the device by a filter.
    pub(crate) uploads: bool,
    /// Options without which the encoder accepts hardly any picture, for 8 and 10 bits.
    pub(crate) needs: [&'static str; 2],
    /// Options that make the encoder quick, for tests where only success matters.
    pub(crate) quick: &'static str,
    /// Whether one picture of 1280×720 may take seconds with default settings.
    pub(crate) is_slow: bool,
}

impl Profile {
    pub(crate) fn of(encoder: &Encoder) -> Self {
        let kind = encoder.kind();
        let name = encoder.as_str();
        Self {
            formats: match kind {
                EncoderKind::Software | EncoderKind::Nvidia | EncoderKind::V4l2 => {
                    ["yuv420p", "yuv420p10le"]
                }
                _ => ["nv12", "p010le"],
            },
            uploads: matches!(kind, EncoderKind::Vaapi | EncoderKind::Vulkan),
            needs: match name {
                // DNxHD accepts only a few sizes at a few bitrates. DNxHR accepts all.
                "dnxhd" => ["-profile:v dnxhr_sq", "-profile:v dnxhr_hqx"],
                // By default this encoder uses the software of Windows.
                _ if kind == EncoderKind::Mediafoundation => ["-hw_encoding 1"; 2],
                _ => [""; 2],
            },
            // Few threads and no lookahead for encoders whose main effort is memory.
            quick: match name {
                "libx264" | "libx265" => "-preset ultrafast",
                "libsvtav1" => "-preset 12",
                "libaom-av1" => "-usage realtime -cpu-used 8 -row-mt 1",
                "librav1e" => "-speed 10 -tiles 4",
                "libvpx" => "-deadline realtime -cpu-used 8 -lag-in-frames 0",
                "libvpx-vp9" => "-deadline realtime -cpu-used 8 -lag-in-frames 0 -row-mt 1",
                "libvvenc" => "-preset faster",
                "prores_ks" => "-profile:v proxy",
                "dnxhd" | "ffv1" => "-threads 1",
                _ => "",
            },
            is_slow: matches!(name, "libaom-av1" | "librav1e" | "libvvenc"),
        }
    }
}

/// A way to reach an encoder's device.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DevicePath {
    /// The arguments before the input.
    pub(crate) device: Vec<String>,
    /// The arguments of the encoder.
    pub(crate) encoder: Vec<String>,
}

impl DevicePath {
    fn new(device: &[&str], encoder: &[&str]) -> Self {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            device: owned(device),
            encoder: owned(encoder),
        }
    }

    /// The ways to try, the plainest first.
    pub(crate) fn all(kind: EncoderKind) -> Vec<Self> {
        let nodes = devices::render_nodes();
        match kind {
            EncoderKind::Vaapi => vaapi(&nodes),
            // Without an argument, ffmpeg finds the first device by itself.
            EncoderKind::Intel => std::iter::once(Self::default())
                .chain(
                    nodes
                        .iter()
                        .map(|node| Self::new(&["-qsv_device", node], &[])),
                )
                .collect(),
            EncoderKind::Vulkan => vec![Self::new(
                &["-init_hw_device", "vulkan=gpu", "-filter_hw_device", "gpu"],
                &[],
            )],
            _ => vec![Self::default()],
        }
    }
}

/// Some drivers support only constant quality, and some only the low-power mode.
fn vaapi(nodes: &[String]) -> Vec<DevicePath> {
    const MODES: [&[&str]; 4] = [
        &[],
        &["-rc_mode", "CQP"],
        &["-low_power", "1"],
        &["-low_power", "1", "-rc_mode", "CQP"],
    ];
    if nodes.is_empty() {
        // A path that does not exist makes ffmpeg print the reason in its own words.
        return vec![DevicePath::new(
            &["-vaapi_device", "/dev/dri/renderD128"],
            &[],
        )];
    }
    nodes
        .iter()
        .flat_map(|node| MODES.map(|mode| DevicePath::new(&["-vaapi_device", node], mode)))
        .collect()
}
