//! Checks before anything is submitted: can the store be reached, and can any worker run the jobs?

use common::broker::Broker;
use common::matching::pin;
use common::matching::plan::Plan;
use common::names::location::Location;
use common::recipe::Recipe;
use common::say;
use common::store::{StoreError, Stores};
use common::submit::terms::JobTerms;

use crate::cli::exit::Error;
use crate::display::units;
use crate::recipe::known::check_known;

/// The most workers whose reasons are printed.
const TOLD: usize = 5;

/// Fails fast if a store cannot be reached: reading and writing retry for longer.
pub(crate) async fn reach(location: &Location, stores: &Stores) -> Result<(), Error> {
    if !location.is_remote() {
        return Ok(());
    }
    match stores.hurried().head(&location.join(".ffmpeg-easy")).await {
        Ok(_) | Err(StoreError::Missing(_)) => Ok(()),
        Err(StoreError::Remote { message, .. } | StoreError::Refused { message, .. }) => {
            Err(Error::out_of_reach(format!(
                "cannot reach the store of {location}: {message}; is it running, and are [store] in the farm file, or AWS_ENDPOINT and the other AWS_* variables, right?"
            )))
        }
        Err(error) => Err(error.into()),
    }
}

/// Warns if no live worker can run jobs with these inputs and outputs; refuses if a worker is `required`.
///
/// # Errors
/// If it refuses, or an encoder is unknown.
pub(crate) async fn check_served(
    broker: &Broker,
    recipe: &Recipe,
    terms: &JobTerms,
    jobs: &[Vec<Location>],
    required: bool,
) -> Result<(), Error> {
    let workers = broker.workers().await?;
    check_known(recipe, &workers)?;
    let (advice, unfit) = match &terms.worker {
        Some(worker) => match pin::check(recipe, worker, &workers, &jobs.concat()) {
            Ok(()) => return Ok(()),
            Err(why) => (why.to_string(), Vec::new()),
        },
        None => {
            let plan = Plan::of(recipe, &workers).between(&workers, jobs);
            if plan.is_served() {
                return Ok(());
            }
            (plan.advice(), plan.unfit)
        }
    };
    if required {
        return Err(Error::failed(format!(
            "refused: {advice}; leave out --require-worker to let jobs wait for a worker"
        )));
    }
    let until = match &terms.worker {
        Some(_) => "until it can run them",
        None => "until a worker that can run them starts",
    };
    say!(
        "warning: {advice}; jobs wait in the queue {} {until}",
        terms.lane(recipe).queue
    );
    for unfit in unfit.iter().take(TOLD) {
        say!("warning: {}: {}", unfit.worker, unfit.reason);
    }
    if unfit.len() > TOLD {
        let more = units::count(unfit.len() - TOLD, "worker");
        say!("warning: and {more} more");
    }
    Ok(())
}
