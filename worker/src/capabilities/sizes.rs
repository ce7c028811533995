//! Sizes of test pictures: the steps, where to start, and what fits into memory.

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

/// Bytes of memory that an encoder may need for each pixel of a picture, as it
/// holds dozens of pictures in different forms.
const BYTES_PER_PIXEL: u64 = 100;

/// Where to start: hardware at a size that every GPU takes (some refuse small
/// ones), software at the largest that is usual and fits into memory (bytes).
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

/// A size that shows what does not depend on size.
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
    fn software_starts_at_what_memory_holds() {
        assert_eq!(start(EncoderKind::Software, 4 * GIB), (3840, 2160));
        assert_eq!(start(EncoderKind::Software, GIB / 4), (1920, 1080));
        assert_eq!(start(EncoderKind::Software, 0), (640, 360));
    }

    #[test]
    fn hardware_starts_where_no_gpu_refuses() {
        assert_eq!(start(EncoderKind::Amd, 0), (1920, 1080));
    }
}
