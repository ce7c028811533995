//! What a person sees, or hears read out.

use std::path::Path;

use serde_json::json;

use super::Browser;
use crate::paths;

/// Runs axe by every rule that it has for WCAG 2.2 AA and good practice. What is
/// found, a line each.
const AXE: &str = "(async () => {
  const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = await axe.run(document, { runOnly, resultTypes: ['violations'] });
  const lines = ({ id, impact, nodes }) =>
    nodes.map(({ html, any }) => `${impact} ${id}: ${html} ${any.map((one) => one.message).join('; ')}`);
  return JSON.stringify(violations.flatMap(lines));
})()";

/// Drawn lines and areas whose contrast with the nearest opaque ground is below
/// what WCAG AA asks for: axe looks at text alone.
const FAINT: &str = r#"(() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = color;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color[3] > 250) return color;
    }
    return [255, 255, 255, 255];
  };
  const faint = [];
  for (const shape of document.querySelectorAll("main svg :is(path, rect, circle)")) {
    if (!shape.checkVisibility()) continue;
    const style = getComputedStyle(shape);
    for (const color of [style.stroke, style.fill]) {
      if (color === "none" || rgb(color)[3] < 250) continue;
      const [a, b] = [light(rgb(color)), light(ground(shape))].sort((a, b) => b - a);
      const ratio = (a + 0.05) / (b + 0.05);
      if (ratio < 3) faint.push(`contrast ${ratio.toFixed(2)}: a ${shape.tagName} of ${color}`);
    }
  }
  return JSON.stringify([...new Set(faint)]);
})()"#;

impl Browser {
    /// Keeps a picture of the page as `target/screenshots/<name>.png`.
    pub async fn picture(&mut self, name: &str) {
        let taken = self
            .ask("Page.captureScreenshot", json!({ "format": "png" }))
            .await;
        let picture = decode(taken["data"].as_str().expect("a picture"));
        let folder = paths::screenshots();
        std::fs::create_dir_all(&folder).expect("the target folder can be written");
        std::fs::write(folder.join(Path::new(name).with_extension("png")), picture)
            .expect("the target folder can be written");
    }

    /// Makes the window as large, in pixels.
    pub async fn resize(&mut self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.ask("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Shows the page as a person sees it who likes things `light` or `dark`.
    pub async fn scheme(&mut self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.ask(
            "Emulation.setEmulatedMedia",
            json!({ "features": [feature] }),
        )
        .await;
    }

    /// Has the page's clock be of another place, `America/Los_Angeles`.
    pub async fn zone(&mut self, zone: &str) {
        let zone = json!({ "timezoneId": zone });
        self.ask("Emulation.setTimezoneOverride", zone).await;
    }

    /// What on the page is hard to use for some people, by axe-core and by what
    /// it does not look at.
    pub async fn barriers(&mut self) -> Vec<String> {
        if self.evaluate("typeof axe").await == "undefined" {
            self.evaluate(&paths::axe()).await;
        }
        let mut barriers = Vec::new();
        for look in [AXE, FAINT] {
            let found = self.evaluate(look).await;
            let found: Option<Vec<String>> = serde_json::from_str(&found).ok();
            barriers.extend(found.expect("the page lets itself be looked at"));
        }
        barriers
    }
}

/// Base64 as bytes.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    bytes
}
