//! The addresses of the broker's servers.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// Addresses of servers, comma-separated. An address may hold a user and a password, or a token. `Display` and `Debug`
/// leave these out, so that no message and no log shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Servers(String);

impl Servers {
    /// A broker on this machine: the default of every program.
    pub const DEFAULT: &str = "nats://127.0.0.1:4222";

    /// Each address, with its credentials.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').map(str::trim)
    }

    /// The credentials of the first address that holds some: a user with a password, or a token. The client library
    /// parses the credentials of an address, but does not use them.
    pub(crate) fn credentials(&self) -> Option<(String, Option<String>)> {
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8_lossy()
                .into_owned()
        };
        self.addresses().find_map(|address| {
            let (before, _) = address.rsplit_once('@')?;
            let text = before.split_once("://").map_or(before, |(_, rest)| rest);
            Some(match text.split_once(':') {
                Some((user, password)) => (decoded(user), Some(decoded(password))),
                None => (decoded(text), None),
            })
        })
    }
}

impl Default for Servers {
    fn default() -> Self {
        Self::from(Self::DEFAULT)
    }
}

impl<T: Into<String>> From<T> for Servers {
    fn from(addresses: T) -> Self {
        Self(addresses.into())
    }
}

/// For options and config files.
impl FromStr for Servers {
    type Err = Infallible;

    fn from_str(addresses: &str) -> Result<Self, Infallible> {
        Ok(Self::from(addresses))
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self
            .addresses()
            .map(|address| match address.rsplit_once('@') {
                Some((_, host)) => format!("nats://{host}"),
                None => address.to_owned(),
            });
        f.write_str(&shown.collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_from_the_address() {
        let credentials = |addresses: &str| Servers::from(addresses).credentials();
        let some = |user: &str, password: Option<&str>| {
            Some((user.to_owned(), password.map(str::to_owned)))
        };
        assert_eq!(
            credentials("nats://a:4222, nats://me:p%40ss@b:4222"),
            some("me", Some("p@ss"))
        );
        assert_eq!(credentials("nats://token@a:4222"), some("token", None));
        assert_eq!(credentials("a:4222"), None);
    }

    #[test]
    fn credentials_are_not_printed() {
        let servers = Servers::from("nats://me:secret@a:4222, b:4222,nats://token@c");
        let expected = "nats://a:4222, b:4222, nats://c";
        assert_eq!(servers.to_string(), expected);
        assert_eq!(format!("{servers:?}"), format!("\"{expected}\""));
    }
}
