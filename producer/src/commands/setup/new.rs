//! Making a farm on this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

use common::broker::server::{HttpPort, Role, ServerConfig, quoted};
use common::broker::{Broker, Servers};
use common::farm::worker_name::WorkerName;
use common::names::location::Location;
use common::names::token::Token;
use common::program::farm_file::{FarmFile, Program, write_private};
use common::store::Stores;

use super::certificates::FarmAuthority;
use super::place::{FarmPlace, absolute};
use super::users::NewUser;
use super::{FarmOptions, broker, own, store, tokens, users};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::output;
use crate::embedded::broker as server;

/// Where a new broker listens, if nobody says otherwise.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 4222);

/// Makes a farm, starts its broker, and prints how other machines join.
pub(super) async fn make(
    options: &FarmOptions,
    place: &FarmPlace,
    settings: &Settings,
) -> Result<Exit, Error> {
    let starts = !options.no_start;
    let listen = options.listen.unwrap_or(LISTEN);
    if starts {
        server::find(options.nats_server.as_deref()).await?;
        broker::check_free(listen)?;
    }
    let mut file = settings.file().clone();
    let mut roots = existing(&options.roots)?;
    if let Some(url) = &settings.store {
        if let Some(folder) = url.path() {
            let is_new = !folder.exists();
            make_folder(&folder)?;
            if is_new {
                output::print(&format!(
                    "Made the folder {} for the store.",
                    folder.display()
                ));
            }
            roots.push(folder);
        }
        file.store.url = Some(url.clone());
        store::take_environment(&mut file.store);
        // Services and containers may have the store start together with the broker.
        if starts {
            store::prove(url, &Stores::of(file.store.settings())).await?;
        }
    }

    place.close()?;
    let hosts = reachable(options, listen);
    let authority = FarmAuthority::make(place)?;
    file.broker.ca = Some(authority.public()?);
    authority.certify(&with_this_machine(&hosts), place)?;

    let add = |name: &str, role, any| {
        let name: Token = Token::sanitised(name);
        let seed = users::add(
            place,
            &NewUser {
                name: name.clone(),
                role,
                any,
            },
        )?;
        Ok::<_, Error>((Some(name), Some(seed)))
    };
    let worker = WorkerName::from_host(&host_name());
    (file.broker.user, file.broker.nkey) = add("admin", Role::Admin, false)?;
    (file.worker.user, file.worker.nkey) = add(worker.as_str(), Role::Worker, false)?;
    (file.monitor.user, file.monitor.nkey) = add("monitor", Role::Monitor, false)?;
    file.worker.name = Some(worker);
    file.worker.roots = roots;
    file.worker
        .buckets
        .extend(settings.store.clone().filter(Location::is_remote));
    let public = servers(hosts.iter(), listen.port());
    file.broker.servers = Some(match starts {
        true => servers([own_address(listen)].iter(), listen.port()),
        // It may run in a container, whose loopback addresses are its own.
        false => public.clone(),
    });
    file.broker.public = Some(public.clone());
    users::write(place)?;
    configure(options, listen, place)?;
    file.write(&place.file).map_err(Error::failed)?;

    if !starts {
        output::print(&format!(
            "Nothing was started. Start the broker as a service: nats-server --config {}\nThen run `producer setup --no-start` once more: it makes the \
             streams, and proves the store.",
            place.configuration().display()
        ));
        tokens::print_first(place, &file, &public)?;
        warn_of_loopback(&hosts);
        return Ok(Exit::Done);
    }
    let own = file.connect(Program::Producer, None, None, "producer");
    let connected = broker::up(place, options, &own).await?;
    output::print(&format!(
        "The broker runs on {listen}. This machine's settings are in {}: `worker`, `producer` and `monitor` need nothing else.",
        place.file.display()
    ));
    print_store(&file);
    tokens::print_first(place, &file, &public)?;
    warn_of_loopback(&hosts);
    disconnect(&connected).await;
    Ok(Exit::Done)
}

/// Starts a farm that was made before, if it does not run, and makes what is missing on its broker. Other names of this
/// machine need a new certificate; nothing else changes.
pub(super) async fn again(
    options: &FarmOptions,
    place: &FarmPlace,
    settings: &Settings,
) -> Result<Exit, Error> {
    if !options.hosts.is_empty() {
        rename(&options.hosts, place, settings)?;
    }
    place.close()?;
    let file = own::missing_made(place)?;
    // These programs may need rights that those that made the farm did not.
    if users::renew(place)? {
        broker::reload(place)?;
    }
    let own = file.connect(Program::Producer, None, None, "producer");
    let connected = broker::up(place, options, &own).await?;
    if let Some(url) = &settings.file().store.url {
        store::prove(url, &settings.stores()).await?;
    }
    output::print(&format!(
        "The broker runs, and the farm of {} is as it was. `producer setup add worker NAME` prints the line for another machine.",
        place.file.display()
    ));
    print_store(settings.file());
    disconnect(&connected).await;
    Ok(Exit::Done)
}

/// Gives the broker a certificate for other names of this machine.
fn rename(hosts: &[String], place: &FarmPlace, settings: &Settings) -> Result<(), Error> {
    FarmAuthority::load(place)?.certify(&with_this_machine(hosts), place)?;
    let mut file = settings.file().clone();
    let own = file.broker.servers.clone().unwrap_or_default();
    let port = own
        .reveal()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    file.broker.public = Some(servers(hosts.iter(), port.unwrap_or(LISTEN.port())));
    file.write(&place.file).map_err(Error::failed)?;
    broker::tell(place)?;
    output::print(&format!(
        "The broker's certificate is for {} now. Machines that joined by another name need a new line.",
        hosts.join(", ")
    ));
    Ok(())
}

fn print_store(file: &FarmFile) {
    match &file.store.url {
        Some(store) => output::print(&format!(
            "The store {store} was proved: written, read in part, listed, removed."
        )),
        None => output::print(
            "There is no store: workers read and write the folders that you name with --root. `--store s3://BUCKET` or `--store DIR` names one.",
        ),
    }
}

async fn disconnect(broker: &Broker) {
    // The command ends anyway.
    let _ = broker.client().drain().await;
}

/// Says so if the lines for other machines name addresses that only this machine reaches.
fn warn_of_loopback(hosts: &[String]) {
    let is_own = |host: &String| match host.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback(),
        Err(_) => host == "localhost",
    };
    if hosts.iter().all(is_own) {
        output::print(&format!(
            "\nNo other machine reaches {}: these lines are for this machine alone. For other machines, make the farm with `--listen \
             0.0.0.0:4222`, or name what forwards to this address by `--host NAME`.",
            hosts.join(", ")
        ));
    }
}

/// Folders that are there, by their whole paths.
fn existing(folders: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let checked = folders.iter().map(|folder| {
        let folder = absolute(folder)?;
        match folder.is_dir() {
            true => Ok(folder),
            false => Err(Error::usage(format!(
                "--root: {} is no folder",
                folder.display()
            ))),
        }
    });
    checked.collect()
}

/// Makes a folder that only this user may enter, with those above it.
fn make_folder(folder: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(|error| {
        Error::usage(format!(
            "cannot make the folder {}: {error}",
            folder.display()
        ))
    })
}

/// Writes the broker's configuration.
fn configure(options: &FarmOptions, listen: SocketAddr, place: &FarmPlace) -> Result<(), Error> {
    make_folder(&place.data)?;
    let config = ServerConfig {
        host: &listen.ip().to_string(),
        port: Some(listen.port()),
        http: HttpPort::Fixed(options.http_port),
        store: &place.data,
        sync: ServerConfig::SYNC,
    };
    let (certificate, key) = place.certificate();
    let path = |path: PathBuf| quoted(&path.to_string_lossy());
    // What runs the broker as a service keeps its log, and knows its number.
    let files = match options.no_start {
        true => String::new(),
        false => format!(
            "\nlog_file: {}\npid_file: {}\n",
            path(place.log()),
            path(place.pid())
        ),
    };
    let text = format!(
        "# Written by `producer setup`; change it as you like.\n\n{}\n\
         # Clients know the authority that has signed this certificate: it is in their farm files.\n\
         tls {{\n  cert_file: {}\n  key_file: {}\n}}\n\n\
         # Users and their rights: `producer setup add`, `list` and `remove` keep them.\n\
         include users.conf\n{files}",
        config.text(),
        path(certificate),
        path(key),
    );
    let file = place.configuration();
    write_private(&file, &text)
        .map_err(|error| Error::failed(format!("cannot write {}: {error}", file.display())))
}

/// By what other machines reach this one: what the options say, else the address to listen on, else this machine's
/// address in its network.
fn reachable(options: &FarmOptions, listen: SocketAddr) -> Vec<String> {
    if !options.hosts.is_empty() {
        return options.hosts.clone();
    }
    if !listen.ip().is_unspecified() {
        return vec![listen.ip().to_string()];
    }
    vec![network_address().map_or_else(host_name, |address| address.to_string())]
}

/// This machine's address in its network. Nothing is sent: the system only says which address it would send from.
fn network_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // An address that is kept for documents: it is outside every network of this machine.
    socket.connect((Ipv4Addr::new(198, 51, 100, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}

/// The address by which programs of this machine reach the broker.
fn own_address(listen: SocketAddr) -> String {
    let ip = listen.ip();
    match ip.is_unspecified() {
        true => Ipv4Addr::LOCALHOST.to_string(),
        false => ip.to_string(),
    }
}

/// The names of a certificate: those for other machines, and those of this machine for itself.
fn with_this_machine(hosts: &[String]) -> Vec<String> {
    let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut names: Vec<String> = hosts.to_vec();
    for name in own.into_iter().chain([host_name()]) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn servers<'a>(hosts: impl Iterator<Item = &'a String>, port: u16) -> Servers {
    let addresses = hosts.map(|host| match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => format!("tls://[{ip}]:{port}"),
        _ => format!("tls://{host}:{port}"),
    });
    addresses.collect::<Vec<_>>().join(",").into()
}

#[cfg(unix)]
fn host_name() -> String {
    let system = rustix::system::uname();
    let name = system.nodename().to_string_lossy().into_owned();
    if name.is_empty() {
        "localhost".to_owned()
    } else {
        name
    }
}

#[cfg(not(unix))]
fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "localhost".to_owned())
}
