//! `--dry-run` of a library: what it would do with each file that is there now. Nothing is stored.

use std::path::PathBuf;

use common::library::{Library, check};
use common::names::token::Token;
use common::say;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::dry_run;
use crate::commands::run::dry_run::InputForecast;
use crate::submit::destination::Destination;
use crate::submit::replace::Replacing;
use crate::submit::sources::{Globs, SourceOptions};
use crate::submit::submission::{Order, Submission};

/// Prints what the library would do, once it has passed the checks of libraries.
///
/// # Errors
/// The library cannot be as it is wanted, or this machine does not reach its files.
pub(super) async fn run(
    settings: &Settings,
    name: &Token,
    library: &Library,
    json: bool,
) -> Result<Exit, Error> {
    let broker = &settings.connect().await?;
    broker.check_library(name, library).await?;
    let location = &library.location;
    let place = match location.path() {
        Some(path) if !path.is_dir() => {
            return Err(Error::failed(format!(
                "{} is not on this machine, so its files cannot be looked at: run --dry-run where it is",
                path.display()
            )));
        }
        Some(path) => path,
        None => PathBuf::from(location.to_string()),
    };
    let set = check::outputs(library).map_err(Error::usage)?;
    let terms = library.terms();
    let destination = Destination {
        folder: library.output_folder().clone(),
        download_to: None,
        replacing: library
            .replacement()
            .map(|wanted| Replacing::of_library(wanted, location)),
    };
    let sources = SourceOptions {
        paths: vec![place],
        globs: Globs::default(),
    };
    let stores = settings.stores();
    let order = Order::Each(&sources);
    let mut submission = order
        .find(set.first(), &destination.folders()?, &stores)
        .await?;
    let excluded = take_excluded(&mut submission, library);
    let decided = dry_run::decide(
        broker,
        &stores,
        &mut submission,
        &destination,
        (&set, &terms),
        None,
        false,
    );
    let reports = broker.recent_reports().await?;
    let mut forecasts = dry_run::forecast(broker, decided.await?, &terms, &reports).await?;
    forecasts.files.extend(excluded);
    let exit = submission.exit(dry_run::print(&forecasts, json)?);
    if let Some(hours) = &library.schedule {
        say!("jobs would be enqueued in the hours {hours} only");
    }
    Ok(exit)
}

/// Takes out the files that a pattern of the library leaves out.
fn take_excluded(submission: &mut Submission, library: &Library) -> Vec<InputForecast> {
    let mut excluded = Vec::new();
    submission.sources.retain(|source| {
        let pattern = library.exclude.pattern(&source.name.to_string_lossy());
        if let Some(pattern) = pattern {
            let why = format!("left out by --exclude '{pattern}'");
            excluded.push(InputForecast::skipped(&source.input, why));
        }
        pattern.is_none()
    });
    excluded
}
