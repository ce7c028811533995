//! Serde's messages in plain words, with a way out.

use serde::de::DeserializeOwned;

use crate::names::similar::most_similar;
use crate::recipe::audio::AudioTracks;
use crate::recipe::file::RecipeFile;
use crate::recipe::rate::Rate;
use crate::recipe::subtitles::SubtitleTracks;
use crate::recipe::video::VideoEncode;

/// Types by the names that serde calls them, in words of a file.
const TYPES: &[(&str, &str)] = &[
    ("struct variant", "a table"),
    ("struct", "a table"),
    ("a sequence", "a list, e.g. [\"a\", \"b\"]"),
    ("a map", "a table"),
    ("f64", "a number"),
    ("u8", "a whole number up to 255"),
    ("u32", "a whole number"),
    ("a boolean", "true or false"),
    ("a string", "text in quotes"),
];

/// What is wrong and what to do, from a message of serde.
pub(super) fn explain(message: &str) -> String {
    let message = message.trim();
    if let Some((name, known)) = unknown(message, "unknown field `") {
        let instead = suggestion(&name, &known)
            .or_else(|| belongs(&name))
            .unwrap_or_default();
        return format!(
            "unknown field '{name}'{instead}: known here are {}",
            list(&known)
        );
    }
    // Of the fields of an enum's value, toml says it in its own words.
    if let Some((name, known)) = message
        .strip_prefix("unexpected keys in table: ")
        .and_then(|rest| rest.split_once(", available keys: "))
    {
        let known: Vec<String> = known.split(", ").map(str::to_owned).collect();
        let name = name.split(',').next().unwrap_or(name);
        let instead = suggestion(name, &known).unwrap_or_default();
        return format!(
            "unknown field '{name}'{instead}: known here are {}",
            list(&known)
        );
    }
    if let Some((name, known)) = unknown(message, "unknown variant `") {
        let instead = suggestion(&name, &known).unwrap_or_default();
        return format!(
            "'{name}' is not known here{instead}: one of {}",
            list(&known)
        );
    }
    if let Some(field) = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'))
    {
        return match field {
            "video" => "the field 'video' is missing: give video = \"copy\", or a table [video.encode] with the encoder"
                .to_owned(),
            "with" => "the field 'with' is missing: it chooses the encoder, e.g. with = { codec = \"hevc\" } or { encoder = \"libx265\" }"
                .to_owned(),
            field => format!("the field '{field}' is missing"),
        };
    }
    match message.split_once(", expected ") {
        Some((what, expected)) if what.starts_with("invalid type: ") => {
            let given = what.trim_start_matches("invalid type: ").replace('`', "'");
            format!("{given} is given, and expected is {}", in_words(expected))
        }
        _ => message.replace('\n', " "),
    }
}

fn in_words(expected: &str) -> String {
    let found = TYPES
        .iter()
        .find(|(name, _)| expected == *name || expected.starts_with(&format!("{name} ")));
    found.map_or_else(
        || expected.replace('`', "'"),
        |(_, words)| (*words).to_owned(),
    )
}

/// The unknown name, and the known ones.
fn unknown(message: &str, prefix: &str) -> Option<(String, Vec<String>)> {
    let (name, rest) = message.strip_prefix(prefix)?.split_once('`')?;
    // Names stand between backticks.
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((name.to_owned(), known.collect()))
}

fn list(known: &[String]) -> String {
    match known {
        [] => "none".to_owned(),
        known => known.join(", "),
    }
}

/// ` (did you mean 'crf'?)` for a name that is similar to a known one.
fn suggestion(name: &str, known: &[String]) -> Option<String> {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let meant = most_similar(&name.replace('-', "_"), &known)?;
    Some(format!(" (did you mean '{meant}'?)"))
}

/// Where a field belongs that stands in a wrong table.
fn belongs(name: &str) -> Option<String> {
    let tables: [(&str, Vec<String>); 5] = [
        ("at the top of the file", fields::<RecipeFile>()),
        ("into the table [video.encode]", fields::<VideoEncode>()),
        ("into [video.encode], as rate = { … }", fields::<Rate>()),
        ("into the table [audio_tracks]", fields::<AudioTracks>()),
        (
            "into the table [subtitle_tracks]",
            fields::<SubtitleTracks>(),
        ),
    ];
    let (place, _) = tables
        .into_iter()
        .find(|(_, known)| known.iter().any(|known| known == name))?;
    Some(format!(" (it belongs {place})"))
}

/// The fields of a type, or an enum's values, as serde lists them for a name that it does not know.
pub(super) fn fields<T: DeserializeOwned>() -> Vec<String> {
    let Err(error) = serde_json::from_str::<T>(r#"{"no such name":0}"#) else {
        return Vec::new();
    };
    let message = error.to_string();
    ["unknown field `", "unknown variant `"]
        .into_iter()
        .find_map(|prefix| unknown(&message, prefix))
        .map(|(_, known)| known)
        .unwrap_or_default()
}
