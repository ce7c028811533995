//! Names of jobs: long names can be distinguished in every list, and hostile names do nothing on any page.

use common::job::failure::Failure;
use jiff::{SignedDuration, Timestamp};

use crate::pages::{go, open};
use crate::{Monitor, farm};

#[tokio::test(flavor = "multi_thread")]
async fn the_episode_is_visible_in_names_that_begin_and_end_alike() {
    let monitor = Monitor::start().await;
    for episode in 1..=12 {
        let name = format!(
            "Planet of the Very Long Titles (2019) - S02E{episode:02} - The Tale of It [1080p][DTS-HD.MA.5.1][h264]-GROUP.mkv"
        );
        monitor.enqueue(&name, "libx265").await;
    }
    // The part of each name that names the episode lies within the visible part.
    let seen = "(() => {
      const names = [...document.querySelectorAll('LIST .name')].filter((name) => name.checkVisibility());
      const isSeen = (name) => {
        const key = name.querySelector('.key');
        const [box, room] = [key, name].map((part) => part.getBoundingClientRect());
        return /S02E\\d\\d/.test(key.textContent) && box.left >= room.left - 1 && box.right <= room.right + 1;
      };
      return names.length >= LEAST && names.every(isSeen);
    })()";
    let (mut browser, _folder) = open(&monitor, "jobs").await;
    browser.shows("of 12 jobs").await;
    for width in [390, 800, 1200, 1440] {
        browser.resize(width, 1000).await;
        let of_jobs = seen.replace("LIST", ".jobs").replace("LEAST", "12");
        browser
            .until(&format!("each episode in the table at {width}"), &of_jobs)
            .await;
        browser.picture(&format!("episodes-{width}")).await;
    }
    go(&mut browser, "").await;
    for width in [390, 1440] {
        browser.resize(width, 1000).await;
        let of_next = seen.replace("LIST", "#next").replace("LEAST", "8");
        browser
            .until(
                &format!("each episode that comes next at {width}"),
                &of_next,
            )
            .await;
    }
    let whole = "document.querySelector('#next .name').textContent.includes('Planet of the Very Long Titles (2019) - S02E01 - The Tale of It [1080p]')";
    browser.until("the whole name to be read out", whole).await;
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_inert_on_every_page() {
    let monitor = Monitor::start().await;
    let names = [
        "<img src=x onerror=\"document.title='owned'\">.mkv",
        "<script>document.title='owned'</script>.mkv",
        "'\"><svg onload=alert(1)>.mkv",
        "\u{202e}vkm.drakcab.mkv",
    ];
    let mut first = None;
    for name in names {
        let job = monitor.enqueue(name, "libx265").await;
        let run = farm::claimed(job.clone(), "atelier");
        let failure = Failure::input(name).with_log(vec![name.to_owned()]);
        let run = run.fail(failure, SignedDuration::ZERO, Timestamp::now());
        farm::write_run(&monitor.broker, &run).await;
        monitor.keep_batch(&job, name).await;
        first.get_or_insert(job.id);
    }
    let job = format!("jobs/{}", first.expect("a job"));
    let (mut browser, _folder) = open(&monitor, "").await;
    for page in ["", "jobs", &job, "batches", "history"] {
        go(&mut browser, page).await;
        browser.shows("<img src=x onerror=").await;
        let made = browser
            .evaluate("String(document.querySelectorAll('main :is(img, script, iframe):not(.frame-slider *), main svg[onload]').length)")
            .await;
        assert_eq!(made, "0", "{page}");
        assert!(
            !browser.evaluate("document.title").await.contains("owned"),
            "{page}"
        );
    }
    drop(browser);
    monitor.stop().await;
}
