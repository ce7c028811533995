//! The farm's presets and the retention of its history.

use std::time::Duration;

use common::broker::{Broker, Overwrite, SettingsError};
use common::farm::retention::Days;
use common::names::subject::{BATCHES, EVENTS};
use common::names::token::Token;
use common::recipe::Recipe;
use common::recipe::preset::Preset;

use super::{connect, job, start};

fn token(text: &str) -> Token {
    text.parse().expect("a name")
}

fn preset(note: &str) -> Preset {
    let recipe: Recipe = job("a").recipe;
    Preset::new(recipe, Some(note)).expect("sound")
}

async fn note(broker: &Broker, name: &str) -> String {
    let presets = broker.presets().await.expect("an answer");
    let found = presets.find(&token(name)).expect("it is there");
    found.preset.note.clone().unwrap_or_default()
}

#[tokio::test]
async fn a_preset_is_replaced_only_at_its_known_revision() {
    let (_server, broker, _) = start().await;
    let name = token("ours");
    let save = async |note: &str, over| broker.save_preset(&name, &preset(note), over).await;
    let first = save("one", Overwrite::Nothing).await.expect("it is new");
    let taken = save("two", Overwrite::Nothing).await;
    assert!(matches!(taken, Err(SettingsError::Taken(_))), "{taken:?}");
    let second = save("two", Overwrite::Revision(first))
        .await
        .expect("known");
    // The client that read the first version does not know the second.
    let late = save("late", Overwrite::Revision(first)).await;
    assert!(matches!(late, Err(SettingsError::Changed(_))), "{late:?}");
    let late = broker.remove_preset(&name, Some(first)).await;
    assert!(matches!(late, Err(SettingsError::Changed(_))), "{late:?}");
    assert_eq!(note(&broker, "ours").await, "two");
    save("three", Overwrite::Anything)
        .await
        .expect("whatever it was");
    assert_eq!(note(&broker, "ours").await, "three");
    let gone = broker.remove_preset(&name, Some(second)).await;
    assert!(matches!(gone, Err(SettingsError::Changed(_))), "{gone:?}");
    broker.remove_preset(&name, None).await.expect("removed");
    let gone = broker.remove_preset(&name, None).await;
    assert!(matches!(gone, Err(SettingsError::Unknown(_))), "{gone:?}");
    save("four", Overwrite::Nothing)
        .await
        .expect("it is new again");
}

#[tokio::test]
async fn the_default_preset_cannot_be_removed() {
    let (_server, broker, _) = start().await;
    let default = async || {
        let presets = broker.presets().await.expect("an answer");
        let found = presets.default_preset().expect("it is there");
        found.map(|found| found.name.to_string())
    };
    assert_eq!(default().await, None);
    let unknown = broker.set_default_preset(Some(&token("ours"))).await;
    assert!(
        matches!(unknown, Err(SettingsError::Unknown(_))),
        "{unknown:?}"
    );
    let save = async |name: &str| {
        let (name, preset) = (token(name), preset(""));
        let saved = broker.save_preset(&name, &preset, Overwrite::Nothing).await;
        saved.expect("saved");
    };
    save("ours").await;
    let ours = token("ours");
    broker.set_default_preset(Some(&ours)).await.expect("set");
    assert_eq!(default().await.as_deref(), Some("ours"));
    let held = broker.remove_preset(&ours, None).await;
    assert!(matches!(held, Err(SettingsError::IsDefault(_))), "{held:?}");

    // A built-in preset cannot be removed, so it may be the default, also with a saved version over it.
    let built_in = token("small-av1");
    let stays = broker.remove_preset(&built_in, None).await;
    assert!(matches!(stays, Err(SettingsError::BuiltIn(_))), "{stays:?}");
    broker
        .set_default_preset(Some(&built_in))
        .await
        .expect("set");
    save("small-av1").await;
    broker
        .remove_preset(&built_in, None)
        .await
        .expect("removed");
    assert_eq!(default().await.as_deref(), Some("small-av1"));
    broker.remove_preset(&ours, None).await.expect("free");
    broker.set_default_preset(None).await.expect("taken back");
    broker
        .set_default_preset(None)
        .await
        .expect("none as it was");
    assert_eq!(default().await, None);
}

#[tokio::test]
async fn history_is_kept_for_the_set_time_and_other_settings_stay() {
    let (server, broker, _) = start().await;
    let kept = async |broker: &Broker| broker.retention().await.expect("an answer");
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    let fresh = kept(&broker).await;
    assert_eq!(
        (fresh.set, fresh.events, fresh.batches),
        (None, days(90), days(90))
    );

    // A limit of an operator's own, which the farm does not know.
    let mut events = broker.jetstream().get_stream(EVENTS).await.expect("made");
    let mut config = events.info().await.expect("an answer").config.clone();
    config.max_bytes = 123_456_789;
    broker
        .jetstream()
        .update_stream(&config)
        .await
        .expect("set");
    let thirty: Days = "30".parse().expect("days");
    broker.set_retention(thirty).await.expect("set");
    let now = kept(&broker).await;
    assert_eq!(
        (now.set, now.events, now.batches),
        (Some(thirty), days(30), days(30))
    );
    config.max_age = days(30);
    let found = events.info().await.expect("an answer").config.clone();
    assert_eq!(found, config);

    // The next program that sets up the farm leaves that limit alone, and makes what is missing.
    let runs_before = stream_config(&broker, "KV_runs").await;
    let batches = format!("KV_{BATCHES}");
    broker
        .jetstream()
        .delete_stream(&batches)
        .await
        .expect("gone");
    let (next, _) = connect(&server.0).await;
    assert_eq!(kept(&next).await, now);
    assert_eq!(stream_config(&next, EVENTS).await, config);
    assert_eq!(
        runs_before.max_age,
        Duration::ZERO,
        "runs are kept for good"
    );
}

async fn stream_config(broker: &Broker, name: &str) -> async_nats::jetstream::stream::Config {
    let stream = broker.jetstream().get_stream(name).await.expect("made");
    stream.cached_info().config.clone()
}
