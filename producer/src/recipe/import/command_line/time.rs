//! `-ss`, `-t` and `-to`.

use common::recipe::Trim;

use super::super::LeftOut;

/// The part of the input.
#[derive(Debug, Default)]
pub(super) struct Times {
    from: Option<f64>,
    to: Option<f64>,
    length: Option<f64>,
}

impl Times {
    pub(super) fn read(
        &mut self,
        option: &str,
        value: &str,
        is_before_input: bool,
        left_out: &mut LeftOut,
    ) {
        let Some(seconds) = seconds(value) else {
            left_out.add(format!("-{option} {value}"), "it is no time");
            return;
        };
        match option {
            "ss" => self.from = Some(seconds),
            "t" => self.length = Some(seconds),
            // Behind a seek of the input, ffmpeg counts the output's time from 0.
            _ if !is_before_input && self.from.is_some() => self.length = Some(seconds),
            _ => self.to = Some(seconds),
        }
    }

    pub(super) fn trim(&self) -> Option<Trim> {
        let from = self.from.unwrap_or(0.0);
        let to = self.length.map(|length| from + length).or(self.to);
        let is_all = from == 0.0 && to.is_none();
        (!is_all).then_some(Trim { from, to })
    }
}

/// Seconds of `90`, `1:30`, `00:01:30.5`, `90s` or `500ms`.
fn seconds(text: &str) -> Option<f64> {
    if let Some(thousandths) = text.strip_suffix("ms") {
        return thousandths
            .parse::<f64>()
            .ok()
            .map(|number| number / 1000.0);
    }
    let text = text.strip_suffix('s').unwrap_or(text);
    let mut total = 0.0;
    for part in text.split(':') {
        if !part.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        total = total * 60.0 + part.parse::<f64>().ok()?;
    }
    (total < 1e7).then_some(total)
}
