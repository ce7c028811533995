//! What makes a page hard to use for some people.

use super::Browser;
use crate::paths;

/// Runs all rules of axe for WCAG 2.2 AA and good practice; gives a line for each violation.
const AXE: &str = "(async () => {
  const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = await axe.run(document, { runOnly, resultTypes: ['violations'] });
  const lines = ({ id, impact, nodes }) =>
    nodes.map(({ html, any }) => `${impact} ${id}: ${html} ${any.map((one) => one.message).join('; ')}`);
  return JSON.stringify(violations.flatMap(lines));
})()";

/// Finds drawn lines and areas whose contrast with the nearest opaque background is below WCAG AA: axe checks text only.
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
    /// Barriers of the page, one a line, found by axe-core and by the contrast of drawings.
    pub async fn barriers(&mut self) -> Vec<String> {
        if self.evaluate("typeof axe").await == "undefined" {
            self.evaluate(&paths::axe()).await;
        }
        let mut barriers = Vec::new();
        for rules in [AXE, FAINT] {
            let found = self.evaluate(rules).await;
            let found: Option<Vec<String>> = serde_json::from_str(&found).ok();
            barriers.extend(found.expect("the rules give a list"));
        }
        barriers
    }
}
