//! The files of the page.

use std::hash::{DefaultHasher, Hash, Hasher};

/// One file.
pub(super) struct Asset {
    name: &'static str,
    /// What is in it.
    pub(super) content: &'static str,
}

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        &[$(Asset { name: $name, content: include_str!(concat!("assets/", $name)) }),*]
    };
}

const ASSETS: &[Asset] = assets![
    "index.html",
    "icon.svg",
    "style/base.css",
    "style/layout.css",
    "style/parts.css",
    "style/workers.css",
    "style/pages.css",
    "style/forms.css",
    "style/narrow.css",
    "api.js",
    "apart.js",
    "app.js",
    "changes.js",
    "control.js",
    "dialog.js",
    "dom.js",
    "editor.js",
    "format.js",
    "losses.js",
    "notes.js",
    "past.js",
    "recipe.js",
    "router.js",
    "session.js",
    "state.js",
    "steer.js",
    "still.js",
    "stream.js",
    "pages/able.js",
    "pages/batches.js",
    "pages/broker.js",
    "pages/chart.js",
    "pages/drop.js",
    "pages/foresight.js",
    "pages/history.js",
    "pages/job.js",
    "pages/jobs.js",
    "pages/lines.js",
    "pages/new.js",
    "pages/sides.js",
    "pages/settings.js",
    "pages/trend.js",
    "pages/workers.js",
    "render/attention.js",
    "render/connection.js",
    "render/job.js",
    "render/past.js",
    "render/queues.js",
    "render/running.js",
    "render/totals.js",
    "render/waiting.js",
    "render/ended.js",
    "render/workers.js",
];

impl Asset {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        ASSETS.iter().find(|asset| asset.name == name)
    }

    pub(super) fn media_type(&self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        }
    }

    pub(super) fn etag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.content.hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }
}
