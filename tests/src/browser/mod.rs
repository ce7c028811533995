//! A real headless browser, controlled over a pipe by the Chrome DevTools Protocol.

mod accessibility;
mod appearance;
mod input;

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::{paths, poll};

/// A browser that shows one page. Killed when dropped.
pub struct Browser {
    _process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    session: Option<String>,
    asked: u64,
}

impl Browser {
    /// Opens a page. The browser stores its profile below `folder`.
    pub async fn open(url: &str, folder: &Path) -> Self {
        let mut command = Command::new("sh");
        command
            // The protocol's pipes have the numbers 3 and 4.
            .args(["-c", r#"exec "$@" 3<&0 4>&1 0</dev/null 1>&2"#, "sh"])
            .arg(paths::tool("chromium"))
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
            ])
            .args([
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
            ])
            .args([
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
            ])
            .arg(format!(
                "--user-data-dir={}",
                folder.join("browser").display()
            ));
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("a shell runs");
        let mut browser = Self {
            orders: process.stdin.take().expect("piped"),
            answers: BufReader::new(process.stdout.take().expect("piped")),
            _process: process,
            session: None,
            asked: 0,
        };
        let target = browser
            .ask("Target.createTarget", json!({ "url": url }))
            .await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.ask("Target.attachToTarget", attach).await;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        browser
    }

    /// Runs a script in every page from now on, before the page's own scripts.
    pub async fn before_pages(&mut self, script: &str) {
        self.ask("Page.enable", json!({})).await;
        let source = json!({ "source": script });
        self.ask("Page.addScriptToEvaluateOnNewDocument", source)
            .await;
    }

    /// The text that the page shows now.
    pub async fn text(&mut self) -> String {
        self.evaluate("document.body ? document.body.innerText : ''")
            .await
    }

    /// Waits until a script returns `true`.
    pub async fn until(&mut self, what: &str, script: &str) {
        let script = format!("(async () => String({script}))()");
        let started = std::time::Instant::now();
        while self.evaluate(&script).await != "true" {
            if started.elapsed() > poll::PATIENCE {
                let text = self.text().await;
                panic!("waited in vain for {what}; the page says: {text}");
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
    }

    /// Waits until the page shows these words.
    pub async fn shows(&mut self, words: &str) {
        let script = format!("document.body?.innerText.includes({})", json!(words));
        self.until(&format!("{words:?} on the page"), &script).await;
    }

    /// The result of a script, as text. If the page goes away meanwhile, the script runs again on the next page.
    pub async fn evaluate(&mut self, script: &str) -> String {
        let asked = json!({ "expression": script, "returnByValue": true, "awaitPromise": true });
        let answer = loop {
            let answer = self.send("Runtime.evaluate", asked.clone()).await;
            let words = answer["error"]["message"].as_str().unwrap_or_default();
            // The message for a page that has gone differs between versions of Chromium.
            if !["navigated", "context"]
                .iter()
                .any(|gone| words.contains(gone))
            {
                break good("Runtime.evaluate", &answer);
            }
        };
        answer["result"]["value"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    async fn ask(&mut self, method: &str, parameters: Value) -> Value {
        let answer = self.send(method, parameters).await;
        good(method, &answer)
    }

    async fn send(&mut self, method: &str, parameters: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        let mut order = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            order["sessionId"] = json!(session);
        }
        let asked = async {
            self.orders
                .write_all(format!("{order}\0").as_bytes())
                .await?;
            loop {
                let mut message = Vec::new();
                if self.answers.read_until(0, &mut message).await? == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                message.pop();
                let message: Value = serde_json::from_slice(&message)?;
                // All other messages are events.
                if message["id"] == id {
                    return Ok::<_, std::io::Error>(message);
                }
            }
        };
        tokio::time::timeout(poll::PATIENCE, asked)
            .await
            .unwrap_or_else(|_| panic!("the browser gives no answer to {method}"))
            .unwrap_or_else(|error| panic!("the browser is gone ({error}): is `chromium` sound?"))
    }
}

/// The result of a call; panics on an error.
fn good(method: &str, answer: &Value) -> Value {
    assert!(answer["error"].is_null(), "{method}: {answer}");
    answer["result"].clone()
}
