//! A folder to make inputs in and to encode them, by the steps of an attempt that need no farm.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use common::farm::card::Proof;
use common::job::changes::Change;
use common::job::failure::Failure;
use common::recipe::encoder::{Encoder, EncoderKind};
use common::recipe::{Choice, Recipe, Video, VideoEncode};
use tokio_util::sync::CancellationToken;
use worker::attempt::scratch::{AttemptFolder, Scratch};
use worker::attempt::steps::Prepared;
use worker::attempt::verify::gate::{Checked, Depth};
use worker::ffmpeg::build::Build;
use worker::ffmpeg::probe::media::Media;
use worker::ffmpeg::probe::probe;
use worker::ffmpeg::run::Limits;
use worker::ffmpeg::run::runner::Runner;
use worker::ffmpeg::{Source, Tools, arguments};
use worker::sandbox::Sandbox;

/// What the output is called.
const OUTPUT: &str = "output";

/// A recipe of one encoder.
pub(crate) fn recipe(encoder: &str) -> Recipe {
    let encoder = encoder.parse().expect("an encoder");
    Recipe::encode(VideoEncode::new(Choice::Encoder(encoder)))
}

/// A recipe that keeps video as it is.
pub(crate) fn copy() -> Recipe {
    Recipe {
        video: Video::Copy,
        ..recipe("libx264")
    }
}

/// The recipe with its video part changed.
pub(crate) fn with(mut recipe: Recipe, change: impl FnOnce(&mut VideoEncode)) -> Recipe {
    if let Video::Encode(video) = &mut recipe.video {
        change(video);
    }
    recipe
}

/// What the software encoders of these tests make.
fn proof(encoder: &Encoder) -> Proof {
    let deep = matches!(
        encoder.as_str(),
        "libx264" | "libx265" | "libsvtav1" | "libvpx-vp9" | "ffv1"
    );
    let formats: &[&str] = if deep {
        &["yuv420p", "yuv420p10le"]
    } else {
        &["yuv420p"]
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

/// What encodes a recipe's video.
fn encoder(recipe: &Recipe) -> Option<(Encoder, Proof)> {
    recipe.video_encode().map(|video| match &video.with {
        Choice::Encoder(encoder) => (encoder.clone(), proof(encoder)),
        choice => panic!("an encoder, not {choice}"),
    })
}

/// Two folders that go with the test: inputs, and ffmpeg's scratch.
pub(crate) struct Studio {
    inputs: tempfile::TempDir,
    attempt: Arc<AttemptFolder>,
    _scratch: Scratch,
    _base: tempfile::TempDir,
    tools: Tools,
    /// The ffmpeg and ffprobe that look at outputs: a recent one sees more.
    judge: Tools,
}

impl Studio {
    /// With the ffmpeg of the system, or the one that the environment names.
    pub(crate) fn new() -> Self {
        let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let tools = Tools::find(named("FFMPEG"), named("FFPROBE"));
        let tools = tools.expect("ffmpeg is installed");
        Self::with(tools.clone(), tools)
    }

    /// One with the ffmpeg of the system and one with a recent ffmpeg: what holds for one need not hold for the other.
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

    /// Where an input of this name would be.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.inputs.path().join(name)
    }

    /// A clip of 160×90 at 25 frames a second.
    pub(crate) fn clip(&self, name: &str, arguments: &str) -> PathBuf {
        let test = "-f lavfi -i testsrc2=size=160x90:rate=25";
        self.make(name, &format!("{test} {arguments}"))
    }

    /// A second of sound without a picture.
    pub(crate) fn sound(&self) -> PathBuf {
        self.make("sound.m4a", "-f lavfi -i sine -t 1 -c:a aac")
    }

    /// A clip that players turn by a quarter.
    pub(crate) fn rotated(&self) -> PathBuf {
        let plain = self.clip(
            "plain.mp4",
            "-frames:v 6 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
        );
        let mut bytes = std::fs::read(&plain).expect("bytes");
        // The unit matrix in the track's header, as every version of ffmpeg writes it, becomes one that turns.
        let matrix = |a: i32, b: i32, c: i32, d: i32| -> Vec<u8> {
            [a, b, 0, c, d, 0, 0, 0, 0x4000_0000]
                .iter()
                .flat_map(|n| n.to_be_bytes())
                .collect()
        };
        let one = 0x1_0000;
        let unit = matrix(one, 0, 0, one);
        let place = |bytes: &[u8], from: usize| {
            from + bytes[from..]
                .windows(unit.len())
                .position(|window| window == unit)
                .expect("a matrix")
        };
        // The first one is the whole film's.
        let first = place(&bytes, 0);
        let second = place(&bytes, first + 1);
        bytes[second..second + unit.len()].copy_from_slice(&matrix(0, one, -one, 0));
        let path = self.path("rotated.mp4");
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// Two sounds, 2 and 6 channels, and subtitles.
    pub(crate) fn tracks(&self) -> PathBuf {
        let text = self.path("text.srt");
        std::fs::write(&text, "1\n00:00:00,100 --> 00:00:00,900\nGood morning.\n")
            .expect("written");
        self.make(
            "tracks.mkv",
            &format!(
                "-f lavfi -i testsrc2=size=160x90:rate=25 -f lavfi -i sine -i {} -map 0 -map 1 -map 1 -map 2 -t 1.2 \
                 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a:0 aac -ac:a:0 2 -c:a:1 ac3 -ac:a:1 6 -c:s srt",
                text.display()
            ),
        )
    }

    /// Five lossless pictures of this size.
    pub(crate) fn picture(&self, path: &Path, size: &str) {
        let name = path.file_name().expect("a name").to_string_lossy();
        let source = format!("-f lavfi -i testsrc2=size={size}:rate=25");
        self.make(&name, &format!("{source} -frames:v 5 -c:v ffv1"));
    }

    /// Where the packets of the first stream of a kind lie in a file: offsets and sizes in bytes.
    pub(crate) fn packets(&self, file: &Path, kind: &str) -> Vec<(usize, usize)> {
        let answer = Command::new(&self.tools.ffprobe)
            .args(["-v", "error", "-of", "csv=p=0", "-select_streams"])
            .arg(format!("{kind}:0"))
            .args(["-show_entries", "packet=pos,size"])
            .arg(file)
            .output()
            .expect("ffprobe runs");
        let answer = String::from_utf8(answer.stdout).expect("text");
        let number = |text: &str| text.trim_end_matches(',').parse().expect("a number");
        answer
            .lines()
            .filter_map(|line| line.split_once(','))
            // As ffprobe orders them.
            .map(|(size, place)| (number(place), number(size)))
            .collect()
    }

    /// How many packets the first stream of a kind has.
    pub(crate) fn count_packets(&self, file: &Path, kind: &str) -> usize {
        let answer = Command::new(&self.tools.ffprobe)
            .args(["-v", "error", "-of", "csv=p=0", "-count_packets"])
            .args(["-select_streams", &format!("{kind}:0")])
            .args(["-show_entries", "stream=nb_read_packets"])
            .arg(file)
            .output()
            .expect("ffprobe runs");
        let answer = String::from_utf8(answer.stdout).expect("text");
        // Programs of a transport stream list their streams, too.
        let last = answer.split_whitespace().last().expect("a number");
        last.trim_matches(',').parse().expect("a number")
    }

    /// Names of all filters.
    pub(crate) fn filters(&self) -> BTreeSet<String> {
        let list = Command::new(&self.tools.ffmpeg)
            .args(["-hide_banner", "-filters"])
            .output()
            .expect("ffmpeg runs");
        let list = String::from_utf8(list.stdout).expect("text");
        list.lines()
            .filter_map(|line| Some(line.split_whitespace().nth(1)?.to_owned()))
            .collect()
    }

    /// How many frames a filter makes of a film.
    pub(crate) fn filter(&self, source: &Path, filter: &str) -> usize {
        let made = Command::new(&self.tools.ffmpeg)
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(source)
            .args(["-vf", filter, "-fps_mode", "passthrough"])
            .args(["-f", "framecrc", "-"])
            .output()
            .expect("ffmpeg runs");
        let complaints = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{filter}: {complaints}");
        let list = String::from_utf8(made.stdout).expect("text");
        list.lines().filter(|line| !line.starts_with('#')).count()
    }

    /// A file of ffmpeg's making.
    /// Whatever ffmpeg makes by these arguments, split at spaces.
    pub(crate) fn make(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.path(name);
        let made = Command::new(&self.tools.ffmpeg)
            .args(["-nostdin", "-v", "error", "-y"])
            .args(arguments.split_whitespace())
            .arg(&path)
            .env("SVT_LOG", "1")
            .output()
            .expect("ffmpeg runs");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        path
    }

    /// What this ffmpeg says of itself.
    fn build(&self) -> Build {
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
                program: Some(env!("CARGO_BIN_EXE_worker").into()),
                read: vec![read.to_owned()],
                home: self.attempt.path().to_owned(),
                writes: false,
                network: false,
            },
            limits: Limits::default(),
            stop: CancellationToken::new(),
        }
    }

    /// What the output holds, as the judge sees it.
    pub(crate) async fn made(&self) -> Media {
        let output = self.output();
        let runner = Runner {
            tools: self.judge.clone(),
            ..self.runner(&output)
        };
        let made = probe(&runner, &Source::File(output)).await;
        made.expect("the output is media")
    }

    pub(crate) async fn probe(&self, source: &Path) -> Result<Media, Failure> {
        probe(&self.runner(source), &Source::File(source.to_owned())).await
    }

    /// Encodes and checks.
    pub(crate) async fn encode(&self, source: &Path, recipe: &Recipe) -> Result<Checked, Failure> {
        self.encode_and(source, recipe, |_| {}).await
    }

    /// Encodes, does something to the output, and checks.
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
        let prepared = Prepared {
            recipe: recipe.clone(),
            source: Source::File(source.to_owned()),
            attributes: None,
            folder: Arc::clone(&self.attempt),
            runner: self.runner(source),
        };
        let output = prepared.output_path();
        let encoder = encoder(recipe);
        let encoder = encoder.as_ref().map(|(encoder, proof)| (encoder, proof));
        let probed = prepared.probe(encoder, &self.build()).await?;
        let encoded = probed.encode(|_| {}).await?;
        harm(&output);
        Ok(encoded.verify(depth).await?.checked)
    }

    /// What the judge finds in a file: its streams, tags, chapters and the first frames of its film.
    pub(crate) fn judged(&self, file: &Path) -> serde_json::Value {
        let ask = |what: &str| -> serde_json::Value {
            let answer = Command::new(&self.judge.ffprobe)
                .args(["-v", "error", "-of", "json"])
                .args(what.split(' '))
                .arg(file)
                .output()
                .expect("ffprobe runs");
            serde_json::from_slice(&answer.stdout).expect("JSON")
        };
        let mut whole = ask("-show_streams -show_format -show_chapters");
        let first = ask("-show_frames -select_streams V:0 -read_intervals %+#4");
        whole["frames"] = first["frames"].clone();
        whole
    }

    /// ffmpeg, told to say errors only.
    pub(crate) fn ffmpeg(&self) -> Command {
        let mut ffmpeg = Command::new(&self.tools.ffmpeg);
        ffmpeg.args(["-nostdin", "-hide_banner", "-v", "error", "-y"]);
        ffmpeg
    }

    /// ffprobe, told to say values only.
    pub(crate) fn ffprobe(&self) -> Command {
        let mut ffprobe = Command::new(&self.tools.ffprobe);
        ffprobe.args(["-v", "error", "-of", "csv=p=0"]);
        ffprobe
    }

    /// What would become of it, without an encode.
    pub(crate) async fn foresee(
        &self,
        source: &Path,
        recipe: &Recipe,
    ) -> Result<Vec<Change>, Failure> {
        let media = self.probe(source).await?;
        let encoder = encoder(recipe);
        let encoder = encoder.as_ref().map(|(encoder, proof)| (encoder, proof));
        let source = Source::File(source.to_owned());
        let made = arguments::encode(
            recipe,
            &media,
            encoder,
            &self.build(),
            &source,
            &self.output(),
        );
        made.map(|made| made.changes)
    }

    /// Whether this ffmpeg hands what belongs to frames on to every encoder.
    pub(crate) fn is_recent(&self) -> bool {
        self.build().hands_frame_data_on()
    }

    /// The first frames and the streams of the output, in ffprobe's own words.
    pub(crate) fn look(&self) -> String {
        let first = ["-read_intervals", "%+#3", "-show_frames", "-show_streams"];
        self.ask(&[&["-select_streams", "v:0", "-of", "flat"][..], &first].concat())
            .join("\n")
    }

    /// The mean red, green and blue of the output's first frame.
    pub(crate) fn colour(&self) -> [u8; 3] {
        let shown = Command::new(&self.tools.ffmpeg)
            .args(["-v", "error", "-i"])
            .arg(self.output())
            .args(["-frames:v", "1", "-vf", "scale=1:1:flags=area,format=rgb24"])
            .args(["-f", "rawvideo", "-"])
            .output()
            .expect("ffmpeg runs");
        <[u8; 3]>::try_from(shown.stdout.as_slice()).expect("one pixel")
    }

    /// The output's first track of text, as SubRip.
    pub(crate) fn text(&self) -> String {
        let text = Command::new(&self.judge.ffmpeg)
            .args(["-v", "error", "-i"])
            .arg(self.output())
            .args(["-map", "0:s:0", "-f", "srt", "-"])
            .output()
            .expect("ffmpeg runs");
        String::from_utf8(text.stdout).expect("text")
    }

    /// The mean opacity of the output's first frame, 0 to 255.
    pub(crate) fn opacity(&self) -> u8 {
        let is_vp9 = self.describe("codec_name") == "vp9";
        let decoder: &[&str] = if is_vp9 { &["-c:v", "libvpx-vp9"] } else { &[] };
        let shown = Command::new(&self.judge.ffmpeg)
            .args(["-v", "error"])
            .args(decoder)
            .arg("-i")
            .arg(self.output())
            .args([
                "-frames:v",
                "1",
                "-vf",
                "format=rgba,alphaextract,scale=1:1:flags=area",
            ])
            .args(["-pix_fmt", "gray", "-f", "rawvideo", "-"])
            .output()
            .expect("ffmpeg runs");
        shown.stdout[0]
    }

    /// What was encoded last.
    pub(crate) fn output(&self) -> PathBuf {
        self.attempt.path().join(OUTPUT)
    }

    /// Properties of the output's first film, as ffprobe orders and prints them.
    pub(crate) fn describe(&self, what: &str) -> String {
        self.ask(&[
            "-select_streams",
            "v:0",
            "-show_entries",
            &format!("stream={what}"),
        ])
        .remove(0)
    }

    /// Codecs of the output's streams.
    pub(crate) fn codecs(&self) -> Vec<String> {
        let mut codecs = self.ask(&["-show_entries", "stream=codec_name"]);
        codecs.retain(|codec| codec != "bin_data");
        codecs
    }

    /// Times of the output's frames in seconds, in order.
    pub(crate) fn times(&self) -> Vec<String> {
        let mut times = self.ask(&["-select_streams", "v:0", "-show_entries", "packet=pts_time"]);
        times.sort_by(|a, b| {
            a.parse::<f64>()
                .expect("a time")
                .total_cmp(&b.parse().expect("a time"))
        });
        times
    }

    /// What ffprobe says of the output.
    pub(crate) fn probed(&self) -> serde_json::Value {
        let all = ["-show_streams", "-show_format", "-show_chapters"];
        let answer = Command::new(&self.tools.ffprobe)
            .args(["-v", "error", "-of", "json"])
            .args(all)
            .arg(self.output())
            .output()
            .expect("ffprobe runs");
        serde_json::from_slice(&answer.stdout).expect("JSON")
    }

    pub(crate) fn ask(&self, what: &[&str]) -> Vec<String> {
        let output = self.output();
        let arguments = ["-v", "error", "-of", "csv=p=0"]
            .iter()
            .chain(what)
            .map(OsStr::new);
        let answer = Command::new(&self.judge.ffprobe)
            .args(arguments)
            .arg(output)
            .output()
            .expect("ffprobe runs");
        let answer = String::from_utf8(answer.stdout).expect("text");
        answer
            .lines()
            .map(|line| line.trim_end_matches(',').to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    }
}
