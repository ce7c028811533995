//! Which parts of the page readers and operators see.

use super::open;
use crate::api::access::locked;

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_required_and_readers_get_no_buttons() {
    let (monitor, _file) = locked().await;
    monitor.enqueue("secret.mkv", "libx265").await;
    let (mut browser, _folder) = open(&monitor, "").await;
    browser.shows("This monitor asks for a password").await;
    assert!(!browser.text().await.contains("secret.mkv"));
    browser.types("guess").await;
    browser.press("Enter").await;
    browser.shows("This is not the password").await;
    browser.types("look").await;
    browser.press("Enter").await;
    browser.shows("secret.mkv").await;
    let buttons =
        "[...document.querySelectorAll('.act')].every((element) => !element.checkVisibility())";
    browser.until("no buttons for readers", buttons).await;

    browser.click("#logout").await;
    browser.shows("This monitor asks for a password").await;
    browser.types("steer").await;
    browser.press("Enter").await;
    let button = "document.querySelector('.queues button')?.checkVisibility()";
    browser.until("buttons for operators", button).await;
    // The session survives a reload, and no script can read it.
    browser.evaluate("location.reload()").await;
    browser.shows("secret.mkv").await;
    assert_eq!(browser.evaluate("document.cookie").await, "");
    drop(browser);
    monitor.stop().await;
}
