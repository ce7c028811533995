//! Numbers for people.

use std::time::Duration;

use humansize::{DECIMAL, format_size};

/// `12.3 MB`.
pub(crate) fn bytes(count: u64) -> String {
    format_size(count, DECIMAL)
}

/// `1m 23s`; tenths of a second below a minute.
pub(crate) fn seconds(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "?".to_owned();
    }
    if seconds < 60.0 {
        return format!("{seconds:.1}s");
    }
    humantime::format_duration(Duration::from_secs(seconds.round() as u64)).to_string()
}

/// `24 fps`; `0.43 fps` below ten.
pub(crate) fn fps(fps: f64) -> String {
    let digits = match fps {
        ..1.0 => 2,
        1.0..10.0 => 1,
        _ => 0,
    };
    format!("{fps:.digits$} fps")
}

/// `37%`: `after` in relation to `before`.
pub(crate) fn ratio(before: u64, after: u64) -> String {
    if before == 0 {
        return "?".to_owned();
    }
    format!("{:.0}%", 100.0 * after as f64 / before as f64)
}

/// `3 jobs`, `1 job`.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(seconds(5.04), "5.0s");
        assert_eq!(seconds(83.2), "1m 23s");
        assert_eq!(seconds(f64::NAN), "?");
        assert_eq!(fps(0.432), "0.43 fps");
        assert_eq!(fps(5.04), "5.0 fps");
        assert_eq!(fps(59.94), "60 fps");
        assert_eq!(ratio(200, 50), "25%");
        assert_eq!(ratio(0, 50), "?");
        assert_eq!(bytes(12_345_678), "12.35 MB");
        assert_eq!(count(1, "file"), "1 file");
    }
}
