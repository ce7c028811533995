//! `producer merge`: joins files into one, on this machine or on the farm.

use std::path::{Path, PathBuf};

use clap::Args;
use common::job::further::Join;
use common::job::split::Split;
use common::names::location::Location;
use common::recipe::encoder::Codec;
use common::recipe::{Choice, Container, Outputs};
use common::submit::output_set::OutputSet;
use common::submit::terms::Renew;
use tokio_util::sync::CancellationToken;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::encode::{Encode, MachineOptions};
use crate::commands::run::on_farm;
use crate::notify::NotifyOptions;
use crate::recipe::options::RecipeOptions;
use crate::recipe::presets::PresetSource;
use crate::submit::destination::Destination;
use crate::submit::sidecars::SidecarOption;
use crate::submit::sources::{Into, Merge};
use crate::submit::submission::Order;
use crate::submit::terms::JobOptions;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The files in their order; folders with --camera
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The joined file; its extension is the container. With --camera: the folder for the results
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Find recordings that a camera or a DVD has cut into several files, and join each of them
    #[arg(long)]
    pub camera: bool,
    #[command(flatten)]
    pub recipe: RecipeOptions,
    #[command(flatten)]
    pub jobs: JobOptions,
    #[command(flatten)]
    pub notify: NotifyOptions,
    #[command(flatten)]
    pub machine: MachineOptions,
}

pub(crate) async fn run(
    mut options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let told = options.notify.read(!options.jobs.dry_run)?;
    let (folder, name) = match options.camera {
        true => (options.output.clone(), None),
        false => {
            let (folder, name) = split(&options.output)?;
            let container = container(&name, options.recipe.container)?;
            options.recipe.container = Some(container);
            (folder, Some(name))
        }
    };
    let join = match options.recipe.says_how_video_is_made() {
        true => Join::ByRecipe,
        false => Join::CopyIfAlike,
    };
    let source = match settings.names_a_farm() {
        true => PresetSource::FarmByName(settings),
        false => PresetSource::BuiltIn,
    };
    let recipe = options
        .recipe
        .recipe(source, Some(default(options.recipe.container)?))
        .await?;
    if recipe.container.is_ladder() {
        return Err(Error::usage(
            "merge makes one file, and --container cmaf several: join the files first, then make the ladder of the result",
        ));
    }
    // A field that is set goes before the option.
    if let Some(name) = &name {
        container(name, Some(recipe.container))?;
    }
    if recipe.subtitle_tracks.external {
        return Err(Error::usage(
            "merge takes no subtitle files beside its inputs: leave --external-subtitles out, or give each file its \
             subtitles first",
        ));
    }
    if options.jobs.sidecars == Some(SidecarOption::Carry) {
        return Err(Error::usage(
            "merge joins several files, and sidecars fit one of them: leave --sidecars carry out",
        ));
    }
    if let Split::Every(_) = options.jobs.split {
        return Err(Error::usage(
            "merge joins several films, and only one that is alone can be split: leave --split out",
        ));
    }
    if options.jobs.rules.are_given() {
        return Err(Error::usage(
            "--skip-if, --min-saving and --original are about one source, and merge joins several: leave them out",
        ));
    }
    let outputs = OutputSet::new(&recipe, &Outputs::default(), None).map_err(Error::usage)?;
    let merge = Merge {
        into: match name {
            Some(name) => Into::File(name),
            None => Into::Recordings(recipe.container.extension()),
        },
        paths: options.files,
        join,
    };
    let order = Order::Merge(&merge);
    match settings.names_a_farm() {
        true => {
            let request = on_farm::Request {
                order,
                destination: Destination::new(Some(&folder), settings)?,
                outputs,
                jobs: &options.jobs,
                upload_to: settings.store.clone().filter(Location::is_remote),
                require_worker: false,
                wait: true,
                told,
                renew: Renew::Ended,
            };
            request.run(settings, shutdown).await
        }
        false => {
            let (machine, jobs) = (&options.machine, &options.jobs);
            let encode = Encode::prepare(
                order,
                Destination::here(&folder)?,
                (machine, jobs),
                outputs,
                settings,
            )
            .await?;
            encode.run(&told, shutdown).await
        }
    }
}

/// The folder and the name of the output.
fn split(output: &Path) -> Result<(PathBuf, PathBuf), Error> {
    let no_file = || {
        Error::usage(format!(
            "-o {} names no file: give the joined file, e.g. -o joined.mkv",
            output.display()
        ))
    };
    if let Some(text) = output.to_str().filter(|text| text.contains("://")) {
        let location = Location::from_argument(text).map_err(Error::usage)?;
        if location.key().is_empty() {
            return Err(no_file());
        }
        let folder = match location.path() {
            Some(path) => path.parent().map(Path::to_owned).ok_or_else(no_file)?,
            None => PathBuf::from(location.folder().to_string()),
        };
        return Ok((folder, PathBuf::from(location.name())));
    }
    if output.is_dir() {
        return Err(no_file());
    }
    let name = output.file_name().ok_or_else(no_file)?;
    let folder = match output.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok((folder, PathBuf::from(name)))
}

/// The container that a file name says; `named` is that of the options.
fn container(name: &Path, named: Option<Container>) -> Result<Container, Error> {
    let extension = name.extension().unwrap_or_default().to_string_lossy();
    let told = extension.to_ascii_lowercase().parse::<Container>();
    match (told, named) {
        (Ok(told), None) => Ok(told),
        (Ok(told), Some(named)) if told == named => Ok(told),
        (_, Some(named)) => Err(Error::usage(format!(
            "{} is no name for a file in {named}: end it with .{}, or leave that container out",
            name.display(),
            named.extension()
        ))),
        (Err(error), None) => Err(Error::usage(format!("-o {}: {error}", name.display()))),
    }
}

/// The encoder for parts that cannot be copied.
fn default(container: Option<Container>) -> Result<Choice, Error> {
    let holds = |codec| container.is_none_or(|container| container.holds_video(codec));
    let encoder = match holds(Codec::Hevc) {
        true => "libx265",
        false => "libvpx-vp9",
    };
    encoder.parse().map(Choice::Encoder).map_err(Error::usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_says_folder_name_and_container() {
        let split = |text: &str| split(Path::new(text)).map_err(|error| error.to_string());
        let pair = |folder: &str, name: &str| (PathBuf::from(folder), PathBuf::from(name));
        assert_eq!(split("a.mkv"), Ok(pair(".", "a.mkv")));
        assert_eq!(split("out/a.mkv"), Ok(pair("out", "a.mkv")));
        assert_eq!(
            split("s3://media/out/a.mp4"),
            Ok(pair("s3://media/out", "a.mp4"))
        );
        for bad in ["/", "..", "s3://media"] {
            assert!(split(bad).is_err(), "{bad}");
        }
        let of = |name: &str, named| {
            let told = container(Path::new(name), named);
            told.map_err(|error| error.to_string())
        };
        assert_eq!(of("a.MP4", None), Ok(Container::Mp4));
        assert_eq!(of("a.mkv", Some(Container::Mkv)), Ok(Container::Mkv));
        for (name, named) in [
            ("a.mkv", Some(Container::Mp4)),
            ("a", None),
            ("a.txt", None),
        ] {
            assert!(of(name, named).is_err(), "{name}");
        }
    }
}
