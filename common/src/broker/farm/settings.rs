//! A farm's settings on the broker: presets, the default preset, and how long history is kept.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::broker::nats::kv::KeyValue;
use crate::broker::{Broker, BrokerError};
use crate::farm::retention::{Days, Retention};
use crate::names::subject;
use crate::names::subject::{BATCHES, DEFAULT_PRESET, EVENTS, PRESETS, RETENTION, SETTINGS};
use crate::names::token::Token;
use crate::recipe::preset::{Preset, Presets, UnknownPreset};
use crate::wire;

/// What a write may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    /// The key must hold no value.
    Nothing,
    /// The value of this revision, as the caller has read it.
    Revision(u64),
    /// Any value.
    Anything,
}

/// Why a setting was not changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The request to the broker failed.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// There is no preset of that name.
    #[error(transparent)]
    Unknown(#[from] UnknownPreset),
    /// There is a preset of that name already.
    #[error("there is a preset '{0}' already")]
    Taken(Token),
    /// Another program changed or removed the preset meanwhile.
    #[error("the preset '{0}' was changed or removed meanwhile: look at it again, then decide")]
    Changed(Token),
    /// A built-in preset cannot be removed.
    #[error("the preset '{0}' is built in: it stays, and saving one of that name takes its place")]
    BuiltIn(Token),
    /// The default preset cannot be removed: jobs would be left without a recipe.
    #[error("the preset '{0}' is the default: choose another one, or none, before it is removed")]
    IsDefault(Token),
}

impl Broker {
    /// Every preset, and the name of the default.
    pub async fn presets(&self) -> Result<Presets, BrokerError> {
        let saved = self.nats.values(SETTINGS, PRESETS).await?;
        let preset =
            |saved: KeyValue<Preset>| Some((saved.key.parse().ok()?, saved.value, saved.revision));
        let default = self.setting(DEFAULT_PRESET).await?;
        Ok(Presets::new(saved.into_iter().filter_map(preset), default))
    }

    /// Saves a preset; returns its new revision.
    ///
    /// # Errors
    /// There is a preset that `over` does not allow to replace.
    pub async fn save_preset(
        &self,
        name: &Token,
        preset: &Preset,
        over: Overwrite,
    ) -> Result<u64, SettingsError> {
        let what = format!("saving the preset {name}");
        let (key, value) = (subject::preset(name), wire::encode(preset));
        let written = match over {
            Overwrite::Nothing => self.nats.create(SETTINGS, &key, value, &what).await,
            Overwrite::Revision(revision) => {
                let nats = &self.nats;
                nats.replace(SETTINGS, &key, value, revision, &what).await
            }
            Overwrite::Anything => self.nats.put(SETTINGS, &key, value, &what).await,
        };
        written.map_err(|error| match over {
            Overwrite::Nothing if error.is_conflict() => SettingsError::Taken(name.clone()),
            _ => changed(name, error),
        })
    }

    /// Removes a saved preset; with `revision` only if that is its current revision. Jobs keep their recipes.
    ///
    /// If another program makes the preset the default at the same moment, the default names a missing preset; every
    /// use of it says so.
    ///
    /// # Errors
    /// There is no such preset, it is built in or the default, or it was changed meanwhile.
    pub async fn remove_preset(
        &self,
        name: &Token,
        revision: Option<u64>,
    ) -> Result<(), SettingsError> {
        let presets = self.presets().await?;
        let found = presets.find(name)?;
        let Some(saved) = found.revision else {
            return Err(SettingsError::BuiltIn(name.clone()));
        };
        if !found.built_in && presets.default_name() == Some(name) {
            return Err(SettingsError::IsDefault(name.clone()));
        }
        let what = format!("removing the preset {name}");
        let revision = Some(revision.unwrap_or(saved));
        self.nats
            .remove_key(SETTINGS, &subject::preset(name), revision, &what)
            .await
            .map_err(|error| changed(name, error))
    }

    /// Sets or clears (`None`) the default preset, which jobs use if no option names an encoder.
    ///
    /// # Errors
    /// There is no preset of that name.
    pub async fn set_default_preset(&self, name: Option<&Token>) -> Result<(), SettingsError> {
        let what = "setting the default preset";
        match name {
            Some(name) => {
                self.presets().await?.find(name)?;
                let value = wire::encode(name);
                self.nats.put(SETTINGS, DEFAULT_PRESET, value, what).await?;
            }
            None => {
                self.nats
                    .remove_key(SETTINGS, DEFAULT_PRESET, None, what)
                    .await?;
            }
        }
        Ok(())
    }

    /// How long history is kept: as set, and as the streams have it.
    pub async fn retention(&self) -> Result<Retention, BrokerError> {
        let [events, batches] = history_streams();
        Ok(Retention {
            set: self.setting(RETENTION).await?,
            events: max_age(&self.stream_config(&events).await?),
            batches: max_age(&self.stream_config(&batches).await?),
        })
    }

    /// Sets how many days history is kept; older history is deleted at once. All other settings of the streams stay.
    /// If this is interrupted, setting the days again finishes it.
    pub async fn set_retention(&self, days: Days) -> Result<(), BrokerError> {
        let what = "setting how long history is kept";
        let value = wire::encode(&days);
        self.nats.put(SETTINGS, RETENTION, value, what).await?;
        for stream in history_streams() {
            let mut config = self.stream_config(&stream).await?;
            config["max_age"] = json!(days.duration().as_nanos());
            let verb = format!("STREAM.UPDATE.{stream}");
            self.nats.api::<Value>(what, verb, &config).await?;
        }
        Ok(())
    }

    /// The days for which a farm keeps history whose streams are yet to be made.
    pub(crate) async fn retention_to_be(&self) -> Result<Days, BrokerError> {
        Ok(self.setting(RETENTION).await?.unwrap_or(Days::DEFAULT))
    }

    /// A stream's configuration as the server's JSON, so that fields that this client does not know survive an
    /// update.
    async fn stream_config(&self, stream: &str) -> Result<Value, BrokerError> {
        let what = format!("looking at the stream {stream}");
        let verb = format!("STREAM.INFO.{stream}");
        let mut info: Value = self.nats.api(&what, verb, &json!({})).await?;
        Ok(info["config"].take())
    }

    /// The value of one setting; `None` if it is not set.
    async fn setting<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, BrokerError> {
        let what = format!("reading the setting {key}");
        self.nats.confirmed_value(SETTINGS, key, &what).await
    }
}

/// The streams that hold history.
fn history_streams() -> [String; 2] {
    [EVENTS.to_owned(), subject::bucket(BATCHES)]
}

fn max_age(config: &Value) -> Duration {
    Duration::from_nanos(config["max_age"].as_u64().unwrap_or_default())
}

fn changed(name: &Token, error: BrokerError) -> SettingsError {
    if error.is_conflict() {
        return SettingsError::Changed(name.clone());
    }
    error.into()
}
