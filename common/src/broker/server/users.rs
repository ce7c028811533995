//! Users of the broker, as nats-server reads them.

use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::broker::server::conf::quoted;
use crate::broker::server::rights::Rights;
use crate::names::token::Token;

/// What a user is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Makes the farm, changes its streams, repairs them by hand.
    Admin,
    /// Runs jobs.
    Worker,
    /// Submits jobs and changes them.
    Producer,
    /// Shows the farm, and does on its page what a producer does.
    Monitor,
    /// Reads everything and writes nothing.
    Reader,
}

/// The text is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no role: admin, worker, producer, monitor or reader")]
pub struct RoleError(String);

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [
        Self::Admin,
        Self::Worker,
        Self::Producer,
        Self::Monitor,
        Self::Reader,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Worker => "worker",
            Self::Producer => "producer",
            Self::Monitor => "monitor",
            Self::Reader => "reader",
        }
    }

    /// What it is for, as a comment.
    fn purpose(self) -> &'static str {
        match self {
            Self::Admin => "Makes the farm, changes its streams, repairs them by hand.",
            Self::Worker => {
                "Runs jobs: claims, leases, completes, fails, retries and parks them, answers previews, obeys orders."
            }
            Self::Producer => {
                "Submits jobs and changes them: cancel, retry, move, pause, presets, hooks, orders to workers."
            }
            Self::Monitor => {
                "Shows the farm, does on its page what a producer does, and sets how long history is kept."
            }
            Self::Reader => {
                "Reads everything and writes nothing: commands that list and show, or a monitor whose page changes nothing."
            }
        }
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| RoleError(text.to_owned()))
    }
}

/// How a user proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// By the nkey with this public half.
    Nkey(String),
    /// By the password in an environment variable of nats-server.
    PasswordIn(String),
    /// By this password.
    Password(String),
}

/// A user of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name, also that of its inboxes.
    pub name: Token,
    /// What it is for.
    pub role: Role,
    /// How it proves who it is.
    pub login: Login,
    /// The only worker that it may be, for a user with the role of a worker; `None` for any.
    pub worker: Option<Token>,
}

/// Subjects that a user must be able to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    /// Those that it publishes to; `*` and `>` stand for any names.
    pub publish: Vec<String>,
    /// Those that it subscribes to.
    pub subscribe: Vec<String>,
}

impl Subjects {
    /// What the programs of a role need, as the user of this name; `worker` is the only worker that it may be.
    pub fn of(role: Role, name: &Token, worker: Option<&Token>) -> Self {
        let rights = match role {
            // There is no more that it needs for certain: it may make what is missing.
            Role::Admin | Role::Producer => Rights::of_producer(name),
            Role::Worker => Rights::of_worker(name, worker, &[]),
            Role::Monitor => Rights::of_monitor(name),
            Role::Reader => Rights::of_reader(name),
        };
        Self {
            publish: rights.publish,
            subscribe: rights.subscribe,
        }
    }
}

/// The block `authorization` of a nats-server's configuration.
pub fn authorization(users: &[User]) -> String {
    let workers: Vec<&Token> = users
        .iter()
        .filter_map(|user| user.worker.as_ref())
        .collect();
    let mut text = "authorization {\n  users: [\n".to_owned();
    for user in users {
        let others: Vec<&Token> = match &user.worker {
            Some(own) => workers
                .iter()
                .copied()
                .filter(|name| *name != own)
                .collect(),
            None => Vec::new(),
        };
        // Writing to a text does not fail.
        let _ = writeln!(text, "    # {} {}", user.name, user.role.purpose());
        let _ = write!(text, "    {{ {}", login(user));
        if let Some(rights) = rights(user, &others) {
            text += &permissions(&rights);
        }
        text += " }\n";
    }
    text + "  ]\n}\n"
}

fn login(user: &User) -> String {
    match &user.login {
        Login::Nkey(public) => format!("nkey: {public}"),
        Login::PasswordIn(variable) => format!("user: {}, password: ${variable}", user.name),
        Login::Password(password) => {
            format!(
                "user: {}, password: {}",
                quoted(user.name.as_str()),
                quoted(password)
            )
        }
    }
}

fn rights(user: &User, others: &[&Token]) -> Option<Rights> {
    let name = &user.name;
    Some(match user.role {
        Role::Admin => return None,
        Role::Worker => Rights::of_worker(name, user.worker.as_ref(), others),
        Role::Producer => Rights::of_producer(name),
        Role::Monitor => Rights::of_monitor(name),
        Role::Reader => Rights::of_reader(name),
    })
}

fn permissions(rights: &Rights) -> String {
    let mut text = ", permissions: {\n".to_owned();
    for (verb, allowed, denied) in [
        ("publish", &rights.publish, &rights.never_publish),
        ("subscribe", &rights.subscribe, &rights.never_subscribe),
    ] {
        let _ = writeln!(
            text,
            "      {verb}: {{\n        allow: [\n{}        ]",
            list(allowed)
        );
        if !denied.is_empty() {
            let _ = writeln!(text, "        deny: [\n{}        ]", list(denied));
        }
        text += "      }\n";
    }
    if rights.answers {
        text += "      # an answer may take longer than the two minutes that are the default\n";
        text += "      allow_responses: { max: 1, expires: \"20m\" }\n";
    }
    text + "    }"
}

fn list(subjects: &[String]) -> String {
    let lines = subjects
        .iter()
        .map(|subject| format!("          \"{subject}\"\n"));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "# Users with the rights that each role of the farm needs and no more, for a broker that `producer setup` has not made.\n\
        # To use them, add to nats-server.conf:\n\
        #   include roles.conf\n\
        # and start nats-server with the passwords in its environment. `admin` makes the farm once (`producer setup`); after\n\
        # that no other user needs to make streams. Programs take their user from the address: nats://worker:PASSWORD@host:4222.\n\
        # A request for which a right is missing gets no answer; the server's log says which right.\n\
        # All workers share one user here; `producer setup` gives each its own, which may be no other worker.\n\
        # A test of common/src/broker/server/users.rs compares this file with the rights there, and says how to write it anew.\n\n";

    /// The shipped `nats/roles.conf`: a user with a password for each role.
    fn shipped() -> String {
        let users = Role::ALL.map(|role| User {
            name: role.as_str().parse().expect("a token"),
            role,
            login: Login::PasswordIn(format!("{}_PASSWORD", role.as_str().to_uppercase())),
            worker: None,
        });
        format!("{HEADER}{}", authorization(&users))
    }

    #[test]
    fn the_shipped_roles_are_these_rights() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../nats/roles.conf");
        if std::env::var_os("WRITE").is_some() {
            std::fs::write(path, shipped()).expect("written");
        }
        let found = std::fs::read_to_string(path).expect("shipped");
        assert_eq!(
            found,
            shipped(),
            "run this test with WRITE=1 to write nats/roles.conf anew"
        );
    }

    #[test]
    fn a_worker_is_kept_from_the_names_and_the_pinned_jobs_of_others() {
        let worker = |name: &str| User {
            name: name.parse().expect("a token"),
            role: Role::Worker,
            login: Login::Nkey("U".to_owned()),
            worker: name.parse().ok(),
        };
        let text = authorization(&[worker("attic"), worker("cellar")]);
        let (attic, cellar) = text.split_once("# cellar").expect("two users");
        for (own, other, of_own) in [("attic", "cellar", attic), ("cellar", "attic", cellar)] {
            for right in ["$KV.workers.", "owner.", "trash.", "_INBOX."] {
                assert!(of_own.contains(&format!("\"{right}{own}")), "{right}{own}");
                assert!(
                    !of_own.contains(&format!("\"{right}{other}")),
                    "{right}{other}"
                );
            }
            let (_, denied) = of_own.split_once("deny: [").expect("denied");
            assert!(denied.contains(&format!("MSG.NEXT.JOBS.on_{other}_p9")));
            assert!(denied.contains(&format!("jobs.on_{other}.>")));
            assert!(!denied.contains(&format!("on_{own}")));
        }
    }
}
