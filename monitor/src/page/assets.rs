//! The files of the page. A release holds them; a debug build reads them from their folder, so that a
//! change needs no build.

use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "src/page/assets"]
struct Folder;

/// One file.
pub(super) struct Asset {
    media_type: &'static str,
    file: EmbeddedFile,
}

impl Asset {
    pub(super) fn named(name: &str) -> Option<Self> {
        let media_type = match name.rsplit('.').next()? {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => return None,
        };
        let file = Folder::get(name)?;
        Some(Self { media_type, file })
    }

    pub(super) fn media_type(&self) -> &'static str {
        self.media_type
    }

    pub(super) fn etag(&self) -> String {
        let hash = self.file.metadata.sha256_hash();
        let hex: String = hash
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("\"{hex}\"")
    }

    pub(super) fn into_content(self) -> std::borrow::Cow<'static, [u8]> {
        self.file.data
    }
}
