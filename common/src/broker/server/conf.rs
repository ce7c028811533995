//! The shipped configuration of nats-server, with the settings of one farm in it.

use std::path::Path;

/// The shipped configuration; it says why each setting is as it is.
const SHIPPED: &str = include_str!("../../../../nats/nats-server.conf");

/// Where nats-server answers questions about itself. It asks nobody who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpPort {
    /// This port of the loopback address.
    Fixed(u16),
    /// Any free port of the loopback address.
    Any,
}

/// What one farm's nats-server has of its own.
#[derive(Clone, Copy, Debug)]
pub struct ServerConfig<'a> {
    /// The address to listen on.
    pub host: &'a str,
    /// The port; `None` for a free one.
    pub port: Option<u16>,
    /// Where it answers questions about itself.
    pub http: HttpPort,
    /// The folder of the streams.
    pub store: &'a Path,
    /// When written messages are flushed to the disk, as `sync_interval` says it.
    pub sync: &'a str,
}

impl ServerConfig<'_> {
    /// The shipped value of `sync_interval`.
    pub const SYNC: &'static str = "always";

    /// The text of the configuration.
    pub fn text(&self) -> String {
        let port = self
            .port
            .map_or_else(|| "-1".to_owned(), |port| port.to_string());
        let http = match self.http {
            HttpPort::Fixed(port) => format!("\"127.0.0.1:{port}\""),
            HttpPort::Any => "\"127.0.0.1:-1\"".to_owned(),
        };
        let settings = [
            ("host", "host", quoted(self.host)),
            ("port", "port", port),
            ("http_port", "http", http),
            (
                "store_dir",
                "store_dir",
                quoted(&self.store.to_string_lossy()),
            ),
            ("sync_interval", "sync_interval", self.sync.to_owned()),
        ];
        let mut text = String::new();
        for line in SHIPPED.lines() {
            let name = line.trim_start();
            let own = settings.iter().find(|(shipped, ..)| {
                name.strip_prefix(shipped)
                    .is_some_and(|rest| rest.starts_with(':'))
            });
            match own {
                Some((_, name, value)) => {
                    let indent = &line[..line.len() - line.trim_start().len()];
                    text += &format!("{indent}{name}: {value}\n");
                }
                None => text += &format!("{line}\n"),
            }
        }
        text
    }
}

/// A text in quotes, as nats-server reads it.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_a_farm_stand_where_the_shipped_ones_stood() {
        let text = ServerConfig {
            host: "0.0.0.0",
            port: Some(4333),
            http: HttpPort::Fixed(8333),
            store: Path::new("/a \"b\""),
            sync: ServerConfig::SYNC,
        }
        .text();
        for line in [
            "host: \"0.0.0.0\"",
            "port: 4333",
            "http: \"127.0.0.1:8333\"",
            "  store_dir: \"/a \\\"b\\\"\"",
            "  sync_interval: always",
        ] {
            assert_eq!(
                text.lines().filter(|found| *found == line).count(),
                1,
                "{line}\n{text}"
            );
        }
        assert_eq!(text.lines().count(), SHIPPED.lines().count());
        assert!(!text.contains("http_port:") && !text.contains("/var/lib/nats"));
    }
}
