//! Timecodes of SMPTE ST 12: `01:00:00:00`, or `01:00:00;00` where numbers are dropped.

/// The timecode this many seconds later, at this frame rate. `None` if the text is no timecode.
pub(crate) fn later(timecode: &str, seconds: f64, rate: f64) -> Option<String> {
    let parts: Vec<u64> = timecode
        .split([':', ';', '.'])
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let [hours, minutes, whole, frames] = parts[..] else {
        return None;
    };
    if hours > 23 || minutes > 59 || whole > 59 {
        return None;
    }
    let base = rate.round() as u64;
    if base == 0 || base > 1000 || frames >= base {
        return None;
    }
    let is_drop = timecode.contains([';', '.']) && base.is_multiple_of(30);
    let dropped = if is_drop { base / 15 } else { 0 };
    let all = ((hours * 60 + minutes) * 60 + whole) * base + frames;
    let of_minutes = hours * 60 + minutes;
    let number = all.checked_sub(dropped * (of_minutes - of_minutes / 10))?;
    let number = number + (seconds * rate).round() as u64;
    let number = with_dropped(number, base, dropped) % (24 * 3600 * base);
    let mark = if is_drop { ';' } else { ':' };
    Some(format!(
        "{:02}:{:02}:{:02}{mark}{:02}",
        number / base / 3600,
        number / base / 60 % 60,
        number / base % 60,
        number % base
    ))
}

/// The number that a timecode shows for a frame, where the first numbers of each minute are dropped, but not of each
/// tenth.
fn with_dropped(number: u64, base: u64, dropped: u64) -> u64 {
    if dropped == 0 {
        return number;
    }
    let minute = base * 60 - dropped;
    let ten = minute * 10 + dropped;
    let (tens, rest) = (number / ten, number % ten);
    let minutes = rest.saturating_sub(dropped) / minute;
    number + dropped * 9 * tens + dropped * minutes
}

#[cfg(test)]
mod tests {
    use super::later;

    #[test]
    fn a_timecode_counts_frames() {
        let of = |text: &str, seconds, rate| later(text, seconds, rate).expect("a timecode");
        assert_eq!(of("01:00:00:00", 1.5, 25.0), "01:00:01:13");
        assert_eq!(of("00:59:59:24", 0.04, 25.0), "01:00:00:00");
        assert_eq!(of("23:59:59:24", 0.04, 25.0), "00:00:00:00");
        let ntsc = 30000.0 / 1001.0;
        assert_eq!(of("00:00:59;29", 1.0 / ntsc, ntsc), "00:01:00;02");
        assert_eq!(of("00:09:59;29", 1.0 / ntsc, ntsc), "00:10:00;00");
        assert_eq!(of("00:00:00;00", 600.0, ntsc), "00:10:00;00");
        assert_eq!(of("00:00:00:00", 60.0, ntsc), "00:00:59:28");
        assert_eq!(later("hello", 1.0, 25.0), None);
        assert_eq!(later("01:99:00:00", 1.0, 25.0), None);
        assert_eq!(later("01:00:00:25", 1.0, 25.0), None);
        assert_eq!(later("01:00:00:18446744073709551615", 1.0, 25.0), None);
    }
}
