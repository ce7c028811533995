//! Hooks and notifications of the browser, on the page of settings.

use common::job::run::RunState;
use harness::servers::receiver::Receiver;

use super::{go, open};
use crate::{Monitor, farm};

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_is_added_tried_and_removed() {
    let monitor = Monitor::start().await;
    let receiver = Receiver::start().await;
    let (mut browser, _folder) = open(&monitor, "settings").await;
    browser.shows("Nobody is told of what happens").await;
    browser.click(".create-hook").await;
    browser.click("dialog [name=name]").await;
    browser.types("ours").await;
    browser.click("dialog [name=url]").await;
    browser.types("htps://example.org/TOKEN").await;
    browser.press("Enter").await;
    browser.shows("did you mean https?").await;
    let barriers = browser.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    browser
        .evaluate("document.querySelector('dialog [name=url]').select()")
        .await;
    browser.types(&format!("{}/TOKEN", receiver.url())).await;
    browser.press("Enter").await;
    browser.shows("Saved the hook ours").await;
    browser.shows("nothing was taken yet").await;
    browser.click("[aria-label='Test the hook ours']").await;
    let received = receiver.wait_for(1).await;
    assert_eq!(
        (received[0].path.as_str(), &received[0].json()["type"]),
        ("/TOKEN", &"test".into())
    );
    browser.shows("last taken just now").await;
    assert!(!browser.text().await.contains("TOKEN"));
    browser.picture("hooks").await;
    browser.click("[aria-label='Remove the hook ours']").await;
    browser.click("dialog [type=submit][value=yes]").await;
    browser.shows("Nobody is told of what happens").await;
    assert!(monitor.broker.hooks().await.expect("read").is_empty());
    drop(browser);
    monitor.stop().await;
}

/// A browser of a person who allows notifications when asked, and notes what was asked and shown.
const ALLOWING: &str = "window.asked = 0; window.told = [];
    window.Notification = class {
        static permission = 'default';
        static async requestPermission() { window.asked += 1; return (this.permission = 'granted'); }
        constructor(title, { body }) { window.told.push(`${title} | ${body}`); }
    };";

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_is_asked_by_a_click_only_and_tells_of_a_failed_job() {
    let monitor = Monitor::start().await;
    let running = farm::begun("film.mkv", "libx265", "atelier");
    farm::write_run(&monitor.broker, &running).await;
    let (mut browser, _folder) = open(&monitor, "settings").await;
    browser.before_pages(ALLOWING).await;
    browser.evaluate("location.reload()").await;
    browser.shows("Notifications are off").await;
    assert_eq!(browser.evaluate("String(window.asked)").await, "0");
    browser.click("button.notify").await;
    browser.shows("Turn notifications off").await;
    assert_eq!(browser.evaluate("String(window.asked)").await, "1");

    go(&mut browser, "").await;
    browser.shows("film.mkv").await;
    let mut failed = running.clone();
    failed.changed = monitor.broker.now();
    failed.state = RunState::Failed {
        failure: common::job::failure::Failure::input("no video in it"),
    };
    farm::write_run(&monitor.broker, &failed).await;
    let told = "window.told.some((told) => told.startsWith('Failed: film.mkv | ') && told.includes('no video in it'))";
    browser.until("a notification", told).await;

    go(&mut browser, "settings").await;
    browser.click("button.notify").await;
    browser.shows("Notifications are off").await;
    assert_eq!(browser.evaluate("String(window.asked)").await, "1");
    drop(browser);
    monitor.stop().await;
}
