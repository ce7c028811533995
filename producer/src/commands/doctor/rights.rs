//! The rights of this machine's users on the broker: each that the programs need, tried.

use common::broker::server::{Role, Subjects};
use common::broker::{Broker, ConnectOptions, Refusals};
use common::names::token::Token;
use common::program::farm_file::Program;

use super::finding::Finding;
use crate::cli::settings::Settings;

/// Most rights that are named.
const NAMED: usize = 5;
const CURE: &str = "run `producer setup` on the machine that has made the farm: it writes the rights of all users anew; on a broker that \
     is set up by hand, add them as nats/roles.conf has them";

/// Tries the rights of the users in the farm's file.
pub(super) async fn check(settings: &Settings, broker: &Broker) -> Vec<Finding> {
    let file = settings.file();
    let mut findings = Vec::new();
    if let (Some(user), true) = (settings.connection().user, settings.has_own_user()) {
        findings.extend(of_orders(broker, &user).await);
    }
    if settings.names_a_broker() {
        return findings;
    }
    let (worker, monitor) = (&file.worker, &file.monitor);
    let own = worker
        .name
        .as_ref()
        .and_then(|name| name.as_str().parse().ok());
    for (program, role, user, key) in [
        (Program::Worker, Role::Worker, &worker.user, &worker.nkey),
        (
            Program::Monitor,
            Role::Monitor,
            &monitor.user,
            &monitor.nkey,
        ),
    ] {
        let (Some(user), Some(_)) = (user, key) else {
            continue;
        };
        let needs = Subjects::of(role, user, own.as_ref().filter(|_| role == Role::Worker));
        let options = ConnectOptions {
            refusals: Refusals::Told,
            ..file.connect(program, None, None, "doctor")
        };
        findings.extend(of_program(&options, role, user, &needs).await);
    }
    findings
}

/// Those of the user of `producer`. It may be that of a reader.
async fn of_orders(broker: &Broker, user: &Token) -> Option<Finding> {
    let needs = Subjects::of(Role::Producer, user, None);
    let lacking = broker.lacking(&needs).await.ok()?;
    if lacking.len() < needs.publish.len() / 4 {
        return Some(told(Role::Producer, user, &lacking));
    }
    let lacking = broker
        .lacking(&Subjects::of(Role::Reader, user, None))
        .await;
    Some(told(Role::Reader, user, &lacking.ok()?))
}

async fn of_program(
    options: &ConnectOptions,
    role: Role,
    user: &Token,
    needs: &Subjects,
) -> Option<Finding> {
    let program = role.as_str();
    let cure = format!(
        "`producer setup add {program} NAME` prints a line with a new key, on the machine that has made the farm"
    );
    match Broker::connect(options).await {
        Ok(broker) => Some(told(role, user, &broker.lacking(needs).await.ok()?)),
        Err(error) => Some(Finding::wrong(
            "rights",
            format!("the user {user}"),
            error,
            cure,
        )),
    }
}

fn told(role: Role, user: &Token, lacking: &[String]) -> Finding {
    let role = role.as_str();
    let about = format!("the user {user}");
    if lacking.is_empty() {
        return Finding::fine("rights", about, format!("it has all rights of a {role}"));
    }
    let more = match lacking.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let named = lacking.iter().take(NAMED).cloned().collect::<Vec<_>>();
    let found = format!(
        "as a {role} it needs to, and may not: {}{more}",
        named.join(", ")
    );
    Finding::wrong("rights", about, found, CURE)
}
