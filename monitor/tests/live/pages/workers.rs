//! The page of the workers: what each has done, and which workers can do a certain job.

use common::farm::card::Verdict;
use common::farm::worker::{Away, Heartbeat};
use common::job::failure::Failure;
use common::matching::scale::autoscaler::{Autoscaler, AutoscalerLease, Decision, Rules, Started};
use jiff::{SignedDuration, Timestamp};

use super::{go, keep_alive, open, tab_to};
use crate::client::get;
use crate::{Monitor, farm};

/// A worker with one encoder, for 8 bit and at most 1920×1080, and with a special filter in its ffmpeg.
fn modest() -> Heartbeat {
    let mut beat = farm::heartbeat("mini-pc", 1, Vec::new(), &[("libx264", 20.0)]);
    for verdict in beat.card.encoders.values_mut() {
        if let Verdict::Proved(proof) = verdict {
            proof.pixel_formats = vec!["yuv420p".to_owned()];
            proof.largest = (1920, 1080);
        }
    }
    beat.card.filters = vec!["zscale".to_owned()];
    beat
}

fn able() -> Heartbeat {
    let proved = [("libx265", 61.0), ("hevc_nvenc", 300.0)];
    farm::heartbeat("atelier", 2, Vec::new(), &proved)
}

/// The workers that the matrix shows, and the cards that are shown.
const SHOWN: &str = "JSON.stringify([
  [...document.querySelectorAll('.matrix:not([hidden]) thead th.number')].map((cell) => cell.textContent),
  [...document.querySelectorAll('#workers .cards > li:not([hidden]) .worker-name')].map((name) => name.textContent),
])";

#[tokio::test(flavor = "multi_thread")]
async fn workers_are_filtered_by_their_capabilities_by_keyboard_alone() {
    let monitor = Monitor::start().await;
    let _alive = keep_alive(&monitor, vec![able(), modest()]).await;
    let (mut browser, _folder) = open(&monitor, "workers").await;
    browser.shows("2 workers").await;
    browser.shows("mini-pc").await;
    let both = format!(r#"{SHOWN} === '[["atelier","mini-pc"],["atelier","mini-pc"]]'"#);
    let capable = format!(r#"{SHOWN} === '[["atelier"],["atelier"]]'"#);
    let other = format!(r#"{SHOWN} === '[["mini-pc"],["mini-pc"]]'"#);
    let neither = format!("{SHOWN} === '[[],[]]'");
    browser.until("both workers", &both).await;

    tab_to(&mut browser, "[name=encoder]").await;
    browser.types("hevc").await;
    browser.shows("1 of 2 workers can do this").await;
    browser.until("the one that makes hevc", &capable).await;
    let rows = "document.querySelectorAll('.matrix tbody tr').length === 2";
    browser.until("its two encoders", rows).await;
    browser.press("Tab").await;
    for _ in 0..3 {
        browser.press("ArrowDown").await;
    }
    browser.shows("0 of 2 workers can do this").await;
    browser.until("nobody for 12 bit", &neither).await;
    browser.press("ArrowUp").await;
    browser.shows("1 of 2 workers can do this").await;

    // The address contains the filter.
    browser.evaluate("location.reload()").await;
    browser.shows("1 of 2 workers can do this").await;
    browser.until("still the one", &capable).await;
    let bits = "document.querySelector('[name=bits]').value === '10'";
    browser.until("the choice as it was", bits).await;
    browser.picture("workers-filtered").await;

    for (asked, who, shown) in [
        ("on=hardware", "1 of 2", &capable),
        ("on=software", "2 of 2", &both),
        ("largest=3840x2160", "1 of 2", &capable),
        ("largest=7680x4320", "0 of 2", &neither),
        ("also=zscale", "1 of 2", &other),
        ("also=aac+zscale", "1 of 2", &other),
        ("also=opus", "2 of 2", &both),
        ("encoder=h265&also=zscale", "0 of 2", &neither),
        ("encoder=x264&bits=10", "0 of 2", &neither),
    ] {
        go(&mut browser, &format!("workers?{asked}")).await;
        browser.shows(&format!("{who} workers can do this")).await;
        browser.until(asked, shown).await;
    }
    browser
        .click("[data-page=workers] button[type=reset]")
        .await;
    browser.until("both again", &both).await;
    let address = "location.hash === '#/workers'";
    browser.until("a plain address", address).await;
    // Other pages ignore the filter.
    go(&mut browser, "workers?bits=12").await;
    browser.until("nobody", &neither).await;
    go(&mut browser, "").await;
    let cards = "[...document.querySelectorAll('#workers .cards > li')].filter((card) => card.checkVisibility()).length === 2";
    browser.until("all cards on the overview", cards).await;
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workers_card_says_what_it_has_done_and_when_it_was_heard() {
    let monitor = Monitor::start().await;
    let ended = Timestamp::now();
    for (name, by) in [
        ("a.mkv", "libx265"),
        ("b.mkv", "libx265"),
        ("c.mkv", "hevc_nvenc"),
    ] {
        let run = farm::begun(name, by, "atelier").complete(farm::report("atelier", by), ended);
        farm::write_run(&monitor.broker, &run).await;
    }
    let failure = Failure::input("no video in it");
    let failed =
        farm::begun("d.mkv", "libx265", "atelier").fail(failure, SignedDuration::ZERO, ended);
    farm::write_run(&monitor.broker, &failed).await;
    let long_ago = ended - SignedDuration::from_hours(30);
    let old = farm::begun("e.mkv", "libx265", "atelier");
    let old = old.complete(farm::report("atelier", "libx265"), long_ago);
    farm::write_run(&monitor.broker, &old).await;

    let mut beat = able();
    beat.started = ended - SignedDuration::from_hours(3);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    // This worker sends one heartbeat and no more.
    monitor.broker.heartbeat(&modest()).await.expect("heard");
    let (mut browser, _folder) = open(&monitor, "workers").await;
    browser
        .shows("In the last day: 3 jobs completed, 1 failed")
        .await;
    browser.shows("In the last day: no job ended here").await;
    browser.shows("up 3 h").await;
    browser.shows("last seen seconds ago").await;
    let rows = browser
        .evaluate(
            "[...document.querySelectorAll('.past tbody tr')]
               .map((row) => [...row.cells].map((cell) => cell.textContent).join(' ')).join('; ')",
        )
        .await;
    assert_eq!(
        rows,
        "hevc_nvenc 1 63 fps 2.5× 18 s; libx265 2 63 fps 2.5× 18 s"
    );
    browser.shows("ago · up").await;
    browser
        .click(".worker-actions a[href='#/jobs?worker=atelier']")
        .await;
    browser.shows("1–5 of 5 jobs").await;
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_out_of_reach_and_wrong_clocks_are_shown() {
    let monitor = Monitor::start().await;
    let since = Timestamp::now() - SignedDuration::from_mins(3);
    let away = |place: &str, error: &str| Away {
        place: place.parse().expect("a location"),
        since,
        error: error.to_owned(),
        only_writing: false,
    };
    let mut first = able();
    first.away = vec![away(
        "s3://media/",
        "403 Forbidden <b>SignatureDoesNotMatch</b>",
    )];
    first.places.buckets = vec!["s3://media/in".parse().expect("a location")];
    let mut second = modest();
    second.away = vec![
        away("s3://media/", "403 Forbidden"),
        away("file:///srv/films", "nothing is mounted there any more"),
    ];
    second.clock_ahead = 3600.4;
    second.places.roots = vec!["file:///srv/films".parse().expect("a location")];
    let _alive = keep_alive(&monitor, vec![first, second]).await;
    let (mut browser, _folder) = open(&monitor, "").await;
    browser.shows("2 workers cannot reach s3://media/").await;
    browser.shows("403 Forbidden <b>Signature").await;
    browser.shows("jobs that need it wait").await;
    browser
        .shows("Worker mini-pc cannot reach /srv/films")
        .await;
    browser
        .shows("1 h 00 min ahead of the broker's: set it by NTP")
        .await;
    browser.picture("away").await;
    browser.resize(500, 1000).await;
    browser.picture("away-500").await;
    browser.resize(1440, 1000).await;
    go(&mut browser, "workers").await;
    browser.shows("Cannot reach /srv/films since 3 min").await;
    let unfold =
        "document.querySelectorAll('#workers details').forEach((part) => (part.open = true))";
    browser.evaluate(unfold).await;
    browser.shows("Reads and writes below: /srv/films").await;
    browser.shows("Buckets: s3://media/in").await;
    browser.picture("away-workers").await;
    let barriers = browser.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");

    let state = get(&monitor.address, "/api/v1/state", "").await.json();
    assert_eq!(state["workers"][1]["clock_ahead"], 3600.0, "{state:#}");
    assert_eq!(state["workers"][0]["away"][0]["place"], "s3://media/");
    let metrics = get(&monitor.address, "/metrics", "").await.body;
    for line in [
        "ffmpeg_easy_place_away{place=\"s3://media/\"} 2",
        "ffmpeg_easy_place_away{place=\"/srv/films\"} 1",
        "ffmpeg_easy_clock_ahead_seconds{worker=\"mini-pc\"} 3600",
        "ffmpeg_easy_slots{worker=\"atelier\"} 2",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_decisions_of_an_autoscaler_are_told_with_their_reasons() {
    let monitor = Monitor::start().await;
    let (mut browser, _folder) = open(&monitor, "workers").await;
    let hidden = "document.querySelector('#scaling-title')?.closest('section').hidden === true";
    browser
        .until("no section without an autoscaler", hidden)
        .await;
    let name: common::names::token::Token = "cpu".parse().expect("a name");
    let now = monitor.broker.now();
    let rules = Rules {
        min: 0,
        max: 8,
        jobs_per_worker: std::num::NonZeroU32::MIN,
        up_per_minute: 10,
        down_per_minute: 10,
        cool_down: 120,
        start_within: 300,
    };
    let lease = AutoscalerLease {
        holder: uuid::Uuid::nil(),
        host: "attic".to_owned(),
        until: now + SignedDuration::from_hours(1),
    };
    let queues = vec!["libx265".parse().expect("a queue")];
    let mut record = Autoscaler::new(name.clone(), queues, rules, lease);
    let worker = "cpu-1f".parse().expect("a name");
    record.workers.insert(worker, Started::new(now));
    record.note(Decision {
        at: now,
        action: "start cpu-1f".to_owned(),
        reason: "3 jobs could start on new workers".to_owned(),
    });
    let stored = monitor.broker.autoscaler(&name).await.expect("an answer");
    let kept = monitor
        .broker
        .keep_autoscaler(&stored, record.clone())
        .await;
    assert!(kept.expect("an answer").is_some());
    // Who read the record before cannot write it any more.
    let late = monitor.broker.keep_autoscaler(&stored, record).await;
    assert!(late.expect("an answer").is_none());
    browser
        .shows("cpu on attic: 1 worker, 0 to 8 allowed, 1 starting")
        .await;
    browser.shows("start cpu-1f").await;
    browser.shows("3 jobs could start on new workers").await;
    browser.picture("workers-scaling").await;
}
