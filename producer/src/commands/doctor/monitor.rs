//! The monitor of this machine, if the farm's file has a user for it: does it answer, and is its port free for it?

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use super::finding::Finding;
use crate::cli::settings::Settings;

/// Where a monitor listens without a word.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// How long it may take to answer.
const ANSWER: Duration = Duration::from_secs(3);

/// What a monitor answers to a request.
enum Heard {
    /// It is a monitor, and its broker answers.
    Ready,
    /// It is a monitor without a broker.
    Alone,
    /// It is no monitor, or none is there.
    Nothing,
}

pub(super) async fn check(settings: &Settings) -> Option<Finding> {
    let section = &settings.file().monitor;
    section.nkey.as_ref().or_else(|| {
        settings
            .file()
            .broker
            .nkey
            .as_ref()
            .filter(|_| section.listen.is_some())
    })?;
    let listen = section.listen.unwrap_or(LISTEN);
    let about = format!("on {listen}");
    Some(match hear(local(listen)).await {
        Heard::Ready => Finding::fine("monitor", about, "it answers, and reaches the broker"),
        Heard::Alone => Finding::wrong(
            "monitor",
            about,
            "it answers, and does not reach the broker",
            "look at its log; has its user been taken back? `producer setup add monitor NAME` prints a new line",
        ),
        Heard::Nothing => match TcpListener::bind(listen) {
            Ok(_) => Finding::doubtful(
                "monitor",
                about,
                "none runs here; its port is free",
                "start `monitor`, if this machine is to show the farm",
            ),
            Err(error) => Finding::wrong(
                "monitor",
                about,
                format!(
                    "another program has its port, or the address is none of this machine ({error})"
                ),
                "end that program, or set `listen` in [monitor] of the farm file to another address and port",
            ),
        },
    })
}

/// The address by which this machine reaches what listens there.
fn local(listen: SocketAddr) -> SocketAddr {
    match listen.ip().is_unspecified() {
        true => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port()),
        false => listen,
    }
}

async fn hear(address: SocketAddr) -> Heard {
    // An error means that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Its certificate is for other names; this only asks whether it is there.
    let client = reqwest::Client::builder()
        .timeout(ANSWER)
        .tls_danger_accept_invalid_certs(true)
        .build();
    let Ok(client) = client else {
        return Heard::Nothing;
    };
    for scheme in ["http", "https"] {
        let ask = async |path: &str| {
            let answer = client
                .get(format!("{scheme}://{address}{path}"))
                .send()
                .await
                .ok()?;
            let is_fine = answer.status().is_success();
            Some((is_fine, answer.text().await.ok()?))
        };
        if ask("/healthz").await != Some((true, "ok\n".to_owned())) {
            continue;
        }
        return match ask("/readyz").await {
            Some((true, _)) => Heard::Ready,
            _ => Heard::Alone,
        };
    }
    Heard::Nothing
}
