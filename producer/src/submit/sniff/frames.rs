//! Bare sound: MP3 and AAC frames, one after the other.

/// Kilobits per second of MP3 frames, of version 1 and of those after it.
const RATES: [[usize; 15]; 2] = [
    [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
/// Samples per second of MP3 frames of version 1.
const SAMPLES: [usize; 3] = [44_100, 48_000, 32_000];
/// So many frames do not follow each other by chance.
const ENOUGH: usize = 4;

/// Whether the head is nothing but such frames.
pub(crate) fn is_sound(mut head: &[u8]) -> bool {
    for _ in 0..ENOUGH {
        match length(head).and_then(|length| head.get(length..)) {
            Some(rest) => head = rest,
            None => return false,
        }
    }
    true
}

/// Bytes of the frame that begins here.
fn length(head: &[u8]) -> Option<usize> {
    let [0xff, second, third, fourth, fifth, sixth] = *head.first_chunk()? else {
        return None;
    };
    // AAC: no layer.
    if second & 0xf6 == 0xf0 {
        let length = [fourth & 3, fifth, sixth >> 5].map(usize::from);
        return Some(length[0] << 11 | length[1] << 3 | length[2]).filter(|length| *length > 6);
    }
    // Layer 3 of version 1, 2 or 2.5.
    if second & 0xe6 != 0xe2 {
        return None;
    }
    let version = match second >> 3 & 3 {
        3 => 0,
        2 => 1,
        0 => 2,
        _ => return None,
    };
    let rate = *RATES[version.min(1)].get(usize::from(third >> 4))?;
    let samples = SAMPLES.get(usize::from(third >> 2 & 3))? >> version;
    let factor = if version == 0 { 144_000 } else { 72_000 };
    (rate > 0).then(|| factor * rate / samples + usize::from(third >> 1 & 1))
}
