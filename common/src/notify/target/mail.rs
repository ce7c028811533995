//! Mail servers.

use std::fmt;

use super::{Parts, TargetError};
use crate::notify::secret::Secret;

/// Most recipients.
const MOST: usize = 20;

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS after a greeting in plain text (STARTTLS). On this machine, a server without it is taken too.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// A mail server, and who writes to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailTarget {
    /// The server's name or address.
    pub host: String,
    /// The port; `None` for the usual one.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub security: Security,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
}

impl MailTarget {
    /// Whether the server runs on this machine.
    pub fn is_local(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let address = bare.parse::<std::net::IpAddr>();
        bare == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

/// `smtp://user:password@host?from=…&to=…`, or as Apprise has it: `mailto://user:password@example.org` writes from and
/// to `user@example.org`.
pub(super) fn read(security: Security, parts: Parts) -> Result<MailTarget, TargetError> {
    let form = match parts.scheme.starts_with("mailto") {
        true => "mailto://USER:PASSWORD@HOST?to=… (STARTTLS) or mailtos://… (TLS)",
        false => "smtp://USER:PASSWORD@HOST?from=…&to=… (STARTTLS) or smtps://… (TLS)",
    };
    let (mut from, mut to, mut server) = (None, Vec::new(), None);
    for (name, value) in &parts.query {
        match name.as_str() {
            "from" => from = Some(mailbox("from", value)?),
            "to" => {
                let each = value.split(',').map(|one| mailbox("to", one.trim()));
                to.extend(each.collect::<Result<Vec<String>, _>>()?);
            }
            "smtp" if parts.scheme.starts_with("mailto") => server = Some(value.clone()),
            _ => {
                return Err(TargetError::Parameter {
                    scheme: parts.scheme.clone(),
                    given: name.clone(),
                    known: "from, to and, with mailto://, smtp",
                });
            }
        }
    }
    if parts.scheme.starts_with("mailto") {
        let own = parts.user.as_ref().map(|user| match user.contains('@') {
            true => user.clone(),
            false => format!("{user}@{}", parts.host),
        });
        from = from.or_else(|| own.clone());
        if to.is_empty() {
            to.extend(own);
        }
    }
    let host = server.unwrap_or_else(|| parts.host.clone());
    let (Some(from), false) = (from, to.is_empty() || to.len() > MOST || host.is_empty()) else {
        return Err(parts.wrong(form));
    };
    let login = match (&parts.user, &parts.password) {
        (Some(user), Some(password)) => Some((user.clone(), Secret::from(password))),
        (None, None) => None,
        _ => return Err(parts.wrong(form)),
    };
    Ok(MailTarget {
        host,
        port: parts.port,
        security,
        login,
        from,
        to,
    })
}

/// A rough check: what the mail server accepts is the mail server's affair.
fn mailbox(parameter: &'static str, text: &str) -> Result<String, TargetError> {
    let is_mailbox = text.split_once('@').is_some_and(|(before, after)| {
        !before.is_empty() && !after.is_empty() && !after.contains('@')
    });
    let is_plain = !text
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || "<>,;".contains(c));
    match is_mailbox && is_plain {
        true => Ok(text.to_owned()),
        false => Err(TargetError::Mailbox { parameter }),
    }
}

impl fmt::Display for MailTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mail to {} by {}", self.to.join(", "), self.host)
    }
}
