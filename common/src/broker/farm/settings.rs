//! A farm's settings on the broker: presets, the default among them, and how
//! long history is kept.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::broker::nats::kv::Kept;
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
    /// Nothing: it must be new.
    Nothing,
    /// What was read, under this revision, and nothing that came after it.
    Revision(u64),
    /// Whatever is there.
    Anything,
}

/// A setting cannot be changed like that.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The broker does not do its part.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// No preset goes by the name.
    #[error(transparent)]
    Unknown(#[from] UnknownPreset),
    /// One goes by it already.
    #[error("there is a preset '{0}' already")]
    Taken(Token),
    /// Somebody was quicker.
    #[error("the preset '{0}' was changed or removed meanwhile: look at it again, then decide")]
    Changed(Token),
    /// Nobody saved it, so nobody can remove it.
    #[error("the preset '{0}' is built in: it stays, and saving one of that name takes its place")]
    BuiltIn(Token),
    /// Jobs would be left without a recipe.
    #[error("the preset '{0}' is the default: choose another one, or none, before it is removed")]
    IsDefault(Token),
}

impl Broker {
    /// Every preset, and the name of the default.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn presets(&self) -> Result<Presets, BrokerError> {
        let saved = self.nats.values(SETTINGS, PRESETS).await?;
        let preset =
            |saved: Kept<Preset>| Some((saved.key.parse().ok()?, saved.value, saved.revision));
        let default = self.setting(DEFAULT_PRESET).await?;
        Ok(Presets::new(saved.into_iter().filter_map(preset), default))
    }

    /// Saves a preset; gives the revision that stands for it.
    ///
    /// # Errors
    /// Where that would replace more than it may, or the broker gives no answer.
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

    /// Removes a saved preset, of this revision where one is given. Jobs keep
    /// the recipe that they were made with.
    ///
    /// Whoever makes it the default at this very moment makes a default that is
    /// not there: that is said wherever it is used.
    ///
    /// # Errors
    /// Where there is none, it is the default, or was changed meanwhile.
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

    /// Makes a preset the default of jobs where nothing else says how; `None`
    /// leaves no default. In place of the one before, whoever set that.
    ///
    /// # Errors
    /// Where there is no such preset, or the broker gives no answer.
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

    /// How long history is kept.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn retention(&self) -> Result<Retention, BrokerError> {
        let [events, batches] = history_streams();
        Ok(Retention {
            set: self.setting(RETENTION).await?,
            events: max_age(&self.stream_config(&events).await?),
            batches: max_age(&self.stream_config(&batches).await?),
        })
    }

    /// Keeps history for so many days from now on; what is older goes at once.
    /// Everything else that an operator set on the streams stays. Broken off
    /// halfway, it is finished by being asked for again.
    ///
    /// # Errors
    /// Where the broker gives no answer, or refuses.
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

    /// The days that history is kept in a farm whose streams are yet to be made.
    pub(crate) async fn retention_to_be(&self) -> Result<Days, BrokerError> {
        Ok(self.setting(RETENTION).await?.unwrap_or(Days::DEFAULT))
    }

    /// A stream's configuration as the server tells it: in its own words, so
    /// that what this client has never heard of survives an update.
    async fn stream_config(&self, stream: &str) -> Result<Value, BrokerError> {
        let what = format!("looking at the stream {stream}");
        let verb = format!("STREAM.INFO.{stream}");
        let mut info: Value = self.nats.api(&what, verb, &json!({})).await?;
        Ok(info["config"].take())
    }

    /// The value of one setting; `None` where nobody set it.
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
