//! `producer plan`: which workers could run a recipe.

use std::path::PathBuf;

use clap::Args;
use common::matching::plan::{Candidate, Measured, Plan};
use common::names::location::Location;
use common::recipe::Recipe;
use serde::Serialize;

use super::dry_run;
use super::dry_run::InputForecast;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::table::table;
use crate::display::{output, table, times, units};
use crate::recipe::known::check_known;
use crate::recipe::options::RecipeOptions;
use crate::recipe::presets::PresetSource;
use crate::submit::rules::RuleOptions;
use crate::submit::sources::{Globs, Search, SourceFile};
use crate::submit::upload;

/// Files that are probed, at most: each worker probes one after the other.
const LOOKED_AT: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Files, folders or bucket prefixes to plan for
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub globs: Globs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    // Last, because the heading of these options holds for all arguments that follow.
    #[command(flatten)]
    pub recipe: RecipeOptions,
    #[command(flatten)]
    pub rules: RuleOptions,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    recipe: &'a Recipe,
    served: bool,
    advice: Option<String>,
    sources: Option<Sources>,
}

#[derive(Serialize)]
struct Sources {
    files: usize,
    bytes: u64,
    skipped: usize,
    /// How many of the files were probed.
    #[serde(skip)]
    looked_at: usize,
    /// Of the first files only.
    #[serde(rename = "foretold")]
    forecasts: Vec<InputForecast>,
    /// Slots of the workers that would run the jobs.
    #[serde(skip)]
    slots: usize,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let outputs = options
        .recipe
        .output_set(PresetSource::Farm(settings), None)
        .await?;
    let recipe = outputs.first();
    let rules = options.rules.rules();
    rules.check(&outputs).map_err(Error::usage)?;
    let mut jobs: Vec<Vec<Location>> = Vec::new();
    let mut probed: Vec<SourceFile> = Vec::new();
    let mut sources = if options.paths.is_empty() {
        None
    } else {
        let stores = settings.stores();
        let found = Search::new(&options.globs, &[], &stores)?
            .for_recipe(recipe)
            .run(&options.paths)
            .await?;
        // With a store, local files are uploaded. The place of the outputs is unknown here.
        let store = settings.store.as_ref().filter(|store| store.is_remote());
        jobs.extend(found.sources.iter().map(|source| {
            let inputs = source.inputs().map(|input| &input.location);
            let output = &source.input.location;
            let needed = inputs.chain([output]);
            needed.map(|file| upload::read_from(store, file)).collect()
        }));
        // Workers cannot probe files that are not uploaded yet.
        let lies_there = |source: &&SourceFile| {
            let mut inputs = source.inputs();
            store.is_none() || inputs.all(|input| input.location.is_remote())
        };
        let lie_there = found.sources.iter().filter(lies_there);
        probed.extend(lie_there.take(LOOKED_AT).cloned());
        Some(Sources {
            files: found.sources.len(),
            bytes: found.bytes(),
            skipped: found.no_media + found.hidden + found.excluded,
            looked_at: 0,
            forecasts: Vec::new(),
            slots: 0,
        })
    };
    let broker = settings.connect().await?;
    let workers = broker.workers().await?;
    check_known(recipe, &workers)?;
    let reports = broker.recent_reports().await?;
    let history = reports.iter().collect();
    let plan = Plan::of(recipe, &workers)
        .between(&workers, &jobs)
        .measured(&history);
    if let Some(sources) = &mut sources {
        sources.looked_at = probed.len();
        for recipe in outputs.recipes() {
            let asked = (recipe, &rules);
            let seen = dry_run::look_at(&broker, &workers, asked, &probed, &reports).await;
            sources.slots = sources.slots.max(seen.slots);
            sources.forecasts.extend(seen.files);
        }
    }
    let shown = Shown {
        recipe,
        served: plan.is_served(),
        advice: (!plan.is_served()).then(|| plan.advice()),
        plan: &plan,
        sources,
    };
    if options.json {
        output::print_json(&shown)?;
    } else {
        output::print(&text(&shown));
    }
    Ok(Exit::Done)
}

fn text(shown: &Shown<'_>) -> String {
    let plan = shown.plan;
    let mut parts = Vec::new();
    if let Some(sources) = &shown.sources {
        parts.push(format!(
            "{}, {}",
            units::count(sources.files, "file"),
            units::bytes(sources.bytes)
        ));
    }
    parts.push(format!("queue {}", plan.queue));
    if let Some(advice) = &shown.advice {
        parts.push(advice.clone());
    }
    if !plan.candidates.is_empty() || !plan.unfit.is_empty() {
        let mut table = table(&[
            "Worker",
            "Encoder",
            "Score",
            "Test fps",
            "Real fps",
            "Time per GB",
            "Note",
        ]);
        for candidate in &plan.candidates {
            table::add_row(
                &mut table,
                &[
                    candidate.worker.to_string(),
                    candidate
                        .encoder
                        .as_ref()
                        .map_or_else(|| "copy".to_owned(), ToString::to_string),
                    candidate.score.to_string(),
                    candidate
                        .fps
                        .map_or_else(String::new, |fps| format!("{fps:.0}")),
                    measured(candidate, |measured| format!("{:.0}", measured.fps)),
                    measured(candidate, |measured| {
                        units::seconds(measured.seconds_per_gigabyte)
                    }),
                    times::sentence(&candidate.warnings.join("; ")),
                ],
            );
        }
        for unfit in &plan.unfit {
            table::add_row(
                &mut table,
                &[
                    unfit.worker.to_string(),
                    String::new(),
                    "-".to_owned(),
                    String::new(),
                    String::new(),
                    String::new(),
                    unfit.reason.clone(),
                ],
            );
        }
        parts.push(table::text(&table));
    }
    if let Some(sources) = &shown.sources {
        parts.extend(dry_run::failing(&sources.forecasts));
        if !sources.forecasts.is_empty() {
            parts.push(dry_run::totals(&sources.forecasts, sources.slots));
        }
        let unseen = sources.files - sources.looked_at;
        if unseen > 0 {
            let why = if sources.looked_at < LOOKED_AT {
                "they are uploaded first; `producer encode --dry-run` probes local files"
            } else {
                "`producer enqueue --dry-run` probes all"
            };
            let unseen = units::count(unseen, "file");
            parts.push(format!("{unseen} not probed: {why}"));
        }
    }
    parts.join("\n")
}

/// A figure of recently completed jobs; empty where there were none.
fn measured(candidate: &Candidate, figure: impl Fn(&Measured) -> String) -> String {
    candidate.measured.as_ref().map_or_else(String::new, figure)
}
