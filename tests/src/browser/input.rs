//! Mouse and keyboard.

use std::time::Instant;

use serde_json::{Value, json};

use super::Browser;
use crate::poll;

impl Browser {
    /// Clicks the middle of the first element that a selector finds. A page may move under the pointer: a click that
    /// would hit another element is suppressed and repeated.
    pub async fn click(&mut self, selector: &str) {
        let give_up = Instant::now() + poll::PATIENCE;
        loop {
            let at = self.middle(selector).await;
            self.mouse("mouseMoved", at, 0).await;
            self.aim(selector).await;
            self.mouse("mousePressed", at, 1).await;
            self.mouse("mouseReleased", at, 0).await;
            // The click left the page.
            if self.evaluate("window.aim?.end()").await != "missed" {
                return;
            }
            assert!(Instant::now() < give_up, "{selector} gets no click");
        }
    }

    /// Suppresses the next click if it hits another element; `aim.end` says whether it hit this one.
    async fn aim(&mut self, selector: &str) {
        let script = format!(
            "(() => {{
              const element = document.querySelector({});
              const kinds = ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click'];
              // A disabled control gets no events: the page will enable it, or the wait ends.
              let went = element && !element.matches(':disabled') ? '' : 'missed';
              const check = ({{ type, target }}) => {{
                const isHit = element?.contains(target);
                if (type === 'pointerdown' && !isHit) went = 'missed';
                // Pressed here and let go elsewhere is a click on what holds both.
                if (type === 'click' && !went) went = isHit ? 'hit' : 'missed';
              }};
              const feel = (event) => {{
                check(event);
                if (went !== 'missed') return;
                event.preventDefault();
                event.stopImmediatePropagation();
              }};
              for (const kind of kinds) addEventListener(kind, feel, true);
              window.aim = {{
                end() {{
                  for (const kind of kinds) removeEventListener(kind, feel, true);
                  return went || 'missed';
                }},
              }};
            }})()",
            json!(selector)
        );
        self.evaluate(&script).await;
    }

    /// Types text into the element with the focus.
    pub async fn types(&mut self, text: &str) {
        self.ask("Input.insertText", json!({ "text": text })).await;
    }

    /// Presses a key, by its name in JavaScript.
    pub async fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            " " => (32, " "),
            "ArrowLeft" => (37, ""),
            "ArrowUp" => (38, ""),
            "ArrowRight" => (39, ""),
            "ArrowDown" => (40, ""),
            "Delete" => (46, ""),
            letter => (i32::from(letter.as_bytes()[0].to_ascii_uppercase()), letter),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = json!(text);
            }
            self.ask("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Begins to drag an element.
    pub async fn drag_from(&mut self, selector: &str) {
        self.ask("Input.setInterceptDrags", json!({ "enabled": true }))
            .await;
        let (x, y) = self.middle(selector).await;
        self.mouse("mouseMoved", (x, y), 0).await;
        self.mouse("mousePressed", (x, y), 1).await;
        // A drag begins after the first few pixels only.
        for step in [4.0, 12.0, 24.0] {
            self.mouse("mouseMoved", (x + step, y + step), 1).await;
        }
    }

    /// Holds the dragged element over another one.
    pub async fn drag_over(&mut self, selector: &str) {
        let at = self.middle(selector).await;
        for kind in ["dragEnter", "dragOver"] {
            self.drag(kind, at).await;
        }
    }

    /// Drops the dragged element on another one.
    pub async fn drop_on(&mut self, selector: &str) {
        let at = self.middle(selector).await;
        self.drag("dragOver", at).await;
        self.drag("drop", at).await;
        self.mouse("mouseReleased", at, 0).await;
        self.ask("Input.setInterceptDrags", json!({ "enabled": false }))
            .await;
    }

    async fn drag(&mut self, kind: &str, (x, y): (f64, f64)) {
        let item = json!({ "mimeType": "text/plain", "data": "taken" });
        let data = json!({ "items": [item], "files": [], "dragOperationsMask": 16 });
        let event = json!({ "type": kind, "x": x, "y": y, "data": data });
        self.ask("Input.dispatchDragEvent", event).await;
    }

    async fn mouse(&mut self, kind: &str, (x, y): (f64, f64), buttons: u8) {
        let button = if kind == "mouseMoved" && buttons == 0 {
            "none"
        } else {
            "left"
        };
        let event = json!({
            "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1,
        });
        self.ask("Input.dispatchMouseEvent", event).await;
    }

    /// The middle of an element, once the element is in sight and at rest.
    async fn middle(&mut self, selector: &str) -> (f64, f64) {
        let quoted = json!(selector);
        let script = format!(
            "await (async () => {{
              const element = document.querySelector({quoted});
              if (!element) return false;
              element.scrollIntoView({{ block: 'center', behavior: 'instant' }});
              const before = element.getBoundingClientRect();
              await new Promise((done) => setTimeout(done, 50));
              const box = element.getBoundingClientRect();
              if (box.x !== before.x || box.y !== before.y) return false;
              const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
              return element.contains(found);
            }})()"
        );
        self.until(&format!("{selector} in sight"), &script).await;
        let place = format!(
            "(() => {{ const box = document.querySelector({quoted}).getBoundingClientRect();
              return JSON.stringify([box.x + box.width / 2, box.y + box.height / 2]); }})()"
        );
        let place: Value = serde_json::from_str(&self.evaluate(&place).await).expect("a place");
        let number = |nth: usize| place[nth].as_f64().expect("a number");
        (number(0), number(1))
    }
}
