//! Hooks: who is told of what, as a person saved it.

use std::collections::BTreeSet;

use base64::prelude::{BASE64_STANDARD, Engine};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::printable::printable;
use crate::names::token::Token;
use crate::notify::event::EventKind;
use crate::notify::occurrence::Occurrence;
use crate::notify::secret::Secret;
use crate::notify::target::{Target, TargetError, WebTarget};
use crate::notify::template::built_in::Name;
use crate::notify::template::{Placeholder, Template, TemplateChoice, TemplateError};
use crate::wire;

/// A hook, stored in the bucket `hooks` under its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hook {
    /// The address, with its secrets.
    pub url: Secret,
    /// The events that it is told of.
    pub on: BTreeSet<EventKind>,
    /// The form of the request; `None` for the form that the address stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateChoice>,
    /// What messages are signed with; `None` signs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// The only batch label or library that it is told of; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// When it was saved. It is told of nothing that happened before.
    pub added: Timestamp,
}

impl wire::Message for Hook {}

/// Why a hook cannot be saved.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// Its address is none.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Its template cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// It is told of nothing.
    #[error("a hook is told of at least one event: {}", EventKind::ALL.map(EventKind::as_str).join(", "))]
    NoEvent,
    /// The template needs a key and the address has none.
    #[error("the template {0} needs a key, and the address has none: https://KEY@HOST")]
    NoKey(String),
    /// The template needs a topic and the address has none.
    #[error(
        "the template {0} needs a topic, and the address has none: use ntfy://HOST/TOPIC or ntfys://HOST/TOPIC"
    )]
    NoTopic(String),
    /// Mails have no template.
    #[error("a mail has no template: it holds the title and the text")]
    MailTemplate,
    /// Mails are not signed.
    #[error("a mail is not signed: a secret is for web addresses")]
    MailSecret,
    /// The secret is too short to protect anything.
    #[error(
        "the secret is shorter than {SHORTEST_SECRET} bytes, or 'whsec_' is not followed by Base64"
    )]
    Secret,
    /// The limit to a name is none.
    #[error(
        "a hook is limited to the label of a batch or the name of a library: one line of at most 200 characters"
    )]
    Only,
    /// It would never be told of anything.
    #[error(
        "workers belong to no batch and no library: a hook of worker-lost alone cannot be limited to '{0}'"
    )]
    Never(String),
}

/// Fewest bytes of a secret.
const SHORTEST_SECRET: usize = 16;

/// A hook whose address and template are read.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Where messages go.
    pub target: Target,
    /// The form of the request; of no use for mails.
    pub template: Template,
    /// What messages are signed with.
    pub secret: Option<Secret>,
    /// Whether the server looks for files: it is told of nothing that has written none.
    pub looks_for_files: bool,
}

impl Hook {
    /// A hook for one message of a command: no name, no template, no signature.
    pub fn of_command(url: Secret, now: Timestamp) -> Self {
        Self {
            url,
            on: BTreeSet::from(EventKind::USUAL),
            template: None,
            secret: None,
            only: None,
            added: now,
        }
    }

    /// Checks the hook, and reads its address and its template.
    ///
    /// # Errors
    /// It cannot be used, or would never be told of anything.
    pub fn prepare(&self) -> Result<Prepared, HookError> {
        let target = Target::read(&self.url)?;
        if self.on.is_empty() {
            return Err(HookError::NoEvent);
        }
        if let Some(only) = &self.only {
            if only.trim().is_empty() || only.chars().count() > 200 || printable(only) != *only {
                return Err(HookError::Only);
            }
            if self.on.iter().all(|kind| *kind == EventKind::WorkerLost) {
                return Err(HookError::Never(only.clone()));
            }
        }
        if let Some(secret) = &self.secret {
            signing_key(secret).ok_or(HookError::Secret)?;
        }
        let template = match &target {
            Target::Mail(_) if self.template.is_some() => return Err(HookError::MailTemplate),
            Target::Mail(_) if self.secret.is_some() => return Err(HookError::MailSecret),
            Target::Mail(_) => Name::Json.template(),
            Target::Web(web) => self.web_template(web)?,
        };
        Ok(Prepared {
            target,
            template,
            secret: self.secret.clone(),
            looks_for_files: self.looks_for_files(),
        })
    }

    fn web_template(&self, web: &WebTarget) -> Result<Template, HookError> {
        let choice = self.template.clone();
        let choice = choice.unwrap_or(TemplateChoice::Named(web.service()));
        let template = choice.template();
        template.check()?;
        if template.uses(Placeholder::Key) && !web.has_key() {
            return Err(HookError::NoKey(choice.to_string()));
        }
        if template.uses(Placeholder::Topic) && !web.has_topic() {
            return Err(HookError::NoTopic(choice.to_string()));
        }
        // Whether the body is JSON does not depend on the occurrence: values are escaped.
        web.request(&template, &Occurrence::test(Timestamp::UNIX_EPOCH))?;
        Ok(template)
    }

    /// Whether the hook is told of an occurrence.
    pub fn wants(&self, occurrence: &Occurrence) -> bool {
        let is_named = |only: &String| {
            let fact = &occurrence.fact;
            let names = [fact.scope(), fact.library().map(Token::as_str)];
            names.contains(&Some(only.as_str()))
        };
        occurrence.at > self.added
            && self.on.contains(&occurrence.fact.kind())
            && self.only.as_ref().is_none_or(is_named)
            && (occurrence.fact.has_written() || !self.looks_for_files())
    }

    /// Whether its server looks for files.
    fn looks_for_files(&self) -> bool {
        match (&self.template, Target::read(&self.url)) {
            (Some(TemplateChoice::Named(name)), _) => name.looks_for_files(),
            (None, Ok(Target::Web(web))) => web.service().looks_for_files(),
            (Some(TemplateChoice::Own(_)), _) | (None, _) => false,
        }
    }

    /// The name of its template.
    pub fn template_name(&self) -> String {
        match (&self.template, Target::read(&self.url)) {
            (Some(choice), _) => choice.to_string(),
            (None, Ok(Target::Web(web))) => web.service().to_string(),
            (None, _) => "mail".to_owned(),
        }
    }

    /// The address without its secrets.
    pub fn shown(&self) -> String {
        match Target::read(&self.url) {
            Ok(target) => target.to_string(),
            // A newer program may know more services.
            Err(_) => "an address that this program cannot read".to_owned(),
        }
    }
}

/// The bytes of a secret: of Base64 after `whsec_`, or the text itself.
pub fn signing_key(secret: &Secret) -> Option<Vec<u8>> {
    let text = secret.reveal();
    let key = match text.strip_prefix("whsec_") {
        Some(encoded) => BASE64_STANDARD.decode(encoded).ok()?,
        None => text.as_bytes().to_vec(),
    };
    (key.len() >= SHORTEST_SECRET).then_some(key)
}

/// A hook with its name and revision.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedHook {
    /// The name.
    pub name: Token,
    /// The hook.
    pub hook: Hook,
    /// The revision of its stored form.
    pub revision: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::id::BatchId;
    use crate::notify::occurrence::{BatchDone, LibraryFinished};
    use crate::notify::template::built_in;

    fn hook(url: &str) -> Hook {
        Hook::of_command(url.into(), Timestamp::UNIX_EPOCH)
    }

    fn with(url: &str, change: impl FnOnce(&mut Hook)) -> Result<Prepared, HookError> {
        let mut hook = hook(url);
        change(&mut hook);
        hook.prepare()
    }

    #[test]
    fn hooks_that_could_not_work_are_refused_when_they_are_saved() {
        let named = |name| Some(TemplateChoice::Named(name));
        let own = |text: &str| {
            Some(TemplateChoice::Own(Box::new(
                Template::read(text).expect(text),
            )))
        };
        for (words, result) in [
            (
                "at least one event",
                with("https://h", |hook| hook.on.clear()),
            ),
            (
                "needs a key",
                with("https://h", |hook| {
                    hook.template = named(built_in::Name::Sonarr)
                }),
            ),
            (
                "needs a topic",
                with("https://h", |hook| {
                    hook.template = named(built_in::Name::Ntfy)
                }),
            ),
            (
                "no template",
                with("smtp://h?from=a@b&to=a@b", |hook| {
                    hook.template = named(built_in::Name::Json)
                }),
            ),
            (
                "not signed",
                with("smtp://h?from=a@b&to=a@b", |hook| {
                    hook.secret = Some("s".repeat(20).into())
                }),
            ),
            (
                "shorter than 16",
                with("https://h", |hook| hook.secret = Some("short".into())),
            ),
            (
                "followed by Base64",
                with("https://h", |hook| {
                    hook.secret = Some("whsec_no!base64".into())
                }),
            ),
            (
                "one line",
                with("https://h", |hook| hook.only = Some("a\nb".into())),
            ),
            (
                "is no JSON",
                with("https://h", |hook| hook.template = own("body = '{title}'")),
            ),
            (
                "cannot be limited to 'films'",
                with("https://h", |hook| {
                    hook.on = BTreeSet::from([EventKind::WorkerLost]);
                    hook.only = Some("films".into());
                }),
            ),
        ] {
            let error = result.expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
        with("https://KEY@h", |hook| {
            hook.template = named(built_in::Name::Sonarr)
        })
        .expect("a key");
    }

    #[test]
    fn a_hook_is_told_of_what_it_asked_for_since_it_was_saved() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let finished = LibraryFinished {
            library: "films".parse().expect("a name"),
            files: 3,
            refused: 0,
        };
        let finished = Occurrence::library_finished(finished, at(10));
        let told = |change: fn(&mut Hook)| {
            let mut hook = hook("https://h");
            change(&mut hook);
            hook.wants(&finished)
        };
        assert!(told(|_| {}));
        assert!(told(|hook| hook.only = Some("films".to_owned())));
        assert!(!told(|hook| hook.only = Some("series".to_owned())));
        assert!(!told(
            |hook| hook.added = Timestamp::from_second(10).expect("a time")
        ));
        assert!(!told(|hook| {
            hook.on.remove(&EventKind::LibraryFinished);
        }));
    }

    #[test]
    fn media_servers_are_told_only_of_what_was_written() {
        let at = Timestamp::from_second(10).expect("a time");
        let batch = BatchId::new();
        let done = |written| {
            let done = BatchDone {
                written,
                ..BatchDone::default()
            };
            Occurrence::batch_done(batch, done, at)
        };
        for (url, is_media_server) in [
            ("https://h", false),
            ("sonarr://KEY@h", true),
            ("radarr://KEY@h", true),
            ("jellyfin://KEY@h", true),
            ("plex://TOKEN@h", true),
        ] {
            let hook = hook(url);
            assert!(hook.wants(&done(Some(1))), "{url}");
            assert!(hook.wants(&done(None)), "{url}: an older program's");
            assert_eq!(hook.wants(&done(Some(0))), !is_media_server, "{url}");
            let prepared = hook.prepare().expect(url);
            assert_eq!(prepared.looks_for_files, is_media_server, "{url}");
        }
        let mut named = hook("https://KEY@h");
        named.template = Some(TemplateChoice::Named(built_in::Name::Sonarr));
        assert!(!named.wants(&done(Some(0))));
    }

    #[test]
    fn no_secret_is_in_the_debug_form() {
        let mut hook = hook("https://u:SECRET@h/SECRET");
        hook.secret = Some("SECRET-SECRET-SECRET".into());
        let prepared = hook.prepare().expect("sound");
        for text in [format!("{hook:?}"), format!("{prepared:?}"), hook.shown()] {
            assert!(!text.contains("SECRET"), "{text}");
        }
    }
}
