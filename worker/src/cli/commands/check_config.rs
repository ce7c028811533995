//! `worker check-config`: tries everything that the settings name, and prints the results. It may run beside a
//! worker.

use common::broker::{Broker, BrokerError};
use common::names::location::Location;
use common::show;
use common::store::{Answer, Stores};

use crate::attempt::scratch::Scratch;
use crate::cli::config::Config;
use crate::cli::error::Error;

/// # Errors
/// Anything that cannot be used or reached.
pub async fn run(config: &Config) -> Result<(), Error> {
    config.check()?;
    let tools = config.detection.tools()?;
    show!("ffmpeg   {}", tools.ffmpeg.display());
    show!("ffprobe  {}", tools.ffprobe.display());
    places(&config.stores()?).await?;
    let scratch = Scratch::look(&config.scratch(), &config.worker_name())?;
    show!("scratch  {}", scratch.display());
    show!("sandbox  {}", config.detection.check_sandbox().await?);
    match Broker::connect(&config.broker()).await {
        Ok(broker) => {
            let server = broker.client().server_info();
            show!(
                "broker   nats-server {} at {}:{}",
                server.version,
                server.host,
                server.port
            );
        }
        // The first worker that starts sets up the farm.
        Err(error @ BrokerError::NoFarm { .. }) => show!("broker   {error}"),
        Err(error) => return Err(error.into()),
    }
    show!("worker   {}", config.worker_name());
    Ok(())
}

async fn places(stores: &Stores) -> Result<(), Error> {
    let places = stores.places();
    let listed = |places: &[Location], none: &str| match places {
        [] => none.to_owned(),
        places => {
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            places.join(" ")
        }
    };
    let roots = listed(
        &places.roots,
        "none: jobs about local files are left to others (--root)",
    );
    show!("roots    {roots}");
    let buckets = listed(&places.buckets, "all that the credentials open");
    show!("buckets  {buckets}");
    for bucket in &places.buckets {
        match stores.hurried().answers_below(bucket).await {
            Answer::Available => {}
            Answer::Away(error) => {
                return Err(Error::OutOfReach(format!(
                    "cannot reach {bucket}: {error}; is the store running, and are AWS_ENDPOINT and the other AWS_* variables right?"
                )));
            }
            Answer::Unclear(error) => show!(
                "         {bucket} refuses to say whether an object is there ({error}): these credentials may lack s3:ListBucket, or open nothing there"
            ),
        }
    }
    Ok(())
}
