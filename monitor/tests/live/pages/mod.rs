//! The pages in a real browser, used as people use them.

mod access;
mod history;
mod hooks;
mod jobs;
mod libraries;
mod looks;
mod new;
mod orders;
mod recovery;
mod settings;
mod workers;

use std::time::Duration;

use common::farm::worker::Heartbeat;
use common::job::id::JobId;
use common::job::record::JobRecord;
use harness::browser::Browser;

use crate::Monitor;

/// Opens a page of the monitor in a browser.
async fn open(monitor: &Monitor, page: &str) -> (Browser, tempfile::TempDir) {
    open_at(&monitor.address, page).await
}

/// The same of a monitor at this address.
pub(crate) async fn open_at(address: &str, page: &str) -> (Browser, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("http://{address}/#/{page}");
    let mut browser = Browser::open(&url, folder.path()).await;
    browser.resize(1440, 1000).await;
    (browser, folder)
}

/// Goes to another page by its address.
async fn go(browser: &mut Browser, page: &str) {
    browser
        .evaluate(&format!("location.hash = '#/{page}'"))
        .await;
    let name = page.split(['?', '/']).next().unwrap_or_default();
    let name = match name {
        "" => "overview",
        "jobs" if page.contains('/') => "job",
        name => name,
    };
    let shown = format!("document.body.dataset.shown === '{name}'");
    browser.until(page, &shown).await;
}

/// Sets the value of a field, as when a person has chosen or typed it.
async fn choose(browser: &mut Browser, selector: &str, value: &str) {
    let offered = format!(
        "(() => {{ const field = document.querySelector(\"{selector}\");
          const options = [...(field?.options ?? [])].map((option) => option.value);
          return field !== null && (field.tagName !== 'SELECT' || options.includes('{value}')); }})()"
    );
    browser.until(selector, &offered).await;
    let script = format!(
        "(() => {{ const field = document.querySelector(\"{selector}\");
          field.value = '{value}';
          field.dispatchEvent(new Event('change', {{ bubbles: true }})); return field.value; }})()"
    );
    assert_eq!(browser.evaluate(&script).await, value, "{selector}");
}

/// Waits until the job on the broker meets a condition.
async fn until_job(monitor: &Monitor, job: &JobId, what: &str, is_so: impl Fn(&JobRecord) -> bool) {
    harness::poll::until(what, async || {
        let record = monitor.broker.job(job).await.ok()??;
        is_so(&record).then_some(())
    })
    .await;
}

/// Presses Tab until an element has the focus.
async fn tab_to(browser: &mut Browser, selector: &str) {
    let is_there = format!("String(document.activeElement.matches(\"{selector}\"))");
    for _ in 0..80 {
        if browser.evaluate(&is_there).await == "true" {
            return;
        }
        browser.press("Tab").await;
    }
    panic!("no Tab leads to {selector}");
}

/// Workers that send heartbeats until this is dropped.
struct Alive(tokio::task::JoinHandle<()>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep_alive(monitor: &Monitor, workers: Vec<Heartbeat>) -> Alive {
    let broker = monitor.broker.clone();
    for worker in &workers {
        broker.heartbeat(worker).await.expect("heard");
    }
    Alive(tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(3)).await;
            for worker in &workers {
                // A test may have killed the broker.
                let _ = broker.heartbeat(worker).await;
            }
        }
    }))
}
