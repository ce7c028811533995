//! The address of a hook, read: a web server and how it is spoken to, or a mail server.
//!
//! Addresses are written as Apprise writes them where that makes sense. Errors name the form that is expected, and never
//! the address, which holds secrets.

mod mail;
mod web;

use std::fmt;

use url::Url;

pub use mail::{MailTarget, Security};
pub use web::{Credentials, Request, WebTarget};

use crate::names::similar::did_you_mean;
use crate::notify::secret::Secret;
use crate::notify::template::built_in::Name;

/// Most characters of an address.
const LONGEST: usize = 2000;

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A web server.
    Web(WebTarget),
    /// A mail server.
    Mail(MailTarget),
}

/// Why a text is no address of a hook.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is no URL.
    #[error(
        "the address is no URL ({0}): expected e.g. https://host/path, ntfy://topic or smtps://user:password@host?to=me@example.org"
    )]
    Malformed(url::ParseError),
    /// It is too long.
    #[error("the address is longer than {LONGEST} characters")]
    TooLong,
    /// Its scheme is unknown.
    #[error("no service has the scheme '{given}://': {hint}there are {}", SCHEMES.map(|(scheme, _)| scheme).join(", "))]
    Scheme {
        /// The scheme.
        given: String,
        /// A similar one.
        hint: String,
    },
    /// Parts are missing.
    #[error("the address of a hook with {scheme}:// is {form}")]
    Form {
        /// The scheme.
        scheme: String,
        /// What it looks like.
        form: &'static str,
    },
    /// A parameter is unknown.
    #[error("a hook with {scheme}:// takes no parameter '{given}': there are {known}")]
    Parameter {
        /// The scheme.
        scheme: String,
        /// The parameter's name.
        given: String,
        /// The known ones.
        known: &'static str,
    },
    /// A mailbox is none.
    #[error(
        "the parameter {parameter} holds no mail address: expected e.g. {parameter}=me@example.org"
    )]
    Mailbox {
        /// The parameter.
        parameter: &'static str,
    },
}

/// What a scheme stands for.
#[derive(Clone, Copy)]
enum Kind {
    /// The address as it is.
    Plain,
    /// A server of this kind, by HTTP or by HTTPS.
    Server(Name, &'static str),
    /// A service of the internet.
    Service(Name),
    /// A mail server.
    Mail(Security),
}

const SCHEMES: [(&str, Kind); 20] = [
    ("https", Kind::Plain),
    ("http", Kind::Plain),
    ("ntfy", Kind::Server(Name::Ntfy, "http")),
    ("ntfys", Kind::Server(Name::Ntfy, "https")),
    ("gotify", Kind::Server(Name::Gotify, "http")),
    ("gotifys", Kind::Server(Name::Gotify, "https")),
    ("discord", Kind::Service(Name::Discord)),
    ("slack", Kind::Service(Name::Slack)),
    ("sonarr", Kind::Server(Name::Sonarr, "http")),
    ("sonarrs", Kind::Server(Name::Sonarr, "https")),
    ("radarr", Kind::Server(Name::Radarr, "http")),
    ("radarrs", Kind::Server(Name::Radarr, "https")),
    ("jellyfin", Kind::Server(Name::Jellyfin, "http")),
    ("jellyfins", Kind::Server(Name::Jellyfin, "https")),
    ("plex", Kind::Server(Name::Plex, "http")),
    ("plexs", Kind::Server(Name::Plex, "https")),
    ("smtp", Kind::Mail(Security::StartTls)),
    ("smtps", Kind::Mail(Security::Tls)),
    ("mailto", Kind::Mail(Security::StartTls)),
    ("mailtos", Kind::Mail(Security::Tls)),
];

/// A URL with its parts decoded.
struct Parts {
    scheme: String,
    user: Option<String>,
    password: Option<String>,
    host: String,
    port: Option<u16>,
    path: Vec<String>,
    query: Vec<(String, String)>,
}

impl Parts {
    fn of(url: &Url) -> Self {
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8_lossy()
                .into_owned()
        };
        let path = url.path().split('/').filter(|part| !part.is_empty());
        Self {
            scheme: url.scheme().to_owned(),
            user: Some(decoded(url.username())).filter(|user| !user.is_empty()),
            password: url.password().map(decoded),
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port(),
            path: path.map(decoded).collect(),
            query: url.query_pairs().into_owned().collect(),
        }
    }

    fn wrong(&self, form: &'static str) -> TargetError {
        TargetError::Form {
            scheme: self.scheme.clone(),
            form,
        }
    }

    /// The key of an address: `KEY@host` or `:KEY@host`.
    fn key(&self) -> Option<Secret> {
        let key = self.user.as_ref().or(self.password.as_ref());
        key.filter(|key| !key.is_empty()).map(Secret::from)
    }
}

impl Target {
    /// Reads an address.
    ///
    /// # Errors
    /// It is no address of a known service.
    pub fn read(address: &Secret) -> Result<Self, TargetError> {
        let text = address.reveal().trim();
        if text.len() > LONGEST {
            return Err(TargetError::TooLong);
        }
        let url = Url::parse(text).map_err(TargetError::Malformed)?;
        let known = SCHEMES
            .into_iter()
            .find(|(scheme, _)| *scheme == url.scheme());
        let Some((_, kind)) = known else {
            let names = SCHEMES.map(|(scheme, _)| scheme);
            return Err(TargetError::Scheme {
                given: url.scheme().to_owned(),
                hint: did_you_mean(url.scheme(), &names),
            });
        };
        let parts = Parts::of(&url);
        match kind {
            Kind::Plain => web::plain(url, parts).map(Self::Web),
            Kind::Server(name, scheme) => web::server(name, scheme, parts).map(Self::Web),
            Kind::Service(name) => web::service(name, parts).map(Self::Web),
            Kind::Mail(security) => mail::read(security, parts).map(Self::Mail),
        }
    }
}

/// The address without what is secret in it: the service and the server.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Web(web) => web.fmt(f),
            Self::Mail(mail) => mail.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Target, TargetError> {
        Target::read(&Secret::from(text))
    }

    #[test]
    fn addresses_are_shown_without_their_secrets() {
        for (text, shown) in [
            (
                "https://user:SECRET@hook.example.org/a/SECRET?k=SECRET",
                "https://hook.example.org/…",
            ),
            ("http://127.0.0.1:8080/SECRET", "http://127.0.0.1:8080/…"),
            ("ntfy://SECRET", "ntfy at https://ntfy.sh"),
            (
                "ntfys://user:SECRET@example.org:8443/SECRET",
                "ntfy at https://example.org:8443",
            ),
            (
                "gotify://example.org/sub/SECRET",
                "gotify at http://example.org",
            ),
            ("discord://1234/SECRET", "discord at https://discord.com"),
            (
                "slack://TSECRET/BSECRET/SECRET",
                "slack at https://hooks.slack.com",
            ),
            ("sonarr://SECRET@nas:8989", "sonarr at http://nas:8989"),
            ("radarrs://:SECRET@nas/radarr", "radarr at https://nas"),
            (
                "jellyfin://SECRET@[::1]:8096",
                "jellyfin at http://[::1]:8096",
            ),
            ("plex://SECRET@nas:32400", "plex at http://nas:32400"),
            (
                "smtps://me:SECRET@mail.example.org?from=a@b.org&to=c@d.org",
                "mail to c@d.org by mail.example.org",
            ),
            (
                "mailto://me:SECRET@example.org",
                "mail to me@example.org by example.org",
            ),
        ] {
            let target = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(target.to_string(), shown);
            let debug = format!("{target:?}");
            assert!(!debug.contains("SECRET"), "{debug}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_shown() {
        for (text, words) in [
            ("SECRET", "is no URL"),
            (
                "htps://SECRET",
                "no service has the scheme 'htps://': did you mean https? there are https, ",
            ),
            ("https://", "is no URL"),
            ("ntfy://", "ntfy://TOPIC"),
            ("gotify://SECRET", "gotify://HOST/TOKEN"),
            ("discord://SECRET", "discord://ID/TOKEN"),
            ("slack://a/SECRET", "slack://T…/B…/TOKEN"),
            ("sonarr://SECRET", "sonarr://KEY@HOST:8989"),
            ("smtp://SECRET.org", "smtp://USER:PASSWORD@HOST?from=…&to=…"),
            (
                "smtp://u:SECRET@h?to=nobody&from=a@b.org",
                "to holds no mail address",
            ),
            (
                "smtp://u:SECRET@h?to=a@b.org&from=a@b.org&tls=SECRET",
                "takes no parameter 'tls'",
            ),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
            assert!(!error.contains("SECRET"), "{text}: {error}");
        }
    }
}
