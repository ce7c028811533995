//! How progress bars look.

use indicatif::ProgressStyle;

/// A style from a template of this program's own.
pub(crate) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}
