//! The addresses of the broker's servers.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use async_nats::ServerAddr;

/// Addresses of servers, comma-separated. An address may hold a user and a password, or a token. `Display` and `Debug`
/// leave these out, so that no message and no log shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct Servers(String);

impl Servers {
    /// A broker on this machine: the default of every program.
    pub const DEFAULT: &str = "nats://127.0.0.1:4222";

    /// The addresses as they were given, with their credentials.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Each address, with its credentials.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').map(str::trim)
    }

    /// Checks that each address is valid.
    ///
    /// # Errors
    /// The first address that is not.
    pub fn check(&self) -> Result<(), ServersError> {
        let invalid = self.addresses().position(|address| !is_valid(address));
        invalid.map_or(Ok(()), |index| {
            Err(ServersError {
                number: index + 1,
                count: self.addresses().count(),
            })
        })
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

/// One of the addresses is none. The message does not hold the address, which may be a part of a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "address {number} of {count} in NATS_URL or --nats is not valid: expected e.g. nats://host:4222; a password holds , as %2C, @ as %40, / as %2F"
)]
pub struct ServersError {
    number: usize,
    count: usize,
}

/// For options and config files. The addresses are checked by the connection: an error of an option would print them.
impl FromStr for Servers {
    type Err = Infallible;

    fn from_str(addresses: &str) -> Result<Self, Infallible> {
        Ok(Self::from(addresses))
    }
}

fn is_valid(address: &str) -> bool {
    let parsed = address.parse::<ServerAddr>();
    parsed.is_ok_and(|server| !server.host().is_empty())
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self
            .addresses()
            .map(|address| match address.rsplit_once('@') {
                // It may be a part of a password.
                _ if !is_valid(address) => "an invalid address".to_owned(),
                Some((before, host)) => {
                    let scheme = before
                        .split_once("://")
                        .map_or("nats", |(scheme, _)| scheme);
                    format!("{scheme}://{host}")
                }
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
        let servers = Servers::from("tls://me:secret@a:4222, b:4222,token@c");
        let expected = "tls://a:4222, b:4222, nats://c";
        assert_eq!(servers.to_string(), expected);
        assert_eq!(format!("{servers:?}"), format!("\"{expected}\""));
    }

    #[test]
    fn an_invalid_address_is_refused_and_not_printed() {
        for address in ["", "nats://me:pa,ss@a", "a:port", "a,,b", "http://a"] {
            let servers = Servers::from(address);
            let error = servers.check().expect_err(address).to_string();
            for text in [error, servers.to_string(), format!("{servers:?}")] {
                assert!(text.contains("valid"), "{text}");
                assert!(!text.contains("me:pa"), "{text}");
            }
        }
        for addresses in [
            "a",
            "a:4222",
            "nats://me:p%2Css@a, tls://b",
            "wss://a:443",
            "nats://[::1]:4222",
        ] {
            Servers::from(addresses).check().expect(addresses);
        }
    }
}
