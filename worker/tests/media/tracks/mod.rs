//! Tracks and their properties, with both builds of ffmpeg. The tests look at outputs with ffprobe and mkvmerge.

mod extras;
mod subtitles;
mod tags;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::job::changes::{Fate, Kind};
use common::recipe::{Container, Recipe};
use serde_json::Value;
use worker::ffmpeg::findings::Findings;

use crate::studio;
use crate::studio::Studio;

/// The inputs for a second of film and sound, as arguments.
const FILM: &str = "-f lavfi -i testsrc2=size=160x90:rate=25:d=1 -f lavfi -i sine=d=1";

/// The codecs of film and sound, as arguments.
const CODED: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac";

/// The containers of films in one file.
const FILMS: [Container; 4] = [
    Container::Mkv,
    Container::Mp4,
    Container::Mov,
    Container::Webm,
];

/// A recipe that encodes the film, and keeps the sound if the container holds it.
fn recipe(container: Container) -> Recipe {
    let (encoder, audio) = match container {
        Container::Webm => ("libvpx-vp9", "libopus"),
        _ => ("libx264", "copy"),
    };
    let quick = studio::with(studio::recipe(encoder), |video| {
        let quickest = if encoder == "libx264" {
            "ultrafast"
        } else {
            "8"
        };
        video.preset = Some(quickest.parse().expect("a token"));
    });
    quick
        .edit(|draft| {
            draft.container = container;
            draft.audio = audio.parse().expect("audio");
        })
        .expect("a sound recipe")
}

/// Encodes by the recipe of a container; returns the output as ffprobe prints it.
async fn encode(studio: &Studio, source: &Path, container: Container) -> Value {
    let checked = studio.encode(source, &recipe(container)).await;
    checked.unwrap_or_else(|failure| panic!("{} to {container}: {failure:?}", source.display()));
    studio.probed()
}

/// The changes that are foreseen for an input.
async fn foreseen(studio: &Studio, source: &Path, container: Container) -> Vec<(Fate, Kind)> {
    let media = studio.probe(source).await.expect("media");
    let tracks =
        worker::ffmpeg::tracks::Tracks::choose(&recipe(container), &media, &Findings::default());
    let changes = tracks.expect("tracks").changes;
    let told = changes.iter().map(|change| (change.fate, change.kind));
    told.collect()
}

fn mkvmerge(arguments: &[&str]) -> Value {
    let done = Command::new("mkvmerge").args(arguments).output();
    let done = done.expect("mkvmerge is installed");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{arguments:?}: {said}");
    serde_json::from_str(&said).unwrap_or(Value::Null)
}

/// Joins inputs with mkvmerge.
fn join(studio: &Studio, name: &str, arguments: &[&str]) -> PathBuf {
    let path = studio.path(name);
    let to = path.to_str().expect("text");
    mkvmerge(&[&["-q", "-o", to], arguments].concat());
    path
}

/// The output as mkvmerge identifies it. mkvmerge reads all of it, and fails if it finds a fault.
fn identify(studio: &Studio) -> Value {
    let output = studio.output();
    let output = output.to_str().expect("text");
    let whole = studio.path("whole.mkv");
    mkvmerge(&["-q", "-o", whole.to_str().expect("text"), output]);
    mkvmerge(&["-J", output])
}

fn list<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value[key]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .collect()
}

/// The dispositions of each stream.
fn marks(probed: &Value) -> Vec<String> {
    let of = |stream: &Value| {
        let marks = stream["disposition"].as_object().expect("marks");
        let set = marks.iter().filter(|(_, is_set)| **is_set == 1);
        set.map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join("+")
    };
    list(probed, "streams").into_iter().map(of).collect()
}

/// A tag of each stream, with its name in any case; empty for a stream without the tag.
fn tags(probed: &Value, key: &str) -> Vec<String> {
    let streams = list(probed, "streams").into_iter();
    streams.map(|stream| tag(stream, key)).collect()
}

fn tag(of: &Value, key: &str) -> String {
    let tags = of["tags"].as_object();
    let mut tags = tags.into_iter().flatten();
    tags.find(|(name, _)| name.eq_ignore_ascii_case(key))
        .and_then(|(_, value)| value.as_str())
        .unwrap_or_default()
        .to_owned()
}

fn codecs(probed: &Value) -> Vec<&str> {
    let streams = list(probed, "streams").into_iter();
    streams
        .map(|stream| stream["codec_name"].as_str().unwrap_or("none"))
        .collect()
}

fn write(studio: &Studio, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = studio.path(name);
    std::fs::write(&path, text).expect("room");
    path.to_str().expect("text").to_owned()
}

const TEXT: &str = "1\n00:00:00,100 --> 00:00:00,500\n<i>Hallo</i> Wörld\n\n2\n00:00:00,600 --> 00:00:00,900\nagain\n\n";

/// The text of the output's first subtitles, as SubRip.
fn text(studio: &Studio) -> String {
    let path = studio.path("out.srt");
    studio.make(
        "out.srt",
        &format!("-i {} -map 0:s:0", studio.output().display()),
    );
    String::from_utf8_lossy(&std::fs::read(path).expect("text")).into_owned()
}
