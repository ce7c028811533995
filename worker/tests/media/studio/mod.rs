//! A folder in which tests make inputs and encode them, by the steps of an attempt that need no farm.

mod bluray;
mod inputs;
mod named;
mod outputs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use common::farm::card::Proof;
use common::job::changes::Change;
use common::job::failure::Failure;
use common::job::further::{FurtherRole, Join};
use common::job::run::quality::{FoundQuality, OutputQuality};
use common::recipe::encoder::{Encoder, EncoderKind};
use common::recipe::{Choice, Recipe, Video, VideoEncode};
use tokio_util::sync::CancellationToken;
use worker::attempt::quality::target::Alone;
use worker::attempt::rules::OutputLimit;
use worker::attempt::scratch::{AttemptFolder, Scratch};
use worker::attempt::steps::{EncodeEnd, Encoded, Notice, Prepared, Probed, Share, Verified};
use worker::attempt::survey::survey;
use worker::attempt::verify::gate::{Checked, Depth};
use worker::ffmpeg::build::Build;
use worker::ffmpeg::probe::media::Media;
use worker::ffmpeg::probe::probe;
use worker::ffmpeg::run::Limits;
use worker::ffmpeg::run::runner::Runner;
use worker::ffmpeg::{Source, Tools, arguments};
use worker::sandbox::resources::Resources;
use worker::sandbox::{Sandbox, Wrapper};

pub(crate) use bluray::bluray;
use named::further;

/// The name of the output.
const OUTPUT: &str = "output";

/// A recipe with one encoder.
pub(crate) fn recipe(encoder: &str) -> Recipe {
    let encoder = encoder.parse().expect("an encoder");
    Recipe::encode(VideoEncode::new(Choice::Encoder(encoder))).expect("a sound recipe")
}

/// A recipe that copies the video.
pub(crate) fn copy() -> Recipe {
    recipe("libx264")
        .edit(|draft| draft.video = Video::Copy)
        .expect("a sound recipe")
}

/// The recipe with its video part changed.
pub(crate) fn with(recipe: Recipe, change: impl FnOnce(&mut VideoEncode)) -> Recipe {
    let edited = recipe.edit(|draft| {
        if let Video::Encode(video) = &mut draft.video {
            change(video);
        }
    });
    edited.expect("a sound recipe")
}

/// The proof of an encoder of these tests.
fn proof(encoder: &Encoder) -> Proof {
    let formats: &[&str] = match encoder.as_str() {
        "libvvenc" => &["yuv420p10le"],
        "libx264" | "libx265" | "libsvtav1" | "libaom-av1" | "libvpx-vp9" | "ffv1" => {
            &["yuv420p", "yuv420p10le"]
        }
        "prores_ks" => &["yuv422p10le"],
        "dnxhd" => &["yuv422p", "yuv422p10le"],
        _ => &["yuv420p"],
    };
    Proof {
        kind: EncoderKind::Software,
        pixel_formats: formats.iter().map(ToString::to_string).collect(),
        largest: (4096, 2160),
        fps: 100.0,
        sessions: None,
        device_arguments: Vec::new(),
        encoder_arguments: Vec::new(),
    }
}

/// The encoder of a recipe's video, with its proof.
pub(crate) fn encoder(recipe: &Recipe) -> Option<(Encoder, Proof)> {
    recipe.video_encode().map(|video| match &video.with {
        Choice::Encoder(encoder) => (encoder.clone(), proof(encoder)),
        choice => panic!("an encoder, not {choice}"),
    })
}

/// Two folders that go with the test: one for inputs, and ffmpeg's scratch.
pub(crate) struct Studio {
    inputs: tempfile::TempDir,
    attempt: Arc<AttemptFolder>,
    _scratch: Scratch,
    _base: tempfile::TempDir,
    tools: Tools,
    /// The ffmpeg and the ffprobe that look at outputs: recent ones, because they see more.
    judge: Tools,
}

impl Studio {
    /// A studio with the ffmpeg of the system, or with the one that the environment names.
    pub(crate) fn new() -> Self {
        let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let tools = Tools::find(named("FFMPEG"), named("FFPROBE"));
        let tools = tools.expect("ffmpeg is installed");
        Self::with(tools.clone(), tools)
    }

    /// One studio with the ffmpeg of the system and one with a recent ffmpeg: the two behave differently.
    pub(crate) fn each() -> [Self; 2] {
        let recent = Path::new(env!("CARGO_BIN_EXE_worker"))
            .ancestors()
            .map(|folder| folder.join("tools/ffmpeg-recent"))
            .find(|folder| folder.is_dir())
            .expect("run `tests/setup test` first (`make test` does)");
        let tools = Tools::find(Some(recent.join("ffmpeg")), Some(recent.join("ffprobe")));
        let recent = tools.expect("both were brought");
        let old = Self {
            judge: recent.clone(),
            ..Self::new()
        };
        [old, Self::with(recent.clone(), recent)]
    }

    fn with(tools: Tools, judge: Tools) -> Self {
        let base = tempfile::tempdir().expect("a folder");
        let name = "studio".parse().expect("a name");
        let scratch = Scratch::open(base.path(), &name).expect("a folder");
        Self {
            inputs: tempfile::tempdir().expect("a folder"),
            attempt: Arc::new(scratch.proof().expect("a folder")),
            _scratch: scratch,
            _base: base,
            tools,
            judge,
        }
    }

    /// The build of this ffmpeg; asked for once.
    pub(crate) fn build(&self) -> Build {
        static BUILDS: Mutex<BTreeMap<PathBuf, Build>> = Mutex::new(BTreeMap::new());
        let mut builds = BUILDS.lock().expect("nobody panicked over it");
        let told = builds.entry(self.tools.ffmpeg.clone());
        told.or_insert_with(|| self.ask_for_build()).clone()
    }

    fn ask_for_build(&self) -> Build {
        let ask = |what: &str| {
            let answer = Command::new(&self.tools.ffmpeg)
                .args(["-v", "error", what])
                .output();
            String::from_utf8(answer.expect("ffmpeg runs").stdout).expect("text")
        };
        let version = ask("-version");
        let version = version.split(' ').nth(2).expect("a version");
        let second = |text: String| -> Vec<String> {
            let words = text
                .lines()
                .filter_map(|line| line.split_whitespace().nth(1));
            words.map(str::to_owned).collect()
        };
        Build::new(version, second(ask("-filters")), second(ask("-encoders")))
    }

    pub(crate) fn runner(&self, read: &Path) -> Runner {
        Runner {
            tools: self.tools.clone(),
            sandbox: Sandbox {
                wrapper: Some(Wrapper::new(env!("CARGO_BIN_EXE_worker"))),
                read: vec![read.to_owned()],
                home: self.attempt.path().to_owned(),
                writes: false,
                connects: Vec::new(),
                resources: Resources::default(),
                background: false,
            },
            limits: Limits::default(),
            stop: CancellationToken::new(),
        }
    }

    pub(crate) async fn probe(&self, source: &Path) -> Result<Media, Failure> {
        probe(&self.runner(source), &Source::File(source.to_owned())).await
    }

    /// Encodes and checks.
    pub(crate) async fn encode(&self, source: &Path, recipe: &Recipe) -> Result<Checked, Failure> {
        self.encode_and(source, recipe, |_| {}).await
    }

    /// Encodes, changes the output, and checks.
    pub(crate) async fn encode_and(
        &self,
        source: &Path,
        recipe: &Recipe,
        harm: impl FnOnce(&Path),
    ) -> Result<Checked, Failure> {
        self.encode_to(source, recipe, Depth::Full, harm).await
    }

    pub(crate) async fn encode_to(
        &self,
        source: &Path,
        recipe: &Recipe,
        depth: Depth,
        harm: impl FnOnce(&Path),
    ) -> Result<Checked, Failure> {
        let quiet = |_: Notice<'_>| {};
        self.encode_telling(source, recipe, depth, harm, quiet)
            .await
    }

    /// The output with all that its job knows about it.
    pub(crate) async fn verified(
        &self,
        source: &Path,
        recipe: &Recipe,
    ) -> Result<Verified, Failure> {
        let probed = self.searched(source, recipe, &|_| {}).await?;
        whole(probed, |_| {}).await?.verify(Depth::Full).await
    }

    /// Encodes and checks, and passes on what is told meanwhile.
    pub(crate) async fn encode_telling(
        &self,
        source: &Path,
        recipe: &Recipe,
        depth: Depth,
        harm: impl FnOnce(&Path),
        notify: impl FnMut(Notice<'_>),
    ) -> Result<Checked, Failure> {
        let probed = self.searched(source, recipe, &|_| {}).await?;
        let encoded = whole(probed, notify).await?;
        harm(&encoded.probed.prepared.output_path());
        Ok(encoded.verify(depth).await?.checked)
    }

    /// Encodes within a limit of the size. Returns the estimated size of an output that would be too large.
    pub(crate) async fn encode_within(
        &self,
        source: &Path,
        recipe: &Recipe,
        limit: OutputLimit,
        notify: impl FnMut(Notice<'_>),
    ) -> Option<u64> {
        let probed = self.searched(source, recipe, &|_| {}).await;
        let end = probed.expect("probed").encode_within(Some(limit), notify);
        match end.await.expect("no failure") {
            EncodeEnd::Made(_) => None,
            EncodeEnd::TooLarge { would_be, .. } => Some(would_be),
        }
    }

    /// Encodes an input with files beside it, and checks.
    pub(crate) async fn encode_with(
        &self,
        source: &Path,
        further: Vec<(FurtherRole, Source)>,
        recipe: &Recipe,
    ) -> Result<Checked, Failure> {
        let prepared = Prepared {
            further,
            ..self.prepared(source, recipe)
        };
        let encoder = encoder(recipe);
        let encoder = encoder.as_ref().map(|(encoder, proof)| (encoder, proof));
        let probed = prepared.probe(encoder, &self.build()).await?;
        let encoded = whole(probed, |_| {}).await?;
        Ok(encoded.verify(Depth::Full).await?.checked)
    }

    fn prepared(&self, source: &Path, recipe: &Recipe) -> Prepared {
        Prepared {
            recipe: recipe.clone(),
            source: Source::File(source.to_owned()),
            further: further(recipe),
            outline: None,
            seen: None,
            lost: Vec::new(),
            attributes: None,
            folder: Arc::clone(&self.attempt),
            runner: self.runner(source),
        }
    }

    /// Encodes, and stops it at the first progress of a run with such a share.
    pub(crate) async fn stop_at(
        &self,
        source: &Path,
        recipe: &Recipe,
        is_due: impl Fn(Share) -> bool,
    ) -> Result<(), Failure> {
        let prepared = self.prepared(source, recipe);
        let stop = prepared.runner.stop.clone();
        let encoder = encoder(recipe);
        let encoder = encoder.as_ref().map(|(encoder, proof)| (encoder, proof));
        let probed = prepared.probe(encoder, &self.build()).await?;
        let notify = |notice: Notice<'_>| {
            if let Notice::Progress(_, share) = notice
                && is_due(share)
            {
                stop.cancel();
            }
        };
        whole(probed, notify).await.map(|_| ())
    }

    /// The steps before the encode.
    async fn searched(
        &self,
        source: &Path,
        recipe: &Recipe,
        on_progress: &(dyn Fn(f32) + Send + Sync),
    ) -> Result<Probed, Failure> {
        let prepared = self.prepared(source, recipe);
        let encoder = encoder(recipe);
        let encoder = encoder.as_ref().map(|(encoder, proof)| (encoder, proof));
        let build = self.build();
        let probed = prepared.probe(encoder, &build).await?;
        let me = "studio".parse().expect("a name");
        probed
            .search(encoder, &build, me, &Alone, on_progress)
            .await
    }

    /// The quality that reaches the recipe's target, and the progress of the search.
    pub(crate) async fn search(
        &self,
        source: &Path,
        recipe: &Recipe,
    ) -> Result<(FoundQuality, Vec<f32>), Failure> {
        let shares = Mutex::new(Vec::new());
        let on_progress = |share| shares.lock().expect("whole").push(share);
        let probed = self.searched(source, recipe, &on_progress).await?;
        let shares = shares.lock().expect("whole").clone();
        Ok((probed.found.expect("a target"), shares))
    }

    /// Encodes and checks, and returns the score that the floor was compared with.
    pub(crate) async fn floor(
        &self,
        source: &Path,
        recipe: &Recipe,
    ) -> Result<OutputQuality, Failure> {
        let probed = self.searched(source, recipe, &|_| {}).await?;
        let verified = whole(probed, |_| {}).await?.verify(Depth::Full).await?;
        Ok(verified.measured.expect("a floor"))
    }

    /// The path of this ffmpeg.
    pub(crate) fn tool(&self) -> &Path {
        &self.tools.ffmpeg
    }

    /// Joins parts, whose titles are their names, encodes and checks.
    pub(crate) async fn join(
        &self,
        parts: &[PathBuf],
        recipe: &Recipe,
        join: Join,
    ) -> Result<Checked, Failure> {
        let mut runner = self.runner(&parts[0]);
        runner.sandbox.read.extend(parts.iter().cloned());
        let later = parts[1..].iter();
        let role = FurtherRole::Continuation(join);
        let prepared = Prepared {
            recipe: recipe.clone(),
            source: Source::File(parts[0].clone()),
            further: later
                .map(|part| (role.clone(), Source::File(part.clone())))
                .collect(),
            outline: None,
            seen: None,
            lost: Vec::new(),
            attributes: None,
            folder: Arc::clone(&self.attempt),
            runner,
        };
        let stem = |part: &PathBuf| part.file_stem().expect("a name").to_string_lossy().into();
        let titles: Vec<String> = parts.iter().map(stem).collect();
        let joined = prepared.join(&titles).await?;
        let encoder = encoder(&joined.recipe);
        let encoder = encoder.as_ref().map(|(encoder, proof)| (encoder, proof));
        let build = self.build();
        let probed = joined.probe(encoder, &build).await?;
        let me = "studio".parse().expect("a name");
        let probed = probed.search(encoder, &build, me, &Alone, &|_| {}).await?;
        let encoded = whole(probed, |_| {}).await?;
        Ok(encoded.verify(Depth::Full).await?.checked)
    }

    /// An ffmpeg command that prints errors only.
    pub(crate) fn ffmpeg(&self) -> Command {
        let mut ffmpeg = Command::new(&self.tools.ffmpeg);
        ffmpeg.args(["-nostdin", "-hide_banner", "-v", "error", "-y"]);
        ffmpeg
    }

    /// An ffprobe command that prints values only.
    pub(crate) fn ffprobe(&self) -> Command {
        let mut ffprobe = Command::new(&self.tools.ffprobe);
        ffprobe.args(["-v", "error", "-of", "csv=p=0"]);
        ffprobe
    }

    /// The changes that are foreseen, without an encode.
    pub(crate) async fn foresee(
        &self,
        source: &Path,
        recipe: &Recipe,
    ) -> Result<Vec<Change>, Failure> {
        let media = self.probe(source).await?;
        let encoder = encoder(recipe);
        let encoder = encoder.as_ref().map(|(encoder, proof)| (encoder, proof));
        let runner = self.runner(source);
        let source = Source::File(source.to_owned());
        let mut findings = survey(recipe, &media, &runner, &source, None).await?;
        let media = findings.applied_to(recipe, &media);
        let made = arguments::encode(
            recipe,
            &media,
            &findings,
            encoder,
            &self.build(),
            &source,
            &self.output(),
        );
        made.map(|made| made.changes)
    }

    /// Whether this ffmpeg has the encoder.
    pub(crate) fn has(&self, encoder: &str) -> bool {
        let asked = Command::new(&self.tools.ffmpeg)
            .args(["-v", "error", "-h"])
            .arg(format!("encoder={encoder}"))
            .output();
        let told = String::from_utf8(asked.expect("ffmpeg runs").stdout).expect("text");
        told.starts_with("Encoder")
    }

    /// Whether this ffmpeg passes the side data of frames on to every encoder.
    pub(crate) fn is_recent(&self) -> bool {
        self.build().hands_frame_data_on()
    }

    /// The output of the last encode.
    pub(crate) fn output(&self) -> PathBuf {
        self.attempt.path().join(OUTPUT)
    }
}

/// Encodes without a limit of the size.
async fn whole(probed: Probed, notify: impl FnMut(Notice<'_>)) -> Result<Encoded, Failure> {
    match probed.encode_within(None, notify).await? {
        EncodeEnd::Made(encoded) => Ok(*encoded),
        EncodeEnd::TooLarge { .. } => panic!("there is no limit"),
    }
}
