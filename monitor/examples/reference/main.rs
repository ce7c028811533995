//! Writes docs/guide/API.md anew from the routes, and keeps its examples:
//! `cargo run -p ffmpeg-easy-monitor --example reference`.

#[allow(dead_code, reason = "the test needs more of it")]
mod page;

use std::path::Path;

fn main() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/API.md");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let document = monitor::openapi()
        .to_json()
        .expect("plain data with string keys");
    let document = serde_json::from_str(&document).expect("JSON");
    let page = page::page(&document, &page::examples(&before));
    std::fs::write(&path, page).expect("the document can be written");
}
