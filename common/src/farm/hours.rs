//! Working hours: when in the week a worker starts jobs, by its own clock and time zone.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::{Span, Zoned};
use serde::{Deserialize, Serialize};

/// Minutes of a day and of a week.
const DAY: u16 = 24 * 60;
const WEEK: u16 = 7 * DAY;

/// Names of the days, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Working hours, e.g. `22:00-07:00` or `mon-fri 19:00-07:00; sat,sun 00:00-24:00`. Without days they hold on every
/// day; a span that ends before it begins ends on the next day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    text: String,
    /// Spans in minutes of the week, Monday 00:00 being 0; an end beyond [`WEEK`] is in the next week.
    spans: Vec<(u16, u16)>,
}

/// The text is not in the format of working hours.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' are no working hours: expected e.g. 22:00-07:00 or mon-fri 19:00-07:00; sat,sun 00:00-24:00"
)]
pub struct HoursError(String);

impl Hours {
    /// Whether jobs may be started at that moment.
    pub fn include(&self, at: &Zoned) -> bool {
        let minute = minute_of_week(at);
        self.spans.iter().any(|(from, to)| {
            (*from..*to).contains(&minute) || (*from..*to).contains(&(minute + WEEK))
        })
    }

    /// When the hours next begin or end; `None` if they never do.
    pub fn next_change(&self, now: &Zoned) -> Option<Zoned> {
        let open = self.include(now);
        let start = now
            .with()
            .second(0)
            .subsec_nanosecond(0)
            .build()
            .unwrap_or_else(|_| now.clone());
        // Minute by minute of real time: days on which clocks change have other lengths.
        (1..=i64::from(WEEK) + 120)
            .map_while(|minutes| start.checked_add(Span::new().minutes(minutes)).ok())
            .find(|at| self.include(at) != open)
    }
}

fn minute_of_week(at: &Zoned) -> u16 {
    let day = at.weekday().to_monday_zero_offset().unsigned_abs();
    u16::from(day) * DAY + minute_of_day(at.time())
}

fn minute_of_day(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut spans = Vec::new();
        for rule in text.split(';').filter(|rule| !rule.trim().is_empty()) {
            spans.extend(rule_spans(rule).ok_or_else(|| HoursError(text.to_owned()))?);
        }
        if spans.is_empty() {
            return Err(HoursError(text.to_owned()));
        }
        Ok(Self {
            text: text.trim().to_owned(),
            spans,
        })
    }
}

/// `[DAYS] FROM-TO[,FROM-TO…]`
fn rule_spans(rule: &str) -> Option<Vec<(u16, u16)>> {
    let rule = rule.trim().to_ascii_lowercase();
    let (days, times) = match rule.split_once(char::is_whitespace) {
        Some((days, times)) => (days_of(days)?, times.trim()),
        None => ((0..7).collect(), rule.as_str()),
    };
    let mut spans = Vec::new();
    for time in times.split(',') {
        let (from, to) = time.trim().split_once('-')?;
        let (from, to) = (minute(from)?, minute(to)?);
        if from >= DAY || from == to {
            return None;
        }
        let to = if to < from { to + DAY } else { to };
        spans.extend(days.iter().map(|day| (day * DAY + from, day * DAY + to)));
    }
    Some(spans)
}

/// `mon-fri`, `sat,sun`, `fri-mon`
fn days_of(text: &str) -> Option<Vec<u16>> {
    let day = |name: &str| {
        let nth = DAYS.iter().position(|day| *day == name)?;
        u16::try_from(nth).ok()
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (day(first)?, day(last)?);
                let last = if last < first { last + 7 } else { last };
                days.extend((first..=last).map(|day| day % 7));
            }
            None => days.push(day(part)?),
        }
    }
    Some(days)
}

/// `07:30`; `24:00` is the end of the day.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour.checked_mul(60)?.checked_add(minute)?;
    (hour <= 24 && minute < 60 && total <= DAY).then_some(total)
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl TryFrom<String> for Hours {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Zoned {
        text.parse().expect("a moment")
    }

    fn hours(text: &str) -> Hours {
        text.parse().expect("hours")
    }

    #[test]
    fn a_night_goes_on_into_the_next_day_and_week() {
        let night = hours("22:00-07:00");
        assert!(night.include(&at("2026-11-23T23:30[UTC]")));
        assert!(night.include(&at("2026-11-24T06:59[UTC]")));
        assert!(!night.include(&at("2026-11-24T07:00[UTC]")));
        // Sunday's night ends on Monday.
        let sunday = hours("sun 22:00-07:00");
        assert!(sunday.include(&at("2026-11-23T06:00[UTC]")));
        assert!(!sunday.include(&at("2026-11-24T06:00[UTC]")));
    }

    #[test]
    fn days_and_several_spans() {
        let week = hours("mon-fri 19:00-07:00,12:00-13:00; sat,sun 00:00-24:00");
        assert!(week.include(&at("2026-11-28T15:00[UTC]")), "Saturday");
        assert!(!week.include(&at("2026-11-27T15:00[UTC]")), "Friday");
        assert!(week.include(&at("2026-11-27T12:30[UTC]")), "Friday's noon");
        for bad in [
            "1093:00-07:00",
            "",
            "22-07",
            "25:00-07:00",
            "xyz 10:00-11:00",
            "10:00-10:00",
            "24:00-01:00",
        ] {
            assert!(bad.parse::<Hours>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_next_change_is_found_over_a_change_of_clocks() {
        let night = hours("22:00-07:00");
        let next = night
            .next_change(&at("2026-10-24T23:00[Europe/Berlin]"))
            .expect("changes");
        assert_eq!(next, at("2026-10-25T07:00[Europe/Berlin]"));
        assert_eq!(
            hours("mon-sun 00:00-24:00").next_change(&at("2026-11-24T06:00[UTC]")),
            None
        );
    }
}
