//! Rules: sources that are kept, by a condition, by the size of the output, or early.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use common::names::digest::Digest;
use harness::outside::media::Media;
use harness::process::Ran;
use harness::{outside, paths, process, programs};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with sources, and the command that encodes them.
struct Films(TempDir);

impl Films {
    fn new() -> Self {
        let films = Self(paths::test_folder());
        std::fs::create_dir(films.path("in")).unwrap();
        films
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes a source with ffmpeg.
    fn make(&self, name: &str, arguments: &str) {
        let ffmpeg = Command::new(paths::tool("ffmpeg"))
            .args(["-nostdin", "-v", "error"])
            .args("-f lavfi -i testsrc2=size=160x90:rate=25".split(' '))
            .args(arguments.split_whitespace())
            .arg(self.path("in").join(name))
            .output()
            .unwrap();
        assert!(ffmpeg.status.success(), "{ffmpeg:?}");
    }

    async fn encode(&self, arguments: &[&str]) -> Ran {
        let mut command = programs::command("producer", self.0.path());
        command.args(["encode", "in", "-o", "out", "--encoder", "libx264"]);
        command.args(arguments);
        process::run(command).await
    }

    fn made(&self) -> Vec<PathBuf> {
        match self.path("out").exists() {
            true => outside::names(&self.path("out")),
            false => Vec::new(),
        }
    }
}

/// The state of each source, and why it was kept.
fn ends(ran: &Ran) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let jobs = ran.json()["jobs"].as_array().cloned().unwrap_or_default();
    let mut ends: Vec<_> = jobs
        .iter()
        .map(|job| {
            let input = text(&job["input"]);
            let name = input.rsplit('/').next().unwrap_or_default().to_owned();
            (name, text(&job["state"]), text(&job["kept"]))
        })
        .collect();
    ends.sort();
    ends
}

fn owned(ends: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let ends = ends.iter();
    ends.map(|(name, state, why)| ((*name).to_owned(), (*state).to_owned(), (*why).to_owned()))
        .collect()
}

fn digest(path: &Path) -> Digest {
    Digest::of(&std::fs::read(path).unwrap())
}

const FAST: [&str; 2] = ["--encoder-preset", "ultrafast"];
const RULE: &str = "video.codec in [hevc, av1] and height <= 1080";

#[tokio::test]
async fn sources_for_which_a_rule_holds_are_kept_and_others_are_encoded() {
    let films = Films::new();
    films.make(
        "new.mkv",
        "-t 1 -c:v libx265 -preset ultrafast -x265-params log-level=error -pix_fmt yuv420p",
    );
    films.make(
        "old.mp4",
        "-t 1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(981_158_400);
    let source = films.path("in/new.mkv");
    let open = std::fs::File::options().write(true).open(&source).unwrap();
    open.set_modified(old).unwrap();
    let before = outside::files(&films.path("in"));
    let why = format!("a rule holds for it: {RULE}");

    // Before anything is made, each source is told.
    let told = films
        .encode(&["--skip-if", RULE, "--dry-run", "--json"])
        .await;
    let told = told.succeeded().json();
    let of = |name: &str| {
        let all = told.as_array().unwrap().iter();
        let mut all = all.filter(|one| one["input"].as_str().unwrap().ends_with(name));
        all.next().unwrap().clone()
    };
    assert_eq!(
        (of("new.mkv")["would"].clone(), of("new.mkv")["why"].clone()),
        ("keep".into(), why.clone().into())
    );
    assert_eq!(of("old.mp4")["would"], "encode");
    assert_eq!(films.made(), Vec::<PathBuf>::new());

    let rule = |more: &[&'static str]| [&["--skip-if", RULE, "--json"], &FAST[..], more].concat();
    let ran = films.encode(&rule(&[])).await.succeeded();
    let expected = owned(&[("new.mkv", "kept", &why), ("old.mp4", "completed", "")]);
    assert_eq!(ends(&ran), expected);
    assert_eq!(
        (&ran.json()["kept"], &ran.json()["done"]),
        (&1.into(), &1.into())
    );
    assert_eq!(films.made(), [Path::new("old.mkv")]);
    assert_eq!(Media::of(&films.path("out/old.mkv")).film().codec, "h264");

    // The same command again does nothing, and says so.
    let made = outside::which(&films.path("out/old.mkv"));
    let again = films.encode(&rule(&[])).await.succeeded();
    assert_eq!(ends(&again), expected);
    assert_eq!(again.json()["added"], 0);
    assert_eq!(outside::which(&films.path("out/old.mkv")), made);

    // Another rule looks again. The copy of the original is the original, bit by bit and second by second.
    let copied = films
        .encode(&rule(&["--original", "copy"]))
        .await
        .succeeded();
    assert_eq!(ends(&copied), expected);
    assert_eq!(films.made(), [Path::new("new.mkv"), Path::new("old.mkv")]);
    let copy = films.path("out/new.mkv");
    assert_eq!(digest(&copy), digest(&source));
    assert_eq!(copy.metadata().unwrap().modified().unwrap(), old);
    assert_eq!(outside::which(&films.path("out/old.mkv")), made);
    assert_eq!(
        outside::files(&films.path("in")),
        before,
        "sources are never touched"
    );
}

#[tokio::test]
async fn outputs_that_are_larger_are_dropped_and_encodes_that_grow_too_large_are_stopped() {
    let films = Films::new();
    // The short one is encoded whole before its size is looked at, the long one grows for a while.
    films.make(
        "short.mp4",
        "-t 0.2 -c:v libx264 -preset veryslow -crf 45 -pix_fmt yuv420p",
    );
    films.make(
        "long.mp4",
        "-t 120 -c:v libx264 -preset ultrafast -crf 45 -pix_fmt yuv420p",
    );
    let slow = ["--encoder-preset", "veryslow", "--crf", "1", "--json"];
    let ran = films
        .encode(&[&slow[..], &["--min-saving", "10%"]].concat())
        .await;
    let found = ends(&ran.succeeded());
    let [(long, long_end, early), (short, short_end, late)] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!((long.as_str(), long_end.as_str()), ("long.mp4", "kept"));
    assert!(early.starts_with("the encode was stopped early"), "{early}");
    assert_eq!((short.as_str(), short_end.as_str()), ("short.mp4", "kept"));
    assert!(
        late.starts_with("the output had ") && late.contains("at least 10 % smaller"),
        "{late}"
    );
    assert_eq!(
        films.made(),
        Vec::<PathBuf>::new(),
        "nothing is published, and nothing is left"
    );

    // Without the rule, the same output is published, and larger.
    let ran = films.encode(&slow).await.succeeded();
    assert!(
        ends(&ran).iter().all(|(_, state, _)| state == "completed"),
        "{ran:?}"
    );
    let size = |name: &str| films.path(name).metadata().unwrap().len();
    assert!(size("out/long.mkv") > size("in/long.mp4"));
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused_before_anything_starts() {
    let films = Films::new();
    films.make(
        "a.mp4",
        "-t 0.2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    for (arguments, wanted) in [
        (
            &["--skip-if", "heigt <= 1080"][..],
            "at character 1: 'heigt' is no field of a file: did you mean height?",
        ),
        (&["--skip-if", "codec = hevk"], "did you mean hevc?"),
        (
            &["--skip-if", "height = hevc"],
            "height is a number, e.g. 1080",
        ),
        (
            &["--skip-if", "height > 1080 and height < 720"],
            "can never hold",
        ),
        (&["--skip-if", "size >= 0"], "holds for every file"),
        (&["--min-saving", "110%"], "whole percent from 0% to 99%"),
        (
            &["--min-saving", "10%", "--trim", "0-1"],
            "--trim takes a part of it",
        ),
        (
            &["--original", "copy"],
            "give --skip-if or --min-saving too",
        ),
        (
            &[
                "--original",
                "copy",
                "--min-saving",
                "1%",
                "--rendition",
                "90p,48p",
            ],
            "once for every rendition",
        ),
    ] {
        let ran = films.encode(arguments).await;
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(wanted), "{arguments:?}: {}", ran.stderr);
    }
    assert_eq!(films.made(), Vec::<PathBuf>::new());
}
