//! `-ss`, `-t` and `-to`.

use common::recipe::Trim;

use super::super::LeftOut;

/// The part of the input.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// What the options before the input say.
    input: Span,
    /// What the options of the output say. Its time begins where the part of the input begins.
    output: Span,
}

#[derive(Debug, Default)]
struct Span {
    from: Option<f64>,
    to: Option<f64>,
    length: Option<f64>,
}

impl Span {
    fn begin(&self) -> f64 {
        self.from.unwrap_or(0.0)
    }

    /// `-t` goes before `-to`.
    fn end(&self) -> Option<f64> {
        let by_length = self.length.map(|length| self.begin() + length);
        by_length.or(self.to)
    }
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
        let span = match is_before_input {
            true => &mut self.input,
            false => &mut self.output,
        };
        let field = match option {
            "ss" => &mut span.from,
            "t" => &mut span.length,
            _ => &mut span.to,
        };
        *field = Some(seconds);
    }

    pub(super) fn trim(&self) -> Option<Trim> {
        let seek = self.input.begin();
        let from = seek + self.output.begin();
        let ends = [self.input.end(), self.output.end().map(|end| seek + end)];
        let to = ends.into_iter().flatten().reduce(f64::min);
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
