//! A new job, from its files to the queue.

use common::job::replacement::HardLinks;
use common::job::sidecar::Sidecars;
use common::job::split::Split;
use harness::browser::Browser;

use super::{choose, keep_alive, open};
use crate::api::create::with_films;
use crate::farm;

#[tokio::test(flavor = "multi_thread")]
async fn a_film_is_chosen_planned_and_enqueued() {
    let (monitor, _films) = with_films().await;
    let beat = farm::heartbeat("atelier", 2, Vec::new(), &[("libx265", 61.0)]);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let (mut browser, _folder) = open(&monitor, "").await;
    browser.shows("atelier").await;
    browser.click(".sections a[href='#/new']").await;
    browser.click(".entries li:first-child button").await;
    browser.shows("Nosferatu.avi").await;
    browser.click(".entries li:last-child input").await;
    browser.shows("1 file, 4 B").await;
    browser.shows("score").await;
    let barriers = browser.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");

    // An impossible recipe shows an error at once, and cannot be sent.
    choose(&mut browser, ".new-jobs [name=container]", "webm").await;
    browser.shows("Webm cannot hold hevc").await;
    browser
        .until(
            "no way to send it",
            "document.querySelector('.new-jobs [type=submit]').disabled",
        )
        .await;
    choose(&mut browser, ".new-jobs [name=container]", "mp4").await;
    browser
        .until(
            "a way to send it",
            "!document.querySelector('.new-jobs [type=submit]').disabled",
        )
        .await;
    // A rule that is misspelt enqueues nothing.
    choose(&mut browser, ".new-jobs [name=skip-if]", "heigt <= 1080").await;
    browser.click(".new-jobs button[type='submit']").await;
    browser.shows("did you mean height?").await;
    let rule = "codec in [hevc, av1] and height <= 1080";
    choose(&mut browser, ".new-jobs [name=skip-if]", rule).await;
    choose(&mut browser, ".new-jobs [name=min-saving]", "10").await;
    browser.picture("new").await;
    browser.click(".new-jobs button[type='submit']").await;
    browser.shows("Enqueued: 1 job").await;
    browser.shows("1–1 of 1 job").await;
    let (waiting, _) = monitor.broker.queued(None, 1, 10).await.expect("an answer");
    let output = waiting[0].job.output.key();
    assert!(output.ends_with("/encoded/films/Nosferatu.mp4"), "{output}");
    let rules = &waiting[0].job.rules;
    let condition = rules.skip_if.as_ref().map(ToString::to_string);
    assert_eq!(
        condition.as_deref(),
        Some("video.codec in [hevc, av1] and height <= 1080")
    );
    assert_eq!(rules.min_saving.map(|saving| saving.percent()), Some(10));
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_starts_from_a_preset_and_is_saved_as_one() {
    let (monitor, _films) = with_films().await;
    let proved = [("libx265", 61.0), ("hevc_nvenc", 300.0)];
    let beat = farm::heartbeat("atelier", 2, Vec::new(), &proved);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let default = "small-av1".parse().expect("a name");
    let set = monitor.broker.set_default_preset(Some(&default)).await;
    set.expect("built in");
    let (mut browser, _folder) = open(&monitor, "new").await;
    let holds = |name: &str, value: &str| {
        format!("document.querySelector('.new-jobs [name={name}]').value === '{value}'")
    };
    // The farm's default is in the form from the start.
    browser
        .until("the default", &holds("audio", "libopus"))
        .await;
    let offered = "Boolean(document.querySelector('.new-jobs [name=with] [value=hevc_nvenc]'))";
    browser.until("what there is to choose from", offered).await;
    let say = async |browser: &mut Browser, name: &str, value: &str| {
        choose(browser, &format!(".new-jobs [name={name}]"), value).await;
    };
    say(&mut browser, "start", "archive-hevc").await;
    browser.until("its bits", &holds("bit_depth", "10")).await;
    browser.until("its rate", &holds("amount", "65")).await;
    say(&mut browser, "with", "hevc_nvenc").await;
    say(&mut browser, "else", "libx265").await;
    browser.shows("Fallback after, minutes").await;
    say(&mut browser, "rate", "crf").await;
    say(&mut browser, "amount", "99").await;
    browser.shows("hevc_nvenc cannot work at --crf 99").await;
    say(&mut browser, "amount", "24").await;
    say(&mut browser, "audio", "aac").await;
    say(&mut browser, "bitrate", "abc").await;
    browser.shows("no bitrate").await;
    let at_fault = "document.querySelector('.new-jobs [name=bitrate]').matches('[aria-invalid]')";
    browser
        .until("the field at fault to be marked", at_fault)
        .await;
    say(&mut browser, "audio", "else:aac").await;
    say(&mut browser, "bitrate", "160k").await;
    say(&mut browser, "subtitles", "none").await;
    let enlarging = "document.querySelector('.new-jobs [name=scale_up]').disabled";
    browser.until("nothing to enlarge to", enlarging).await;
    say(&mut browser, "scale", "720p").await;
    say(&mut browser, "scale_up", "true").await;
    say(&mut browser, "captions", "srt").await;
    say(&mut browser, "strict_input", "true").await;
    browser
        .evaluate(
            "document.querySelectorAll('.new-jobs details').forEach((part) => (part.open = true))",
        )
        .await;
    browser
        .click(".new-jobs [name=refuse_loss][value=dolby_vision]")
        .await;
    browser
        .click(".new-jobs [name=refuse_loss][value=chapters]")
        .await;
    say(&mut browser, "arguments", "g=240").await;
    browser.shows("score").await;
    let barriers = browser.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    browser.picture("recipe").await;

    browser.click(".new-jobs .save").await;
    browser.shows("What it is for").await;
    browser.types("both").await;
    browser.press("Enter").await;
    browser.shows("Saved the preset both").await;
    let presets = monitor.broker.presets().await.expect("an answer");
    let saved = presets
        .find(&"both".parse().expect("a name"))
        .expect("saved");
    let recipe = saved.preset.recipe.clone();
    assert_eq!(
        recipe.to_string(),
        format!(
            "hevc_nvenc, else libx265, CRF 24, 10 bits, {}, enlarging, g=240, audio copied, else aac 160 kbit/s, \
             no subtitles, captions as subtitles, mkv, no loss of chapters or dolby_vision, undamaged inputs only",
            "720p".parse::<common::recipe::Scale>().expect("a size")
        )
    );
    // A preset fills the form again as it was saved.
    say(&mut browser, "start", "archive-hevc").await;
    browser
        .until("another recipe", &holds("captions", ""))
        .await;
    let boxes = "document.querySelectorAll('.new-jobs [name=refuse_loss]:checked').length";
    browser
        .until("nothing refused", &format!("{boxes} === 0"))
        .await;
    say(&mut browser, "start", "both").await;
    for (name, value) in [
        ("captions", "srt"),
        ("strict_input", "true"),
        ("scale_up", "true"),
        ("audio", "else:aac"),
    ] {
        browser.until(name, &holds(name, value)).await;
    }
    browser.until("two kinds", &format!("{boxes} === 2")).await;

    browser.click(".entries li:first-child button").await;
    browser.shows("Nosferatu.avi").await;
    browser.click(".entries li:last-child input").await;
    say(&mut browser, "hop", "15").await;
    let ready = "!document.querySelector('.new-jobs [type=submit]').disabled";
    browser.until("a way to send it", ready).await;
    browser.click(".new-jobs [type=submit]").await;
    browser.shows("Enqueued: 1 job").await;
    let (waiting, _) = monitor.broker.queued(None, 1, 10).await.expect("an answer");
    assert_eq!(waiting[0].job.recipe, recipe);
    let fallbacks = waiting[0].job.fallbacks.clone().expect("it may hop");
    assert_eq!(fallbacks.after, 15 * 60);
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_of_renditions_makes_all_of_them() {
    let (monitor, _films) = with_films().await;
    let beat = farm::heartbeat("atelier", 2, Vec::new(), &[("libx264", 61.0)]);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let (mut browser, _folder) = open(&monitor, "new").await;
    let holds = |name: &str, value: &str| {
        format!("document.querySelector('.new-jobs [name={name}]').value === '{value}'")
    };
    let offered = "Boolean(document.querySelector('.new-jobs [name=start] [value=web-ladder]'))";
    browser.until("the presets", offered).await;
    choose(&mut browser, ".new-jobs [name=start]", "web-ladder").await;
    let sizes = "1080p:5M 720p:2800k 480p:1200k";
    browser
        .until("its sizes", &holds("renditions", sizes))
        .await;

    // Renditions that have one name are refused before anything is sent.
    choose(&mut browser, ".new-jobs [name=template]", "{stem}").await;
    browser.shows("would both be named").await;
    choose(
        &mut browser,
        ".new-jobs [name=template]",
        "{stem}/{preset}-{height}",
    )
    .await;
    browser.click(".entries li:first-child button").await;
    browser.shows("Nosferatu.avi").await;
    browser.click(".entries li:last-child input").await;
    let ready = "!document.querySelector('.new-jobs [type=submit]').disabled";
    browser.until("a way to send it", ready).await;

    // As a preset, the recipe keeps them.
    browser.click(".new-jobs .save").await;
    browser.shows("What it is for").await;
    browser.types("sizes").await;
    browser.press("Enter").await;
    browser.shows("Saved the preset sizes").await;
    let presets = monitor.broker.presets().await.expect("an answer");
    let saved = presets.find(&"sizes".parse().expect("a name"));
    let outputs = saved.expect("saved").preset.outputs.clone();
    let name = outputs.name.as_ref().map(ToString::to_string);
    assert_eq!(name.as_deref(), Some("{stem}/{preset}-{height}"));
    assert_eq!(outputs.renditions.len(), 3);

    browser.until("a way to send it", ready).await;
    browser.click(".new-jobs [type=submit]").await;
    browser.shows("Enqueued: 3 jobs").await;
    let (waiting, _) = monitor.broker.queued(None, 1, 10).await.expect("an answer");
    let mut names: Vec<String> = waiting
        .iter()
        .map(|waiting| waiting.job.output.name())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "web-ladder-1080.mp4",
            "web-ladder-480.mp4",
            "web-ladder-720.mp4"
        ]
    );
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_is_given_to_one_worker_alone() {
    let (monitor, _films) = with_films().await;
    let beat = farm::heartbeat("atelier", 2, Vec::new(), &[("libx265", 61.0)]);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let (mut browser, _folder) = open(&monitor, "new").await;
    browser.shows("atelier alone").await;
    browser.shows("Choose at least one file.").await;
    browser
        .evaluate("document.querySelector('.new-jobs [name=worker]').value = 'atelier'")
        .await;
    browser.click(".entries li:first-child button").await;
    browser.shows("Nosferatu.avi").await;
    browser.click(".entries li:last-child input").await;
    let ready = "!document.querySelector('.new-jobs [type=submit]').disabled";
    browser.until("a way to send it", ready).await;
    browser.click(".new-jobs [type=submit]").await;
    browser.shows("Enqueued: 1 job").await;
    let (waiting, _) = monitor.broker.queued(None, 1, 10).await.expect("an answer");
    assert_eq!(waiting[0].queue.to_string(), "on_atelier");
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_go_to_the_places_of_the_originals() {
    let (monitor, films) = with_films().await;
    let beat = farm::heartbeat("atelier", 2, Vec::new(), &[("libx265", 61.0)]);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let (mut browser, _folder) = open(&monitor, "new").await;
    browser.click(".entries li:first-child button").await;
    browser.shows("Nosferatu.avi").await;
    browser.click(".entries li:last-child input").await;
    browser.shows("Output folder").await;
    choose(&mut browser, ".new-jobs [name=results]", "replace").await;
    browser.shows("goes to a trash for 30 days, and Undo").await;
    let hidden = "document.querySelector('.new-jobs [name=output]').closest('label').hidden";
    browser.until("no output folder", hidden).await;
    let barriers = browser.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    choose(&mut browser, ".new-jobs [name=days]", "7").await;
    choose(&mut browser, ".new-jobs [name=hard-links]", "replace").await;
    choose(&mut browser, ".new-jobs [name=sidecars]", "leave").await;
    choose(&mut browser, ".new-jobs [name=split]", "every").await;
    choose(&mut browser, ".new-jobs [name=chunk]", "45").await;
    let bin = films.path().join("bin");
    let trash = bin.to_str().expect("text");
    choose(&mut browser, ".new-jobs [name=trash]", trash).await;
    // What is chosen is kept while another page is shown.
    browser.click(".sections a[href='#/jobs']").await;
    browser.click(".sections a[href='#/new']").await;
    browser.shows("goes to a trash for 7 days").await;
    let ready = "!document.querySelector('.new-jobs [type=submit]').disabled";
    browser.until("a way to send it", ready).await;
    browser.click(".new-jobs [type=submit]").await;
    browser.shows("Enqueued: 1 job").await;
    let (waiting, _) = monitor.broker.queued(None, 1, 10).await.expect("an answer");
    let job = &waiting[0].job;
    assert_eq!(job.output.folder(), job.input.location.folder());
    assert_eq!(job.output.name(), "Nosferatu.mkv");
    let replacement = job.replacement.as_ref().expect("it replaces its source");
    assert_eq!(replacement.days, 7);
    assert_eq!(replacement.hard_links, HardLinks::Replace);
    assert_eq!(job.sidecars, Sidecars::Leave);
    assert_eq!(job.split, Split::Every(45));
    let trash = bin.join(".ffmpeg-easy-trash");
    assert_eq!(replacement.trash.path(), Some(trash));
    drop(browser);
    monitor.stop().await;
}
