//! From the paths that a person names to sources with outputs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use common::broker::{Broker, NamesError, Outputs};
use common::job::ladder::Ladder;
use common::names::location::Location;
use common::names::printable::printable;
use common::recipe::Recipe;
use common::say;
use common::store::Stores;
use common::submit::naming;
use common::submit::naming::{NamedSource, Unnameable};
use common::submit::output_job::JobsByOutput;
use common::submit::output_set::OutputSet;
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::display::units;
use crate::submit::destination::Destination;
use crate::submit::replace;
use crate::submit::send::Wanted;
use crate::submit::sources::{Globs, Into, Merge, Search, SourceFile, SourceOptions, recordings};

/// A file that a person named and that gets no job.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LeftOut {
    /// Its path below the folder that was given, or its name.
    file: String,
    error: String,
}

impl LeftOut {
    fn new(name: &Path, error: impl ToString) -> Self {
        Self {
            file: name.to_string_lossy().into_owned(),
            error: error.to_string(),
        }
    }
}

/// The files that are to be encoded.
pub(crate) struct Submission {
    pub sources: Vec<SourceFile>,
    pub left_out: Vec<LeftOut>,
    /// Whether all files and folders could be read.
    pub is_complete: bool,
    /// Whether the names of the sources are those of their outputs.
    are_named: bool,
}

/// What a person wants outputs of.
#[derive(Clone, Copy)]
pub(crate) enum Order<'a> {
    /// Of each file.
    Each(&'a SourceOptions),
    /// Of files that are joined.
    Merge(&'a Merge),
}

impl Order<'_> {
    /// The paths that a person named.
    pub(crate) fn paths(&self) -> &[PathBuf] {
        match self {
            Self::Each(options) => &options.paths,
            Self::Merge(merge) => &merge.paths,
        }
    }

    /// The label of the batch.
    pub(crate) fn label(&self) -> String {
        label(self.paths())
    }

    /// Finds the sources for a recipe, without those in folders of outputs, and prints what was found.
    pub(crate) async fn find(
        &self,
        recipe: &Recipe,
        outputs: &[Location],
        stores: &Stores,
    ) -> Result<Submission, Error> {
        match self {
            Self::Each(options) => {
                let search = Search::new(&options.globs, outputs, stores)?;
                let found = find(search, recipe, self.paths(), stores).await?;
                offer_merges(&found.sources);
                Ok(found)
            }
            Self::Merge(merge) => {
                let globs = Globs::default();
                let mut search = Search::new(&globs, outputs, stores)?;
                if matches!(merge.into, Into::File(_)) {
                    search = search.that_keeps_repeats();
                }
                let found = find(search, recipe, self.paths(), stores).await?;
                if !found.left_out.is_empty() || !found.is_complete {
                    return Err(Error::failed("not all of the files can be joined"));
                }
                let (sources, broken) = merge.sources(found.sources)?;
                let left_out = broken
                    .iter()
                    .map(|broken| LeftOut::new(Path::new(&broken.first), broken));
                let left_out: Vec<LeftOut> = left_out.collect();
                for left in &left_out {
                    say!("{}", refusal(left));
                }
                Ok(Submission {
                    sources,
                    left_out,
                    are_named: true,
                    ..found
                })
            }
        }
    }
}

/// The most recordings that are offered to be joined.
const OFFERED: usize = 3;

/// Tells of files that look like parts of one recording.
fn offer_merges(sources: &[SourceFile]) {
    for recording in recordings(sources).whole.iter().take(OFFERED) {
        let paths: Vec<String> = recording
            .files
            .iter()
            .map(|index| sources[*index].input.location.to_string())
            .collect();
        let quoted = paths.iter().map(String::as_str);
        let Ok(quoted) = shlex::Quoter::new().join(quoted) else {
            continue;
        };
        say!(
            "{} look like one recording ({}): `producer merge {quoted} -o FILE` joins them",
            units::count(paths.len(), "file"),
            recording.by
        );
    }
}

fn refusal(left: &LeftOut) -> String {
    printable(&format!("{} {}", left.file, left.error))
}

async fn find(
    search: Search<'_>,
    recipe: &Recipe,
    paths: &[PathBuf],
    stores: &Stores,
) -> Result<Submission, Error> {
    let mut found = search.for_recipe(recipe).run(paths).await?;
    let left_out: Vec<LeftOut> = found
        .sift()
        .into_iter()
        .map(|(name, why)| LeftOut::new(&name, why.refusal()))
        .collect();
    let mut line = format!(
        "{}, {}",
        units::count(found.sources.len(), "file"),
        units::bytes(found.bytes())
    );
    let skipped = found.skipped();
    if !skipped.is_empty() {
        line += &format!(" (skipped: {skipped})");
    }
    if let ([only], []) = (left_out.as_slice(), found.sources.as_slice()) {
        return Err(Error::failed(refusal(only)));
    }
    say!("{line}");
    if let Some(told) = found.without_video() {
        say!("{told}");
    }
    for left in &left_out {
        say!("{}", refusal(left));
    }
    for warning in found.warnings() {
        say!("warning: {warning}");
    }
    if found.sources.is_empty() {
        return Err(if !left_out.is_empty() {
            Error::failed("none of the named files is a video")
        } else if found.is_complete() {
            Error::usage(format!("no media found (skipped: {skipped})"))
        } else {
            Error::usage("none of the files can be read")
        });
    }
    let recipe_files = stores.recipe_files(recipe).await?;
    for source in &mut found.sources {
        source.further.extend(recipe_files.iter().cloned());
    }
    Ok(Submission {
        is_complete: found.is_complete(),
        sources: found.sources,
        left_out,
        are_named: false,
    })
}

impl Submission {
    /// Names the outputs of the sources. A source that can have none is left out and reported.
    pub(crate) async fn name(
        &mut self,
        broker: &Broker,
        destination: &Destination,
        set: &OutputSet,
    ) -> Result<(Vec<Wanted>, JobsByOutput), Error> {
        let sources = std::mem::take(&mut self.sources);
        if self.are_named {
            return by_name(broker, sources, destination, set).await;
        }
        let sources = match destination.replacing {
            Some(_) => without_own_outputs(broker, sources).await?,
            None => sources,
        };
        let (outputs, jobs_by_output) = named(broker, &sources, destination, set).await?;
        let mut wanted = Vec::with_capacity(outputs.len());
        for (source, outputs) in sources.into_iter().zip(outputs) {
            match outputs {
                Ok(outputs) => wanted.extend(wanted_of(&source, outputs, destination, set)),
                Err(why) => {
                    let left = LeftOut::new(&source.name, why);
                    say!("{}: {}", left.error, left.file);
                    self.left_out.push(left);
                }
            }
        }
        for warning in replace::broken_links(&wanted) {
            say!("warning: {warning}");
        }
        Ok((wanted, jobs_by_output))
    }

    /// The exit code, given that of the jobs.
    pub(crate) fn exit(&self, jobs: Exit) -> Exit {
        match jobs {
            Exit::Done if !self.is_complete || !self.left_out.is_empty() => Exit::Failed,
            exit => exit,
        }
    }
}

/// Leaves those sources out that are the outputs of others of them. Both are there between the moment in which an output
/// appears and the one in which its source goes, and where a person has put a source back.
pub(crate) async fn without_own_outputs(
    broker: &Broker,
    mut sources: Vec<SourceFile>,
) -> Result<Vec<SourceFile>, Error> {
    let locations: HashSet<Location> = sources
        .iter()
        .map(|source| source.input.location.clone())
        .collect();
    let makers = broker.jobs_by_output(locations.iter().cloned()).await?;
    sources.retain(|source| {
        let at = &source.input.location;
        let is_output = makers.get(at).is_some_and(|maker| {
            let from = &maker.job().input.location;
            maker.may_have_replaced() && from != at && locations.contains(from)
        });
        !is_output
    });
    Ok(sources)
}

/// The outputs of one source, and the ladder that they are, if they are one; or why it can have none.
type OutputsOfOne = Result<(Vec<Location>, Option<Ladder>), Unnameable>;

/// The outputs of each source, and the jobs that they belong to.
pub(crate) async fn named(
    broker: &Broker,
    sources: &[SourceFile],
    destination: &Destination,
    set: &OutputSet,
) -> Result<(Vec<OutputsOfOne>, JobsByOutput), Error> {
    let names: Vec<PathBuf> = sources
        .iter()
        .map(|source| destination.name_of(source))
        .collect();
    let named: Vec<NamedSource<'_>> = sources
        .iter()
        .zip(&names)
        .map(|(source, name)| NamedSource {
            name,
            ..source.named()
        })
        .collect();
    let outputs = broker.name_outputs(&named, &destination.folder, set);
    let Outputs {
        outputs,
        ladders,
        jobs_by_output,
    } = outputs.await.map_err(|error| match error {
        NamesError::Naming(error) => Error::usage(error),
        NamesError::Broker(error) => error.into(),
    })?;
    if let Some(target) = &destination.download_to {
        let places: Vec<Location> = outputs
            .iter()
            .flatten()
            .chain(ladders.iter().flatten().map(|ladder| &ladder.master))
            .filter_map(|output| target.place(output))
            .collect();
        naming::refuse_sources(&named, &places).map_err(Error::usage)?;
    }
    let of_each = outputs.chunks(set.recipes().len());
    let of_each = of_each.zip(ladders).map(|(outputs, ladder)| {
        let outputs: Result<Vec<Location>, Unnameable> = outputs.iter().cloned().collect();
        outputs.map(|outputs| (outputs, ladder))
    });
    Ok((of_each.collect(), jobs_by_output))
}

/// What is wanted of sources that have the names of their outputs.
async fn by_name(
    broker: &Broker,
    sources: Vec<SourceFile>,
    destination: &Destination,
    set: &OutputSet,
) -> Result<(Vec<Wanted>, JobsByOutput), Error> {
    let outputs: Vec<Location> = sources
        .iter()
        .map(|source| destination.folder.join(&naming::as_key(&source.name)))
        .collect();
    let inputs = sources.iter().flat_map(|source| {
        source.inputs().map(|input| NamedSource {
            name: &source.name,
            location: &input.location,
        })
    });
    let inputs: Vec<NamedSource<'_>> = inputs.collect();
    let target = destination.download_to.as_ref();
    let places = outputs.iter().map(|output| {
        let place = target.and_then(|target| target.place(output));
        place.unwrap_or_else(|| output.clone())
    });
    let places: Vec<Location> = places.collect();
    naming::refuse_sources(&inputs, &places).map_err(Error::usage)?;
    let jobs_by_output = broker.jobs_by_output(outputs.clone()).await?;
    let wanted = sources
        .iter()
        .zip(outputs)
        .flat_map(|(source, output)| wanted_of(source, (vec![output], None), destination, set));
    Ok((wanted.collect(), jobs_by_output))
}

/// What is wanted of a source whose outputs have these names.
pub(crate) fn wanted_of(
    source: &SourceFile,
    (outputs, ladder): (Vec<Location>, Option<Ladder>),
    destination: &Destination,
    set: &OutputSet,
) -> impl Iterator<Item = Wanted> {
    let replacing = destination.replacing.as_ref();
    let replacement = replacing.map(|replacing| replacing.of(source));
    let outputs = set.recipes().iter().zip(outputs).enumerate();
    outputs.map(move |(number, (recipe, output))| Wanted {
        source: source.clone(),
        recipe: recipe.clone(),
        output,
        ladder: ladder.clone(),
        replacement: replacement.clone(),
        label: set.label(number).map(str::to_owned),
        decided: None,
    })
}

/// The label of a batch: the paths that a person named.
pub(crate) fn label(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}
