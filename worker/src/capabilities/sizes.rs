//! Sizes of test pictures: the steps, the first size to try, and what fits into memory.

use common::recipe::encoder::EncoderKind;

use crate::capabilities::profile::Size;

/// From small to large.
pub(crate) const STEPS: [Size; 5] = [
    (640, 360),
    (1280, 720),
    (1920, 1080),
    (3840, 2160),
    (7680, 4320),
];

/// Bytes of memory that an encoder may need for each pixel of a picture, because it holds dozens of pictures.
const BYTES_PER_PIXEL: u64 = 100;

/// The first size to try. For hardware it is a size that every GPU accepts, because some refuse small ones. For
/// software it is the largest usual size that fits into `memory` bytes.
pub(crate) fn start(kind: EncoderKind, memory: u64) -> Size {
    let wanted = match kind {
        EncoderKind::Software => (3840, 2160),
        _ => (1920, 1080),
    };
    STEPS
        .into_iter()
        .take_while(|&step| step <= wanted && (kind.is_hardware() || fits(step, memory)))
        .last()
        .unwrap_or(STEPS[0])
}

/// The size for tests whose result does not depend on the size.
pub(crate) fn usual(kind: EncoderKind) -> Size {
    if kind.is_hardware() {
        (1920, 1080)
    } else {
        STEPS[0]
    }
}

pub(crate) fn fits(size: Size, memory: u64) -> bool {
    pixels(size) * BYTES_PER_PIXEL <= memory
}

pub(crate) fn pixels((width, height): Size) -> u64 {
    u64::from(width) * u64::from(height)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn software_starts_at_a_size_that_fits_into_memory() {
        assert_eq!(start(EncoderKind::Software, 4 * GIB), (3840, 2160));
        assert_eq!(start(EncoderKind::Software, GIB / 4), (1920, 1080));
        assert_eq!(start(EncoderKind::Software, 0), (640, 360));
    }

    #[test]
    fn hardware_starts_at_a_size_that_every_gpu_accepts() {
        assert_eq!(start(EncoderKind::Amd, 0), (1920, 1080));
    }
}
