//! The appearance of a page, and pictures of it.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::Browser;
use crate::paths;

impl Browser {
    /// Saves a picture of the page as `target/screenshots/<name>.png`.
    pub async fn picture(&mut self, name: &str) {
        let taken = self
            .ask("Page.captureScreenshot", json!({ "format": "png" }))
            .await;
        let picture = BASE64_STANDARD
            .decode(taken["data"].as_str().expect("a picture"))
            .expect("base64");
        let folder = paths::screenshots();
        std::fs::create_dir_all(&folder).expect("the target folder can be written");
        std::fs::write(folder.join(Path::new(name).with_extension("png")), picture)
            .expect("the target folder can be written");
    }

    /// Resizes the window, in pixels.
    pub async fn resize(&mut self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.ask("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Shows the page as to a person who prefers `light` or `dark`.
    pub async fn scheme(&mut self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.ask(
            "Emulation.setEmulatedMedia",
            json!({ "features": [feature] }),
        )
        .await;
    }

    /// Sets the time zone of the page, such as `America/Los_Angeles`.
    pub async fn zone(&mut self, zone: &str) {
        let zone = json!({ "timezoneId": zone });
        self.ask("Emulation.setTimezoneOverride", zone).await;
    }
}
