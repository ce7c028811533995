//! The broker: reachable, suitable, on time, with the streams of a farm, and safe from a power cut.

use std::time::Duration;

use common::broker::{Broker, BrokerError, ConnectOptions, Refusals};
use common::program::farm_file::Program;
use serde::Deserialize;

use super::finding::Finding;
use super::rights;
use crate::cli::settings::{NO_USER, Settings};

/// A clock that is off by less does no harm.
const CLOCK: Duration = Duration::from_secs(5);
/// By so much, stores refuse requests: they are signed with the time.
const CLOCK_OFF: Duration = Duration::from_secs(10 * 60);
/// How long the broker may take to tell of itself.
const ANSWER: Duration = Duration::from_secs(3);

pub(super) async fn check(settings: &Settings, http_port: u16) -> Vec<Finding> {
    let options = connection(settings);
    let url = options.servers.to_string();
    let mut findings = Vec::new();
    if !settings.has_own_user() {
        findings.push(no_user());
    }
    let broker = match Broker::connect(&options).await {
        Ok(broker) => broker,
        Err(error) => {
            findings.push(unreachable(&url, &error));
            return findings;
        }
    };
    let server = broker.client().server_info();
    findings.push(Finding::fine(
        "broker",
        &url,
        format!("nats-server {} with JetStream answers", server.version),
    ));
    findings.extend(privacy(&url, server.tls_required, &server.host));
    findings.push(clock(&broker));
    findings.extend(streams(&broker).await);
    findings.extend(rights::check(settings, &broker).await);
    findings.extend(flushing(http_port, server.port).await);
    findings
}

/// By which of this machine's users the broker is looked at: by that of `producer`, else by the worker's or the
/// monitor's.
fn connection(settings: &Settings) -> ConnectOptions {
    let file = settings.file();
    let program = match file.worker.nkey {
        _ if settings.has_own_user() => return settings.connection(),
        Some(_) => Program::Worker,
        None => Program::Monitor,
    };
    ConnectOptions {
        refusals: Refusals::Told,
        ..file.connect(program, None, None, "doctor")
    }
}

/// That is as it should be on a machine that only works, or only shows the farm.
fn no_user() -> Finding {
    Finding::fine(
        "producer",
        "this machine",
        format!(
            "{NO_USER}; to order jobs from here, `producer setup add producer NAME` prints a line"
        ),
    )
}

/// Why the broker cannot be used, and what to do.
fn unreachable(url: &str, error: &BrokerError) -> Finding {
    let text = error.to_string();
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|words| lower.contains(words));
    let cure = match error {
        BrokerError::Unauthorized { .. } => {
            "paste a new line: `producer setup add ROLE NAME` prints it on the machine that has made the farm"
        }
        BrokerError::TooOld { .. } => "install nats-server 2.12 or later: https://nats.io/download",
        BrokerError::NoJetStream { .. } => {
            "add a block `jetstream {}` to the broker's configuration: nats/nats-server.conf shows how"
        }
        BrokerError::NoFarm { .. } => "run `producer setup` as a user who may make streams",
        _ if has(&["notvalidforname", "not valid for name"]) => {
            "the certificate lacks this name: run `producer setup --host NAME` on the machine that has made the farm, and paste a new line"
        }
        _ if has(&["unknownissuer", "badsignature", "unknown issuer"]) => {
            "the certificate is of another farm: paste a new line of this farm, or set `ca` in the farm file"
        }
        _ if has(&["expired"]) => {
            "the certificate's time is over, or this machine's clock is ahead: compare `date` on both machines, or run `producer setup --host NAME` there, which makes a new one"
        }
        _ if has(&["notvalidyet", "not valid yet"]) => {
            "this machine's clock is behind: set it by NTP, e.g. `timedatectl set-ntp true`"
        }
        _ if has(&["connection refused"]) => {
            "start the broker: `producer setup` on the machine that has made the farm; is a firewall between?"
        }
        _ => "is the address right, the machine on, and no firewall between?",
    };
    Finding::wrong("broker", url, text, cure)
}

/// Whether others on the network can read along.
fn privacy(url: &str, is_tls: bool, host: &str) -> Option<Finding> {
    let is_local = url.contains("127.0.0.1") || url.contains("localhost") || host == "127.0.0.1";
    (!is_tls && !is_local).then(|| {
        Finding::doubtful(
            "TLS",
            url,
            "everyone on the way can read and change what is said",
            "make the farm by `producer setup`, which makes certificates, or add a block `tls {}` to the broker's configuration",
        )
    })
}

fn clock(broker: &Broker) -> Finding {
    let ahead = broker.clock().ahead();
    let off = ahead.unsigned_abs();
    let found = format!("{:.1} s ahead of the broker's", ahead.as_secs_f64());
    let about = "this machine's clock";
    let cure = "set the clocks by NTP: `timedatectl set-ntp true`, on both machines";
    match off {
        off if off > CLOCK_OFF => Finding::wrong("clock", about, found, cure),
        off if off > CLOCK => Finding::doubtful("clock", about, found, cure),
        _ => Finding::fine("clock", about, found),
    }
}

async fn streams(broker: &Broker) -> Vec<Finding> {
    let about = "the streams of the farm";
    match broker.stream_faults().await {
        Ok(faults) if faults.is_empty() => {
            vec![Finding::fine(
                "streams",
                about,
                "all are as the programs need them",
            )]
        }
        Ok(faults) => {
            let findings = faults.into_iter().map(|fault| match fault.settings {
                None => Finding::wrong(
                    "streams",
                    &fault.stream,
                    "it is missing",
                    "run `producer setup` as a user who may make streams",
                ),
                Some(settings) => Finding::wrong(
                    "streams",
                    &fault.stream,
                    format!("{} differ from what the programs need", settings.join(", ")),
                    format!(
                        "back it up, remove it with `nats stream rm {}` while no job runs, and run `producer setup`",
                        fault.stream
                    ),
                ),
            });
            findings.collect()
        }
        Err(error) => vec![Finding::wrong(
            "rights",
            about,
            error,
            "the user of this program lacks rights: compare it with nats/roles.conf, or paste a new line of `producer setup add`",
        )],
    }
}

/// What nats-server tells of itself.
#[derive(Deserialize)]
struct Varz {
    port: u16,
    jetstream: Option<VarzJetStream>,
}

#[derive(Deserialize)]
struct VarzJetStream {
    config: Option<VarzConfig>,
}

#[derive(Deserialize)]
struct VarzConfig {
    #[serde(default)]
    sync_always: bool,
}

/// Whether an acknowledged job is on the disk. Only a broker of this machine tells.
async fn flushing(http_port: u16, port: u16) -> Option<Finding> {
    // An error means that there is one already. The client wants it also for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("http://127.0.0.1:{http_port}/varz");
    let asked = reqwest::Client::builder().timeout(ANSWER).build().ok()?;
    let text = asked.get(url).send().await.ok()?.text().await.ok()?;
    let varz: Varz = serde_json::from_str(&text).ok()?;
    if varz.port != port {
        return None;
    }
    let config = varz.jetstream?.config?;
    let about = "sync_interval of nats-server";
    Some(match config.sync_always {
        true => Finding::fine("disk", about, "always: what is acknowledged is on the disk"),
        false => Finding::wrong(
            "disk",
            about,
            "a power cut loses the jobs of up to two minutes",
            "set `sync_interval: always` in the block jetstream of its configuration, as in nats/nats-server.conf, and restart it",
        ),
    })
}
