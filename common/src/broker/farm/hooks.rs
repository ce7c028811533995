//! Hooks: who is told of what happens. They hold secrets, so they have a bucket of their own.

use crate::broker::farm::settings::Overwrite;
use crate::broker::nats::kv::KeyValue;
use crate::broker::{Broker, BrokerError};
use crate::names::similar::did_you_mean;
use crate::names::subject;
use crate::names::subject::{HOOKS, HOOKS_CHANGED, NOTIFICATIONS};
use crate::names::token::Token;
use crate::notify::hook::{Hook, SavedHook};
use crate::wire;

/// Most hooks of a farm: each may be waited for at once.
const MOST: usize = 50;

/// Why a hook was not changed.
#[derive(Debug, thiserror::Error)]
pub enum HookStoreError {
    /// The request to the broker failed.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// There is no hook of that name.
    #[error("there is no hook '{name}': {known}")]
    Unknown {
        /// The name.
        name: Token,
        /// The hooks that there are, in words.
        known: String,
    },
    /// There is a hook of that name already.
    #[error("there is a hook '{0}' already")]
    Taken(Token),
    /// Another program changed or removed the hook meanwhile.
    #[error("the hook '{0}' was changed or removed meanwhile: look at it again, then decide")]
    Changed(Token),
    /// There are too many.
    #[error("a farm has at most {MOST} hooks: remove one first")]
    TooMany,
}

impl Broker {
    /// Every hook, by name.
    pub async fn hooks(&self) -> Result<Vec<SavedHook>, BrokerError> {
        let saved = match self.nats.values(HOOKS, "").await {
            // A farm that was set up by older programs.
            Err(_) if self.nats.lacks(&subject::bucket(HOOKS)).await => Vec::new(),
            saved => saved?,
        };
        let hook = |saved: KeyValue<Hook>| {
            Some(SavedHook {
                name: saved.key.parse().ok()?,
                hook: saved.value,
                revision: saved.revision,
            })
        };
        let mut hooks: Vec<SavedHook> = saved.into_iter().filter_map(hook).collect();
        hooks.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(hooks)
    }

    /// The hook of that name.
    ///
    /// # Errors
    /// There is none; the error lists the existing ones.
    pub async fn hook(&self, name: &Token) -> Result<SavedHook, HookStoreError> {
        let mut hooks = self.hooks().await?;
        match hooks.iter().position(|saved| saved.name == *name) {
            Some(index) => Ok(hooks.swap_remove(index)),
            None => {
                let names: Vec<&str> = hooks.iter().map(|saved| saved.name.as_str()).collect();
                let known = match names.is_empty() {
                    true => "there is none".to_owned(),
                    false => format!(
                        "{}there are {}",
                        did_you_mean(name.as_str(), &names),
                        names.join(", ")
                    ),
                };
                Err(HookStoreError::Unknown {
                    name: name.clone(),
                    known,
                })
            }
        }
    }

    /// Saves a hook; returns its new revision.
    ///
    /// # Errors
    /// There is a hook that `over` does not allow to replace, or there are too many.
    pub async fn save_hook(
        &self,
        name: &Token,
        hook: &Hook,
        over: Overwrite,
    ) -> Result<u64, HookStoreError> {
        let known = self.hooks().await?;
        if known.len() >= MOST && known.iter().all(|saved| saved.name != *name) {
            return Err(HookStoreError::TooMany);
        }
        let what = format!("saving the hook {name}");
        let (key, value) = (name.as_str(), wire::encode(hook));
        let written = match over {
            Overwrite::Nothing => self.nats.create(HOOKS, key, value, &what).await,
            Overwrite::Revision(revision) => {
                self.nats.replace(HOOKS, key, value, revision, &what).await
            }
            Overwrite::Anything => self.nats.put(HOOKS, key, value, &what).await,
        };
        let revision = written.map_err(|error| match over {
            Overwrite::Nothing if error.is_conflict() => HookStoreError::Taken(name.clone()),
            _ if error.is_conflict() => HookStoreError::Changed(name.clone()),
            _ => error.into(),
        })?;
        // What became of messages to the hook before says nothing of this one.
        self.forget_health(name).await?;
        Ok(revision)
    }

    /// Removes a hook; with `revision` only if that is its current revision.
    ///
    /// # Errors
    /// There is no such hook, or it was changed meanwhile.
    pub async fn remove_hook(
        &self,
        name: &Token,
        revision: Option<u64>,
    ) -> Result<(), HookStoreError> {
        let saved = self.hook(name).await?;
        let what = format!("removing the hook {name}");
        let revision = Some(revision.unwrap_or(saved.revision));
        let removed = self.nats.remove_key(HOOKS, name.as_str(), revision, &what);
        removed.await.map_err(|error| match error.is_conflict() {
            true => HookStoreError::Changed(name.clone()),
            false => error.into(),
        })?;
        Ok(self.forget_health(name).await?)
    }

    async fn forget_health(&self, hook: &Token) -> Result<(), BrokerError> {
        let key = subject::hook_health(hook);
        let what = format!("forgetting how the hook {hook} was");
        self.nats.remove_key(NOTIFICATIONS, &key, None, &what).await
    }

    /// Messages that come each time somebody writes a hook. One that is lost is made up for by reading hooks now and
    /// then.
    pub async fn hook_notices(&self) -> Result<async_nats::Subscriber, BrokerError> {
        self.subscribe("subscribing to changes of hooks", HOOKS_CHANGED)
            .await
    }
}
