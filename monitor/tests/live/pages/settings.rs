//! The farm's settings, changed on their page by mouse and keyboard.

use common::broker::Overwrite;
use common::farm::orders::{Order, Target};
use common::farm::retention::Days;
use common::recipe::preset::{Preset, Presets};
use common::recipe::{Outputs, Recipe};
use harness::browser::Browser;
use jiff::Timestamp;

use super::{choose, keep_alive, open, tab_to};
use crate::api::access::locked;
use crate::{Monitor, farm};

/// Waits until the farm's presets meet a condition.
async fn presets(monitor: &Monitor, what: &str, is_so: impl Fn(&Presets) -> bool) {
    harness::poll::until(what, async || {
        let presets = monitor.broker.presets().await.ok()?;
        is_so(&presets).then_some(())
    })
    .await;
}

/// The saved preset `ours`: its recipe in words, and its note.
fn ours(presets: &Presets) -> Option<(String, &str)> {
    let found = presets.find(&"ours".parse().expect("a name")).ok()?;
    let note = found.preset.note.as_deref().unwrap_or_default();
    Some((found.preset.recipe.to_string(), note))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_is_made_by_keyboard_alone_with_each_error_beside_its_field() {
    let monitor = Monitor::start().await;
    let beat = farm::heartbeat("atelier", 2, Vec::new(), &[("libx265", 61.0)]);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let (mut browser, _folder) = open(&monitor, "settings").await;
    browser.shows("compatible-h264").await;
    tab_to(&mut browser, ".create").await;
    browser.press("Enter").await;
    let offered = "document.querySelector('dialog [name=with]')?.value === 'any_hevc'";
    browser.until("what atelier has proved", offered).await;
    browser.types("ours").await;
    tab_to(&mut browser, "dialog [name=note]").await;
    browser.types("for the tests").await;
    tab_to(&mut browser, "dialog [data-group=picture] > summary").await;
    browser.press("Enter").await;
    tab_to(&mut browser, "dialog [name=filters]").await;
    browser.types("movie=x").await;
    browser.press("Enter").await;
    browser.shows("Filter 'movie' is not allowed").await;
    let at_fault = "document.querySelector('dialog [aria-invalid]')?.name === 'filters'";
    browser
        .until("the field at fault to be marked", at_fault)
        .await;
    let barriers = browser.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    browser.picture("preset").await;
    browser
        .evaluate("document.querySelector('dialog [name=filters]').select()")
        .await;
    browser.types("hqdn3d").await;
    tab_to(&mut browser, "dialog [name=arguments]").await;
    browser.types("g=240 tune=grain").await;
    browser.press("Enter").await;
    let words = "any hevc encoder, hqdn3d, g=240, tune=grain, mkv";
    presets(&monitor, "the preset to be kept", |presets| {
        ours(presets) == Some((words.to_owned(), "for the tests"))
    })
    .await;
    browser.shows(words).await;

    // Escape changes nothing.
    browser.click("[aria-label='Edit the preset ours']").await;
    browser.shows("What it is for").await;
    browser.press("Escape").await;
    browser
        .until(
            "the dialog to be gone",
            "!document.querySelector('dialog.preset')",
        )
        .await;
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presets_are_edited_chosen_as_the_default_and_removed() {
    let monitor = Monitor::start().await;
    let recipe = farm::job("a.mkv", "libx265", 1).recipe;
    let preset = Preset::new(recipe, Some("first")).expect("sound");
    let name = "ours".parse().expect("a name");
    let save = async |over| monitor.broker.save_preset(&name, &preset, over).await;
    save(Overwrite::Nothing).await.expect("saved");
    let (mut browser, _folder) = open(&monitor, "settings").await;
    browser.shows("libx265, mkv").await;

    browser.click("[aria-label='Edit the preset ours']").await;
    let encoder = "document.querySelector('dialog [name=with]')?.value === 'libx265'";
    browser.until("the form to hold the recipe", encoder).await;
    choose(&mut browser, "dialog [name=rate]", "quality").await;
    browser.click("dialog [name=amount]").await;
    browser.types("70").await;
    browser.press("Enter").await;
    presets(&monitor, "another quality", |presets| {
        ours(presets) == Some(("libx265, quality 70, mkv".to_owned(), "first"))
    })
    .await;
    browser.shows("libx265, quality 70, mkv").await;

    // Another person saves first, and that change is not lost.
    browser.click("[aria-label='Edit the preset ours']").await;
    browser.until("the form to hold the recipe", encoder).await;
    save(Overwrite::Anything).await.expect("saved");
    browser.click("dialog.preset [type=submit]").await;
    browser.shows("was changed or removed meanwhile").await;
    browser.press("Escape").await;
    presets(&monitor, "what the other saved", |presets| {
        ours(presets) == Some(("libx265, mkv".to_owned(), "first"))
    })
    .await;

    let offered = "[...document.querySelectorAll('form.default option')].some((option) => option.value === 'ours')";
    browser.until("the preset to be offered", offered).await;
    choose(&mut browser, "form.default select", "ours").await;
    browser.click("form.default button").await;
    presets(&monitor, "a default", |presets| {
        presets.default_name() == Some(&name)
    })
    .await;
    browser.shows("ours is the default recipe").await;
    let marked = "document.querySelector('[data-name=ours] .status').checkVisibility()";
    browser.until("the default to be marked", marked).await;
    browser.click("[aria-label='Remove the preset ours']").await;
    browser.click("dialog [type=submit][value=yes]").await;
    browser.shows("The preset 'ours' is the default").await;
    choose(&mut browser, "form.default select", "").await;
    browser.click("form.default button").await;
    presets(&monitor, "no default", |presets| {
        presets.default_name().is_none()
    })
    .await;
    let unmarked = "!document.querySelector('[data-name=ours] .status').checkVisibility()";
    browser.until("no default to be marked", unmarked).await;
    browser.click("[aria-label='Remove the preset ours']").await;
    browser.click("dialog [type=submit][value=yes]").await;
    presets(&monitor, "it to be gone", |presets| ours(presets).is_none()).await;
    browser.shows("Removed the preset ours").await;
    drop(browser);
    monitor.stop().await;
}

/// A recipe with a value for each field of the form, and parts that the form has no field for.
const FULL: &str = r#"{
    "video": {"encode": {
        "with": {"first_of": ["libx264", "h264_nvenc"]}, "rate": {"target": {"score": "ssim=0.97", "max_percent": 60}},
        "max_bitrate": "8M", "floor": "ssim=0.9", "speed": "slow", "bit_depth": 8, "hdr": "sdr", "tone_map": "bt2390",
        "chroma": "420", "crop": "2:2:0:0", "deinterlace": "auto", "detelecine": true, "denoise": "nlmeans:light",
        "sharpen": "strong", "deband": true, "rotate": "90:hflip", "frame_rate": "peak:30", "scale": "720p",
        "scale_up": true, "pad": "16:9", "lut": "file:///looks/a.cube", "filters": "eq", "arguments": ["g=240", "bf=2"],
        "watermark": {"picture": "file:///logos/a.png", "place": "center", "opacity_percent": 40}}},
    "audio": {"copy_else": {"encoder": "aac", "bitrate": "160k"}},
    "audio_tracks": {
        "languages": ["eng", "deu"], "downmix": "night", "loudness": "-16/7/-2",
        "rules": [{"commentary": true, "outputs": []}], "ensure": [{"encoder": "aac", "channels": 2}]},
    "subtitles": "keep",
    "subtitle_tracks": {"languages": ["eng"], "forced": "only", "sdh": "drop", "external": true, "extract": true},
    "companions": {"thumbnails": 3, "contact_sheet": true, "sprites": true, "preview": true},
    "captions": "srt", "trim": "10-20.5", "container": "mp4", "refuse_loss": ["chapters"], "strict_input": true
}"#;

/// What a recipe that is measured has no room for: burnt-in subtitles.
const BURNT: &str = r#"{
    "video": {"encode": {
        "with": {"codec": "hevc"}, "rate": {"quality": 60}, "crop": "2:2:0:0", "burn_in": "forced"}},
    "audio": "none", "subtitles": "none", "trim": "10-", "container": "mkv"
}"#;

/// Saves a preset as 'ours', and opens its form. `filled` tells that the form holds it.
async fn edit_ours(
    monitor: &Monitor,
    preset: &Preset,
    filled: &str,
) -> (Browser, tempfile::TempDir) {
    let name = "ours".parse().expect("a name");
    let saved = monitor
        .broker
        .save_preset(&name, preset, Overwrite::Nothing);
    saved.await.expect("saved");
    let (mut browser, folder) = open(monitor, "settings").await;
    browser.click("[aria-label='Edit the preset ours']").await;
    browser.until("the form to hold the preset", filled).await;
    (browser, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_that_is_saved_without_a_change_loses_no_part() {
    for recipe in [FULL, BURNT] {
        save_without_a_change(recipe).await;
    }
}

async fn save_without_a_change(recipe: &str) {
    let monitor = Monitor::start().await;
    let recipe: Recipe = serde_json::from_str(recipe).expect("a sound recipe");
    let preset = Preset::new(recipe.clone(), Some("all")).expect("sound");
    let name = "ours".parse().expect("a name");
    let filled = "document.querySelector('dialog [name=crop]')?.value === '2:2:0:0'";
    let (mut browser, _folder) = edit_ours(&monitor, &preset, filled).await;
    let barriers = browser.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    browser.picture("full-recipe").await;
    choose(&mut browser, "dialog [name=note]", "the same").await;
    browser.click("dialog.preset [type=submit]").await;
    presets(&monitor, "the new note", |presets| {
        let found = presets.find(&name).expect("it is there");
        found.preset.note.as_deref() == Some("the same")
    })
    .await;
    let presets = monitor.broker.presets().await.expect("an answer");
    let found = presets.find(&name).expect("it is there");
    assert_eq!(found.preset.recipe, recipe);
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watermark_is_taken_out_of_a_preset_and_its_renditions_are_changed() {
    let monitor = Monitor::start().await;
    let recipe = r#"{
        "video": {"encode": {"with": {"codec": "h264"}, "watermark": {
            "picture": "s3://media/logo.png", "place": "top-left", "width_percent": 10, "opacity_percent": 50}}},
        "audio": "none", "subtitles": "none", "container": "mkv"
    }"#;
    let recipe: Recipe = serde_json::from_str(recipe).expect("a sound recipe");
    let outputs = r#"{ "name": "{stem}-{height}", "renditions": ["720p"] }"#;
    let outputs: Outputs = serde_json::from_str(outputs).expect("outputs");
    let name = "ours".parse().expect("a name");
    let preset = Preset::new(recipe, Some("first")).expect("sound");
    let preset = preset.with_outputs(&name, outputs).expect("they fit");
    let filled = "document.querySelector('dialog [name=renditions]')?.value === '720p'";
    let (mut browser, _folder) = edit_ours(&monitor, &preset, filled).await;
    choose(&mut browser, "dialog [name=watermark]", "").await;
    choose(&mut browser, "dialog [name=renditions]", "720p, 360p").await;
    browser.click("dialog.preset [type=submit]").await;
    presets(&monitor, "the preset without a watermark", |presets| {
        let found = presets.find(&name).expect("it is there");
        let encode = found.preset.recipe.video_encode().expect("an encode");
        encode.watermark.is_none()
    })
    .await;
    let presets = monitor.broker.presets().await.expect("an answer");
    let outputs = &presets.find(&name).expect("it is there").preset.outputs;
    assert_eq!(outputs.renditions.len(), 2);
    let name = outputs.name.as_ref().map(ToString::to_string);
    assert_eq!(name.as_deref(), Some("{stem}-{height}"));
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_shortened_only_after_a_confirmation() {
    let monitor = Monitor::start().await;
    let (mut browser, _folder) = open(&monitor, "settings").await;
    browser.shows("Kept for 90 days").await;
    let days = async |browser: &mut Browser, days: &str| {
        browser.click("[name=days]").await;
        browser
            .evaluate("document.querySelector('[name=days]').select()")
            .await;
        browser.types(days).await;
        browser.press("Enter").await;
    };
    days(&mut browser, "30").await;
    browser.shows("cannot be brought back").await;
    browser.press("Escape").await;
    let set = async || monitor.broker.retention().await.expect("an answer").set;
    assert_eq!(set().await, None);
    days(&mut browser, "30").await;
    browser.click("dialog [type=submit][value=yes]").await;
    browser.shows("Kept for 30 days").await;
    assert_eq!(set().await, Days::try_from(30).ok());
    // A longer time needs no confirmation.
    days(&mut browser, "120").await;
    browser.shows("Kept for 120 days").await;
    let kept = monitor.broker.retention().await.expect("an answer");
    assert_eq!(kept.batches, Days::try_from(120).expect("days").duration());
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_standing_order_is_listed_and_taken_back() {
    let monitor = Monitor::start().await;
    let job = monitor.enqueue("a.mkv", "libx265").await;
    monitor.keep_batch(&job, "holidays").await;
    let target = |text: &str| -> Target { text.parse().expect("a target") };
    let of_batch = format!("batch.{}", job.batch);
    for (about, hours) in [
        ("queue.libx265", None),
        ("worker.atelier", Some("22:00-07:00")),
        (of_batch.as_str(), None),
    ] {
        let order = Order {
            paused: true,
            hours: hours.map(|hours| hours.parse().expect("hours")),
            since: Timestamp::now(),
        };
        let given = monitor
            .broker
            .give_order(&target(about), Some(&order))
            .await;
        given.expect("given");
    }
    let standing = async |wanted: usize| {
        harness::poll::until(&format!("{wanted} orders"), async || {
            let controls = monitor.broker.orders().await.ok()?;
            (controls.iter().count() == wanted).then_some(())
        })
        .await;
    };
    let (mut browser, _folder) = open(&monitor, "settings").await;
    browser.shows("Batch holidays").await;
    browser
        .shows("takes no more jobs · starts jobs 22:00-07:00")
        .await;
    browser.click("[aria-label='Resume Queue libx265']").await;
    standing(2).await;
    browser.click("[aria-label='Resume Batch holidays']").await;
    standing(1).await;
    browser
        .click("[data-page=settings] [aria-label='Hours of atelier']")
        .await;
    browser.shows("By its own clock").await;
    browser.types("20:00-08:00").await;
    browser.press("Enter").await;
    browser
        .shows("takes no more jobs · starts jobs 20:00-08:00")
        .await;
    browser.click("[aria-label='Resume atelier']").await;
    let resumed = "!document.querySelector('.orders').innerText.includes('takes no more jobs')";
    browser.until("the worker to go on", resumed).await;
    browser
        .click("[aria-label='Take back the hours of atelier']")
        .await;
    standing(0).await;
    browser.shows("Nothing is paused").await;
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_the_settings_and_get_no_buttons() {
    let (monitor, _file) = locked().await;
    let order = Order {
        paused: true,
        hours: None,
        since: Timestamp::now(),
    };
    let target: Target = "queue.libx265".parse().expect("a target");
    let given = monitor.broker.give_order(&target, Some(&order)).await;
    given.expect("given");
    let (mut browser, _folder) = open(&monitor, "settings").await;
    browser.shows("This monitor asks for a password").await;
    browser.types("look").await;
    browser.press("Enter").await;
    browser.shows("Queue libx265").await;
    browser.shows("Kept for 90 days").await;
    browser.shows("archive-hevc").await;
    let buttons =
        "[...document.querySelectorAll('[data-page=settings] :is(button, input, select)')]
        .filter((element) => element.checkVisibility() && !element.matches('.notify')).length === 0";
    browser.until("no buttons for readers", buttons).await;
    drop(browser);
    monitor.stop().await;
}
