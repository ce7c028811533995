//! Roles and passwords: [`passwords`] holds the passwords of each role, [`sessions`] the open sessions,
//! and [`guard`] checks every request.

pub(crate) mod guard;
pub mod passwords;
mod sessions;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use passwords::Passwords;
use sessions::Sessions;
pub(crate) use sessions::{COOKIE, LIFETIME};

/// Passwords that are checked at the same time: each takes 19 MiB and a core.
const CHECKS: usize = 2;

/// What a person or program may do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May see everything.
    Reader,
    /// May see and change everything.
    Operator,
}

/// Passwords, sessions and host names.
pub(crate) struct Access {
    /// `None` if everyone who reaches the monitor may do everything.
    passwords: Option<Passwords>,
    sessions: Sessions,
    checks: Semaphore,
    /// Names under which the monitor is reached, besides addresses and `localhost`.
    hosts: Vec<String>,
}

impl Access {
    pub(crate) fn new(passwords: Option<Passwords>, hosts: Vec<String>) -> Self {
        Self {
            passwords,
            sessions: Sessions::default(),
            checks: Semaphore::new(CHECKS),
            hosts,
        }
    }

    /// Whether a password is asked for at all.
    pub(crate) fn is_locked(&self) -> bool {
        self.passwords.is_some()
    }

    /// The role of a password.
    pub(crate) async fn role_of(&self, password: String) -> Option<Role> {
        let passwords = self.passwords.clone()?;
        let _turn = self.checks.acquire().await.ok()?;
        tokio::task::spawn_blocking(move || passwords.role_of(&password))
            .await
            .ok()?
    }

    /// Begins a session of this role. Its secret goes into the cookie.
    pub(crate) fn begin(&self, role: Role) -> Option<String> {
        self.sessions.begin(role)
    }

    /// Ends a session.
    pub(crate) fn end(&self, secret: &str) {
        self.sessions.end(secret);
    }

    /// Whether a request may name this host. A foreign page whose name was made to resolve to this
    /// machine (DNS rebinding) sends its own name.
    fn is_ours(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
            _ => host,
        };
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self
                .hosts
                .iter()
                .any(|host| host.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::Access;

    #[test]
    fn addresses_and_known_names_are_ours_and_no_others() {
        let access = Access::new(None, vec!["farm.example".to_owned()]);
        for ours in [
            "127.0.0.1:8080",
            "[::1]:8080",
            "[::1]",
            "localhost",
            "LOCALHOST:1",
            "farm.example:443",
        ] {
            assert!(access.is_ours(ours), "{ours}");
        }
        for theirs in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "",
        ] {
            assert!(!access.is_ours(theirs), "{theirs}");
        }
    }
}
