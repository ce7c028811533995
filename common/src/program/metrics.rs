//! Metrics in the text format of Prometheus.

use std::fmt::{Display, Write};

/// The content type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Metrics in the text format. A name is `ffmpeg_easy_…` for a farm as its monitor sees it, and `ffmpeg_easy_worker_…` for
/// what one worker tells of itself.
#[derive(Debug, Default)]
pub struct Metrics(String);

impl Metrics {
    /// Begins a family of samples. `kind` is `gauge` or `counter`.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Adds a sample of the family that was begun last.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &dyn Display)], value: impl Display) {
        let _ = write!(self.0, "{name}");
        for (nth, (label, text)) in labels.iter().enumerate() {
            let open = if nth == 0 { '{' } else { ',' };
            let text = text.to_string();
            let text = text
                .replace('\\', r"\\")
                .replace('"', "\\\"")
                .replace('\n', r"\n");
            let _ = write!(self.0, "{open}{label}=\"{text}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{close} {value}");
    }

    /// A family of one sample.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn labels_cannot_break_out() {
        let mut metrics = Metrics::default();
        metrics.sample("ffmpeg_easy_x", &[("name", &"a\"b\\c\nd")], 1);
        assert_eq!(
            metrics.into_text(),
            "ffmpeg_easy_x{name=\"a\\\"b\\\\c\\nd\"} 1\n"
        );
    }
}
