//! Who may come in: [`people`] are those of the access file, [`sessions`] the open sessions, and [`guard`] checks every
//! request. Strangers get a budget: [`checks`] of their passwords are few at a time, and [`strangers`] wait longer after
//! each wrong one.

pub(crate) mod caller;
mod checks;
pub(crate) mod cookie;
pub(crate) mod guard;
mod hash;
pub(crate) mod network;
pub mod people;
mod remembered;
mod sessions;
mod strangers;
pub(crate) mod visitor;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use checks::Checks;
pub(crate) use checks::NotNow;
use network::Network;
use people::{People, Person};
use remembered::Remembered;
pub(crate) use sessions::LIFETIME;
use sessions::Sessions;

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

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reader => "reader",
            Self::Operator => "operator",
        })
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "reader" => Ok(Self::Reader),
            "operator" => Ok(Self::Operator),
            _ => Err(format!("unknown role '{text}': reader or operator")),
        }
    }
}

/// People, sessions and host names.
pub(crate) struct Access {
    /// `None` if everyone who reaches the monitor may do everything.
    people: Option<RwLock<Arc<People>>>,
    sessions: Sessions,
    checks: Checks,
    remembered: Remembered,
    /// Names under which the monitor is reached, besides addresses and `localhost`.
    hosts: Vec<String>,
}

impl Access {
    /// # Errors
    /// If the system gives no random numbers.
    pub(crate) fn new(
        people: Option<People>,
        hosts: Vec<String>,
    ) -> Result<Self, getrandom::Error> {
        Ok(Self {
            people: people.map(|people| RwLock::new(Arc::new(people))),
            sessions: Sessions::default(),
            checks: Checks::default(),
            remembered: Remembered::new()?,
            hosts,
        })
    }

    /// Whether anybody is asked who they are.
    pub(crate) fn is_locked(&self) -> bool {
        self.people.is_some()
    }

    /// Whether people have to give their names.
    pub(crate) fn asks_names(&self) -> bool {
        self.people().is_some_and(|people| people.have_names())
    }

    /// Lets these people in, and nobody else any more: sessions of others have ended.
    pub(crate) fn replace(&self, people: People) {
        if let Some(known) = &self.people {
            *known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(people);
        }
    }

    /// Whose password or token this is.
    pub(crate) async fn person(
        &self,
        from: Network,
        name: Option<String>,
        password: String,
    ) -> Result<Option<Arc<Person>>, NotNow> {
        let Some(people) = self.people() else {
            return Ok(None);
        };
        if let Some(person) = people.of_token(&password) {
            return Ok(Some(person));
        }
        if hash::is_token(&password) {
            self.checks.wrong(from, "an unknown token");
            return Ok(None);
        }
        if self.checks.may_compare(from) {
            let found = self.remembered.find(from, name.as_deref(), &password);
            if let Some(person) = found.filter(|person| people.holds(person)) {
                return Ok(Some(person));
            }
        }
        let compared = people.to_compare(name.as_deref());
        let found = self.checks.find(from, compared, name, password.clone());
        let found = found.await?;
        if let Some(person) = &found {
            self.remembered.keep(from, &password, person.clone());
        }
        Ok(found)
    }

    /// Begins a session of this person. Its secret goes into the cookie.
    pub(crate) fn begin(&self, person: Arc<Person>) -> Option<String> {
        self.sessions.begin(person)
    }

    /// Ends a session.
    pub(crate) fn end(&self, secret: &str) {
        self.sessions.end(secret);
    }

    /// Whose session this is, if it has not ended and the person may still come in.
    fn of_session(&self, secret: &str) -> Option<Arc<Person>> {
        let person = self.sessions.person(secret)?;
        self.people()?.holds(&person).then_some(person)
    }

    fn people(&self) -> Option<Arc<People>> {
        let people = self.people.as_ref()?;
        Some(
            people
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        )
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
        let access = Access::new(None, vec!["farm.example".to_owned()]).expect("random");
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
