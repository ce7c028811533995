//! `producer presets import`: recipes of HandBrake's presets and of ffmpeg's command lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use common::names::printable::printable;
use common::names::token::Token;
use common::recipe::RecipeFile;
use common::say;
use serde::Serialize;

use super::keep;
use super::show::{Written, may_write, print_written, write};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::output;
use crate::recipe::import::{Imported, command_line, handbrake};

/// The largest file that is read.
const LARGEST: u64 = 16 << 20;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("from").required(true).args(["file", "command"])))]
#[command(group(ArgGroup::new("to").args(["save", "output"])))]
pub(crate) struct Import {
    /// HandBrake's presets as JSON, or a text file with a command line of ffmpeg
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// A command line of ffmpeg, in one argument: "ffmpeg -i in.mkv -c:v libx265 -crf 20 out.mkv"
    #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
    pub command: Option<String>,
    /// Only the preset of this name, of a file with several
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// Save it in the farm under this name
    #[arg(long, value_name = "NAME")]
    pub save: Option<Token>,
    /// Write it to this .toml or .json file; several presets: to a file each in this folder
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: Option<PathBuf>,
    /// Replace what is there
    #[arg(long)]
    pub overwrite: bool,
    /// Fail if something cannot be carried over
    #[arg(long)]
    pub strict: bool,
}

#[derive(Serialize)]
struct ImportedJson<'a> {
    name: &'a str,
    recipe: RecipeFile,
    left_out: &'a [String],
}

pub(super) async fn import(
    options: Import,
    settings: &Settings,
    json: bool,
) -> Result<Exit, Error> {
    let (imported, refused) = read(&options)?;
    for why in &refused {
        say!("not imported: {why}");
    }
    for one in &imported {
        for line in &one.left_out {
            say!("left out of {}: {line}", one.name);
        }
    }
    let is_whole = refused.is_empty() && imported.iter().all(|one| one.left_out.is_empty());
    if options.strict && !is_whole {
        return Err(Error::failed(
            "not everything can be carried over, and --strict is given: nothing is written",
        ));
    }
    match (&options.save, &options.output) {
        (Some(name), _) => {
            let preset = single(imported)?.preset;
            keep(name, &preset, options.overwrite, settings, json).await?;
        }
        (None, Some(path)) => {
            print_written(&to_files(imported, path, options.overwrite)?, json)?;
        }
        (None, None) if json => {
            let lines: Vec<ImportedJson<'_>> = imported
                .iter()
                .map(|one| ImportedJson {
                    name: &one.name,
                    recipe: RecipeFile::from(one.preset.clone()),
                    left_out: &one.left_out,
                })
                .collect();
            output::print_json(&lines)?;
        }
        (None, None) => output::print(&RecipeFile::from(single(imported)?.preset).to_toml()),
    }
    Ok(if refused.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// The presets that were read, and why others were not.
fn read(options: &Import) -> Result<(Vec<Imported>, Vec<String>), Error> {
    let (what, text) = match (&options.command, &options.file) {
        (Some(line), _) => ("--command".to_owned(), line.clone()),
        (None, Some(path)) => (printable(&path.display().to_string()), text(path)?),
        (None, None) => return Err(Error::usage("name a file, or give --command")),
    };
    let usage = |why: String| Error::usage(format!("{what}: {why}"));
    // JSON begins with a bracket, and no command does.
    if !text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with(['{', '['])
    {
        let text = without_comments(&text);
        return Ok((vec![command_line::read(&text).map_err(usage)?], Vec::new()));
    }
    let text = text.trim_start_matches('\u{feff}');
    let (mut imported, mut refused) = (Vec::new(), Vec::new());
    for one in handbrake::read(text).map_err(usage)? {
        match one {
            Ok(one) => imported.push(one),
            Err(why) => refused.push(why),
        }
    }
    if let Some(only) = &options.only {
        let names: Vec<String> = imported.iter().map(|one| one.name.clone()).collect();
        imported.retain(|one| one.name == *only);
        refused.clear();
        if imported.is_empty() {
            return Err(usage(format!(
                "it has no preset '{only}': there are {}",
                names.join(", ")
            )));
        }
    }
    match (imported.is_empty(), refused.first()) {
        (true, Some(why)) => Err(usage(why.clone())),
        _ => Ok((imported, refused)),
    }
}

fn text(path: &Path) -> Result<String, Error> {
    let shown = printable(&path.display().to_string());
    let failed = |error: std::io::Error| Error::usage(format!("{shown}: {error}"));
    if std::fs::metadata(path).map_err(failed)?.len() > LARGEST {
        return Err(Error::usage(format!(
            "{shown}: it is too large for a preset"
        )));
    }
    std::fs::read_to_string(path).map_err(failed)
}

/// A script's command without its comments.
fn without_comments(text: &str) -> String {
    let is_code = |line: &&str| !line.trim_start().starts_with('#');
    let lines: Vec<&str> = text.lines().filter(is_code).collect();
    lines.join("\n")
}

fn single(mut imported: Vec<Imported>) -> Result<Imported, Error> {
    match (imported.pop(), imported.is_empty()) {
        (Some(one), true) => Ok(one),
        (last, _) => {
            let names = imported.iter().chain(&last).map(|one| one.name.as_str());
            let names: Vec<&str> = names.collect();
            Err(Error::usage(format!(
                "there are several presets: choose one with --only, or write all with -o DIR. They are {}",
                names.join(", ")
            )))
        }
    }
}

/// Writes one preset to a file, or several to a folder: all of them or none.
fn to_files(
    mut imported: Vec<Imported>,
    path: &Path,
    overwrite: bool,
) -> Result<Vec<Written>, Error> {
    let is_file = path
        .extension()
        .is_some_and(|end| end == "toml" || end == "json");
    if is_file {
        return Ok(vec![write(path, single(imported)?.preset, overwrite)?]);
    }
    std::fs::create_dir_all(path)
        .map_err(|error| Error::failed(format!("{}: {error}", path.display())))?;
    imported.sort_by(|one, other| one.name.cmp(&other.name));
    let mut files: BTreeMap<PathBuf, Imported> = BTreeMap::new();
    for one in imported {
        let name = Token::sanitised(&one.name.to_lowercase());
        let file = path.join(format!("{name}.toml"));
        may_write(&file, overwrite)?;
        if let Some(other) = files.get(&file) {
            return Err(Error::failed(format!(
                "the presets {} and {} would both be written to {}: choose one with --only. Nothing was written",
                printable(&other.name),
                printable(&one.name),
                printable(&file.display().to_string())
            )));
        }
        files.insert(file, one);
    }
    let write = |(file, one): (PathBuf, Imported)| write(&file, one.preset, overwrite);
    files.into_iter().map(write).collect()
}

#[cfg(test)]
mod tests {
    use common::recipe::Recipe;
    use common::recipe::preset::Preset;

    use super::*;

    fn named(names: &[&str]) -> Vec<Imported> {
        let one = |name: &&str| Imported {
            name: (*name).to_owned(),
            preset: Preset::new(Recipe::copy(), None).expect("sound"),
            left_out: Vec::new(),
        };
        names.iter().map(one).collect()
    }

    #[test]
    fn presets_never_replace_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let to = folder.path().join("presets");
        let there = || std::fs::read_dir(&to).expect("there").count();
        let both = named(&["A", "Fast 1080p", "fast-1080p"]);
        let error = to_files(both, &to, true).map(drop).expect_err("one name");
        assert!(error.to_string().contains("--only"), "{error}");
        assert_eq!(there(), 0);
        to_files(named(&["B"]), &to, false).expect("written");
        let error = to_files(named(&["A", "B"]), &to, false).map(drop);
        let error = error.expect_err("there already").to_string();
        assert!(error.contains("--overwrite"), "{error}");
        // One preset and the schema.
        assert_eq!(there(), 2);
    }
}
