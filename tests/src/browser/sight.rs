//! What a person sees, or hears read out.

use std::path::Path;

use serde_json::{Value, json};

use super::Browser;
use crate::paths;

/// Text and lines whose contrast is below what WCAG AA asks for, measured
/// against the nearest opaque ground.
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
  const contrast = (color, element) => {
    const [a, b] = [light(rgb(color)), light(ground(element))].sort((a, b) => b - a);
    return (a + 0.05) / (b + 0.05);
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest(".unseen, :disabled, option")) continue;
    const style = getComputedStyle(element);
    const ratio = contrast(style.color, element);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) faint.push(`${ratio.toFixed(2)}: ${node.data.trim().slice(0, 60)}`);
  }
  for (const shape of document.querySelectorAll("main svg :is(path, rect, circle)")) {
    if (!shape.checkVisibility()) continue;
    const style = getComputedStyle(shape);
    for (const paint of [style.stroke, style.fill]) {
      if (paint === "none" || rgb(paint)[3] < 250) continue;
      const ratio = contrast(paint, shape);
      if (ratio < 3) faint.push(`${ratio.toFixed(2)}: a ${shape.tagName} of ${paint}`);
    }
  }
  return JSON.stringify([...new Set(faint)]);
})()"#;

/// Roles that a person acts on, which must therefore have a name.
const ACTED_ON: [&str; 11] = [
    "button",
    "link",
    "textbox",
    "searchbox",
    "checkbox",
    "radio",
    "combobox",
    "spinbutton",
    "dialog",
    "progressbar",
    "meter",
];

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

    /// What on the page cannot be read or is read out without a name.
    pub async fn barriers(&mut self) -> Vec<String> {
        let faint = self.evaluate(FAINT).await;
        let mut found: Vec<String> = serde_json::from_str(&faint).expect("a list");
        let tree = self.ask("Accessibility.getFullAXTree", json!({})).await;
        for node in tree["nodes"].as_array().expect("nodes") {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            let is_there = node["ignored"] != true;
            if is_there && ACTED_ON.contains(&role) && is_nameless(node) {
                found.push(format!("a {role} without a name: {node}"));
            }
        }
        let order = "JSON.stringify([...document.querySelectorAll('h1, h2, h3, h4')]
            .filter((heading) => heading.checkVisibility())
            .map((heading) => Number(heading.tagName[1])))";
        let levels = self.evaluate(order).await;
        let levels: Vec<u8> = serde_json::from_str(&levels).expect("a list");
        if levels.first() != Some(&1) || levels.windows(2).any(|pair| pair[1] > pair[0] + 1) {
            found.push(format!("headings leave levels out: {levels:?}"));
        }
        found
    }
}

fn is_nameless(node: &Value) -> bool {
    node["name"]["value"].as_str().is_none_or(str::is_empty)
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
