//! `producer sample`: encodes short parts of a film, keeps the clips, and tells what the whole would take. Without `--nats`
//! it brings its own farm, which ends with this command and remembers nothing.

mod forecast;
mod here;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use common::broker::{Broker, SamplePlan, SamplePlanError};
use common::farm::queue::Priority;
use common::farm::worker_name::WorkerName;
use common::job::batch::SampledFilm;
use common::names::location::Location;
use common::recipe::{Choice, Recipe};
use common::rules::Rules;
use common::say;
use common::store::Stores;
use common::submit::output_set::OutputSet;
use common::submit::sample;
use common::submit::sample::{PlannedSample, SampleError, SampleWish};
use common::submit::terms::{JobTerms, Renew};
use tokio_util::sync::CancellationToken;

use self::forecast::Sampled;
use crate::cli::args;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::encode::{ENCODER, MachineOptions};
use crate::display::units;
use crate::download::downloads::Downloads;
use crate::recipe::options::RecipeOptions;
use crate::recipe::presets::PresetSource;
use crate::submit::destination::Destination;
use crate::submit::entry::Entry;
use crate::submit::existing_outputs;
use crate::submit::send::{Wanted, submit};
use crate::submit::sources::{Globs, Search, SourceFile};
use crate::wait::ended::{WaitEnd, wait_until_ended};
use crate::wait::follow::Follower;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A film on this machine, or s3://bucket/key with a farm
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Number of samples, spread evenly
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub samples: u32,
    /// Length of each sample
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = args::duration)]
    pub length: Duration,
    /// Where samples begin, e.g. 90s or 1h2m, instead of spreading them
    #[arg(long, value_name = "TIME", value_delimiter = ',', num_args = 1.., value_parser = args::duration)]
    pub at: Vec<Duration>,
    /// Folder for the clips, which are kept: each film, recipe and choice of samples has a folder of its own in it
    #[arg(short, long, value_name = "DIR", default_value = "samples")]
    pub output: PathBuf,
    #[command(flatten)]
    pub recipe: RecipeOptions,
    /// Priority: 1 (low) to 10 (high)
    #[arg(long, value_name = "1..10", default_value_t)]
    pub priority: Priority,
    /// Only this worker may encode the samples
    #[arg(long, value_name = "NAME")]
    pub worker: Option<WorkerName>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub machine: MachineOptions,
}

/// A film that is to be sampled.
struct Order<'a> {
    options: &'a Options,
    source: SourceFile,
    recipe: Recipe,
    destination: Destination,
    stores: Stores,
}

/// The jobs of the samples, and what they are of.
struct Submitted {
    entries: Vec<Entry>,
    film: SampledFilm,
}

pub(crate) async fn run(
    options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let default = ENCODER.parse().map(Choice::Encoder).map_err(Error::usage)?;
    let presets = match settings.names_a_farm() {
        true => PresetSource::FarmByName(settings),
        false => PresetSource::BuiltIn,
    };
    let outputs = options.recipe.output_set(presets, Some(default)).await?;
    let order = Order::find(&options, outputs, settings).await?;
    match settings.names_a_farm() {
        true => order.on_the_farm(settings, shutdown).await,
        false if options.worker.is_some() => {
            Err(Error::usage("--worker needs a farm: name it with --nats"))
        }
        false => order.here(settings, shutdown).await,
    }
}

impl<'a> Order<'a> {
    async fn find(
        options: &'a Options,
        outputs: OutputSet,
        settings: &Settings,
    ) -> Result<Self, Error> {
        if outputs.recipes().len() > 1 {
            return Err(Error::usage(
                "samples are of one output: leave out --rendition",
            ));
        }
        let recipe = outputs.first().clone();
        // Bad wishes and recipes are told before anything starts.
        if options.length < Duration::from_secs(1) {
            return Err(Error::usage(SampleError::Short));
        }
        sample::recipe(&recipe, None, None).map_err(Error::usage)?;
        let stores = settings.stores();
        let destination = Destination::new(Some(&options.output), settings)?;
        let search = Search::new(&Globs::default(), &[], &stores)?.for_recipe(&recipe);
        let found = search.run(std::slice::from_ref(&options.file)).await?;
        let file = options.file.display();
        let source = match found.sources.as_slice() {
            [source] if source.is_named => source.clone(),
            _ => return Err(Error::usage(format!("{file} is no file: name one film"))),
        };
        if let Ok(Some(why)) = source.unfit(false) {
            return Err(Error::usage(format!("{file} {}", why.refusal())));
        }
        destination.refuse_scattered([&source.input.location])?;
        Ok(Self {
            options,
            source,
            recipe,
            destination,
            stores,
        })
    }

    fn terms(&self) -> JobTerms {
        JobTerms {
            priority: self.options.priority,
            worker: self.options.worker.clone(),
            // What is at the place of a clip was made by the same order.
            overwrite: true,
            renew: Renew::Ended,
            ..JobTerms::new()
        }
    }

    /// Plans the samples with a worker that looks at the film, and submits a job for each.
    async fn submit(&self, broker: &Broker) -> Result<Submitted, Error> {
        let mut workers = broker.workers().await?;
        if let Some(name) = &self.options.worker {
            workers.retain(|worker| worker.name == *name);
        }
        let asked = self.source.asks(&self.recipe, &Rules::default());
        let planned = broker.plan_samples(&workers, asked, &self.wish()).await;
        let SamplePlan { film, samples } = planned.map_err(|why| match why {
            SamplePlanError::Sample(why) => Error::usage(why),
            why => Error::failed(why),
        })?;
        if samples.iter().all(|sample| sample.window.is_none()) {
            say!(
                "the film is short ({}): all of it is encoded",
                units::seconds(film.length)
            );
        }
        let film_files = (&self.source.input, self.source.further.as_slice());
        let (folder, works) = sample::works(film_files, &samples, &self.destination.folder);
        let wanted = samples.into_iter().zip(works);
        let wanted = wanted.map(|(PlannedSample { window, recipe }, work)| Wanted {
            source: self.source.clone(),
            output: work.output,
            recipe,
            ladder: None,
            replacement: None,
            label: window.map(|window| format!("at {}", units::seconds(window.from))),
            decided: None,
        });
        let wanted: Vec<Wanted> = wanted.collect();
        let outputs = wanted.iter().map(|one| one.output.clone());
        let jobs_by_output = broker.jobs_by_output(outputs).await?;
        let target = self.destination.download_to.as_ref();
        let existing =
            existing_outputs::look(&self.stores, &folder, target, &wanted, jobs_by_output).await?;
        let label = sample::label(&self.source.name.to_string_lossy());
        let terms = self.terms();
        let batch = broker.new_batch_of_samples(&label, &folder, existing, &terms, film.clone());
        let entries = submit(batch, wanted).await?;
        if let Some(why) = entries.iter().find_map(Entry::refusal) {
            return Err(Error::failed(why));
        }
        Ok(Submitted { entries, film })
    }

    fn wish(&self) -> SampleWish {
        let at = self.options.at.iter().map(Duration::as_secs_f64);
        SampleWish {
            count: self.options.samples,
            length: self.options.length.as_secs_f64(),
            at: at.collect(),
        }
    }

    async fn on_the_farm(
        &self,
        settings: &Settings,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        let submitting = async {
            let broker = settings.connect().await?;
            let follower = Follower::start(&broker).await?;
            let submitted = self.submit(&broker).await?;
            Ok::<_, Error>((broker, follower, submitted))
        };
        let (broker, follower, mut submitted) = tokio::select! {
            submitted = submitting => submitted?,
            () = shutdown.cancelled() => return Err(Error::interrupted(
                "interrupted; run the same command again to resume",
            )),
        };
        let downloads = match self.destination.download_to.clone() {
            Some(target) => Some(Downloads::start(&self.stores, target, true)?),
            None => None,
        };
        let (entries, supervise) = (&mut submitted.entries, std::future::pending());
        let waiting = wait_until_ended(
            &broker,
            Some(follower),
            downloads,
            entries,
            shutdown,
            supervise,
        );
        let end = waiting.await?.end;
        self.conclude(&submitted, end, "the farm continues without this program")
    }

    fn conclude(&self, submitted: &Submitted, end: WaitEnd, carry_on: &str) -> Result<Exit, Error> {
        if end == WaitEnd::Interrupted {
            return Err(Error::interrupted(format!("interrupted; {carry_on}")));
        }
        let sampled = Sampled::of(&submitted.entries, &submitted.film);
        sampled.print(self.options.json)?;
        Ok(sampled.exit())
    }

    /// The locations that a worker of this machine reads.
    fn inputs(&self) -> impl Iterator<Item = &Location> {
        self.source.inputs().map(|input| &input.location)
    }
}
