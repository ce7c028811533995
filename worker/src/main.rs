//! The `worker` program: only wires.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use common::broker::{Broker, BrokerError};
use common::farm::card::Capabilities;
use common::names::location::Location;
use common::program::{shutdown, telemetry};
use common::store::Answer;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use worker::attempt::executor::Executor;
use worker::attempt::proof_encode::ProofEncodes;
use worker::attempt::scratch;
use worker::attempt::scratch::Scratch;
use worker::capabilities::Detection;
use worker::config::{Cli, Command, Config, DetectionArgs, LogArgs};
use worker::dispatch::admission::Admission;
use worker::dispatch::availability::Duty;
use worker::dispatch::dispatcher::Dispatcher;
use worker::dispatch::health::Health;
use worker::dispatch::orders;
use worker::ffmpeg::Tools;
use worker::reach::Reach;
use worker::report::heartbeat::Heartbeater;
use worker::report::load::Meter;
use worker::report::namesake;
use worker::{capabilities, preview, sandbox};

/// A setting is wrong.
const USAGE: u8 = 2;
/// The broker or a store is out of reach.
const UNREACHABLE: u8 = 3;
/// How long saying goodbye to the broker may take.
const GOODBYE: Duration = Duration::from_secs(3);
/// A broker that is only just starting is waited for this long.
const BROKER_START: Duration = Duration::from_secs(15);

fn main() -> ExitCode {
    // Before any thread exists, and before anything that takes time: each run of a tool goes through here twice.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "sandbox") {
        return sandbox::run(arguments);
    }
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match cli.command {
            Some(Command::Capabilities {
                json,
                detection,
                log,
            }) => {
                start_log(&log)?;
                capabilities(&detection, json).await
            }
            Some(Command::CheckConfig { config }) => {
                start_log(&config.log)?;
                check(&config).await
            }
            _ => {
                start_log(&cli.config.log)?;
                work(&cli.config).await
            }
        }
    });
    // A read of standard input that never ends must not hold the process up.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // An error of the broker's says its causes itself.
            match error.downcast_ref::<BrokerError>() {
                Some(error) => eprintln!("error: {error}"),
                None => eprintln!("error: {error:#}"),
            }
            match error.downcast_ref::<BrokerError>() {
                Some(_) => ExitCode::from(UNREACHABLE),
                None if error.is::<OutOfReach>() => ExitCode::from(UNREACHABLE),
                None if error.is::<Usage>() || error.is::<namesake::Taken>() => {
                    ExitCode::from(USAGE)
                }
                None => ExitCode::FAILURE,
            }
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// A store that gives no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct OutOfReach(String);

fn start_log(log: &LogArgs) -> anyhow::Result<()> {
    telemetry::init(&log.log_level, log.log_format).map_err(|error| Usage(error).into())
}

/// What to find out of this machine, and with which ffmpeg.
fn detection(args: &DetectionArgs) -> anyhow::Result<Detection> {
    let tools = Tools::find(args.ffmpeg.clone(), args.ffprobe.clone())?;
    Ok(Detection {
        only: args.encoders.clone(),
        cache: Some(scratch::default_base().join("capabilities.json")),
        fresh: args.fresh,
        ..Detection::new(tools.ffmpeg)
    })
}

/// `keep`: for a worker to find it done when it starts.
async fn detect(args: &DetectionArgs, keep: bool) -> anyhow::Result<(Tools, Capabilities)> {
    let tools = Tools::find(args.ffmpeg.clone(), args.ffprobe.clone())?;
    let detection = Detection {
        keep,
        ..detection(args)?
    };
    let card = capabilities::detect(&detection).await?;
    for encoder in args.encoders.iter().flatten() {
        if !card.encoders.contains_key(encoder) {
            tracing::warn!(%encoder, "this ffmpeg has no such encoder: is the name in --encoders right?");
        }
    }
    Ok((tools, card))
}

async fn capabilities(args: &DetectionArgs, json: bool) -> anyhow::Result<()> {
    let (_, card) = detect(args, false).await?;
    let mut meter = Meter::new(&scratch::default_base());
    meter.read();
    // The share of busy cores is one between two readings.
    tokio::time::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL).await;
    let load = meter.read();
    if json {
        let mut text = serde_json::to_value(&card)?;
        text["load"] = serde_json::to_value(load)?;
        println!("{text:#}");
    } else {
        print!("{}", capabilities::render(&card));
        println!(
            "load     {:.0}% of all cores, {:.1} GiB free for scratch files",
            load.cpu * 100.0,
            load.scratch_free as f64 / f64::from(1 << 30)
        );
    }
    Ok(())
}

/// Tries everything that the settings name, and says what works.
async fn check(config: &Config) -> anyhow::Result<()> {
    let tools = Tools::find(
        config.detection.ffmpeg.clone(),
        config.detection.ffprobe.clone(),
    )?;
    println!("ffmpeg   {}", tools.ffmpeg.display());
    println!("ffprobe  {}", tools.ffprobe.display());
    let stores = config.stores().map_err(Usage)?;
    let places = stores.places();
    let listed = |places: &[Location], none: &str| match places {
        [] => none.to_owned(),
        places => places.iter().map(|place| format!("{place} ")).collect(),
    };
    let roots = listed(
        &places.roots,
        "none: jobs about local files are left to others (--root)",
    );
    let buckets = listed(&places.buckets, "whatever the credentials open");
    println!("roots    {}", roots.trim_end());
    println!("buckets  {}", buckets.trim_end());
    for bucket in &places.buckets {
        match stores.hurried().answers_below(bucket).await {
            Answer::Well => {}
            Answer::Away(error) => {
                return Err(OutOfReach(format!(
                    "cannot reach {bucket}: {error}; is the store running, and are AWS_ENDPOINT and the other AWS_* variables right?"
                ))
                .into());
            }
            Answer::Unclear(error) => println!(
                "         {bucket} refuses to say whether an object is there ({error}): these credentials may lack s3:ListBucket, or open nothing there"
            ),
        }
    }
    let scratch = Scratch::look(&config.scratch, &config.worker_name())?;
    println!("scratch  {}", scratch.display());
    println!("sandbox  {}", sandbox::support());
    match Broker::connect(&config.broker()).await {
        Ok(broker) => {
            let server = broker.client().server_info();
            println!(
                "broker   nats-server {} at {}:{}",
                server.version, server.host, server.port
            );
        }
        // A worker that starts makes it.
        Err(error @ BrokerError::NoFarm { .. }) => println!("broker   {error}"),
        Err(error) => return Err(error.into()),
    }
    println!("worker   {}", config.worker_name());
    Ok(())
}

async fn work(config: &Config) -> anyhow::Result<()> {
    let name = config.worker_name();
    let stopping = shutdown::on_signal();
    if config.stop_with_stdin {
        stop_with_stdin(stopping.clone());
    }
    let stores = config.stores().map_err(Usage)?;
    let scratch = Scratch::open(&config.scratch, &name)?;
    let options = config.broker();
    let connect = patiently(async || Broker::set_up(&options).await);
    let (found, broker) = tokio::join!(detect(&config.detection, true), connect);
    let broker = broker?;
    let (tools, card) = found?;
    let slots = config.slots(card.host.cores);
    let proved: Vec<&str> = card.proved().map(|(encoder, _)| encoder.as_str()).collect();
    let (proved, version) = (proved.join(" "), card.ffmpeg.version.clone());
    let measured = Arc::new(card);
    let (cards, card) = watch::channel(Arc::clone(&measured));
    let (orders, controls) = watch::channel(patiently(async || broker.controls().await).await?);
    let reach = Reach::new(&stores, broker.clock());
    let heartbeater = Arc::new(Heartbeater::new(
        name.clone(),
        slots,
        config.terms(),
        card.clone(),
        scratch.path(),
        broker.clock(),
        &reach,
    ));
    let duty = Duty::new(
        name.clone(),
        config.schedule.clone(),
        controls.clone(),
        Health::new(config.quarantine_after as usize, config.quarantine_rest),
        broker.clock(),
    );
    let admission = Admission::new(
        name.clone(),
        config.terms(),
        config.read,
        scratch.path().to_owned(),
        card.clone(),
        controls,
        Arc::clone(&reach),
    );
    if admission.queues().is_empty() {
        return Err(Usage(format!(
            "--only leaves no queue that this worker can serve; it has proved: {}",
            card.borrow()
                .queues(&name)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        ))
        .into());
    }
    let executor = Arc::new(Executor {
        broker: broker.clone(),
        stores: stores.clone(),
        tools,
        detection: Detection {
            measured: Some(measured),
            ..detection(&config.detection)?
        },
        card,
        cards,
        reach,
        scratch,
        heartbeater: Arc::clone(&heartbeater),
        name,
        program: own_program(),
        read: config.read,
        verify: config.verify,
        stall_timeout: config.stall_timeout,
        proofs: ProofEncodes::default(),
    });
    let gone = CancellationToken::new();
    namesake::take(&broker, &executor.name, &heartbeater, &gone).await?;
    tracing::info!(
        worker = %executor.name,
        slots,
        encoders = %proved,
        ffmpeg = version,
        sandbox = sandbox::support(),
        "ready"
    );
    if executor.stores.places().roots.is_empty() {
        tracing::info!(
            "jobs about local files are left to others: no --root says where those may be"
        );
    }
    let tidying = tokio::spawn({
        let gone = gone.clone();
        async move { stores.tidy(&gone).await }
    });
    let announcing = tokio::spawn({
        let (heartbeater, broker, gone) = (Arc::clone(&heartbeater), broker.clone(), gone.clone());
        async move { heartbeater.announce(&broker, gone).await }
    });
    tokio::spawn(orders::follow(broker.clone(), orders, gone.clone()));
    let peeking = tokio::spawn(preview::serve(Arc::clone(&executor), gone.clone()));
    let dispatcher = Dispatcher {
        broker: broker.clone(),
        work: Arc::clone(&executor),
        admission: Arc::new(admission),
        duty,
        heartbeater,
        slots: slots as usize,
        drain_timeout: config.drain_timeout,
    };
    let worked = dispatcher.run(stopping).await;
    gone.cancel();
    let goodbye = async {
        let _ = announcing.await;
        let _ = peeking.await;
        broker.client().flush().await
    };
    // A broker that is gone gives no answer, ever.
    if !matches!(tokio::time::timeout(GOODBYE, goodbye).await, Ok(Ok(()))) {
        tracing::warn!("could not say goodbye to the broker; the heartbeat will run out");
    }
    // It ends by itself within seconds.
    let _ = tidying.await;
    worked.context("cannot take jobs")?;
    tracing::info!("stopped");
    Ok(())
}

/// This program, whatever lies at its path by now: an upgrade may replace the
/// file while this worker runs.
fn own_program() -> Option<std::path::PathBuf> {
    if cfg!(target_os = "linux") {
        Some("/proc/self/exe".into())
    } else {
        std::env::current_exe().ok()
    }
}

/// Asks the broker; one that starts at the same time as this worker, or is just
/// being restarted, is waited for.
async fn patiently<T>(ask: impl AsyncFn() -> Result<T, BrokerError>) -> Result<T, BrokerError> {
    let give_up = tokio::time::Instant::now() + BROKER_START;
    let mut told = false;
    loop {
        match ask().await {
            Err(error @ (BrokerError::TooOld { .. } | BrokerError::NoJetStream { .. })) => {
                return Err(error);
            }
            Err(error) if tokio::time::Instant::now() < give_up => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, "waiting for the broker");
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            answer => return answer,
        }
    }
}

/// Stops the worker when whoever started it is gone.
fn stop_with_stdin(stopping: CancellationToken) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        stopping.cancel();
    });
}
