//! Files that an attacker has made: they name other files and hosts, or cost far more than their size suggests. Each job
//! fails, and the worker goes on.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use common::farm::worker::WorkerStatus;
use common::job::Job;
use common::job::failure::{Failure, Fault};
use common::job::run::RunState;
use common::recipe::{Choice, Recipe, VideoEncode};
use harness::farm::Farm;
use harness::programs::Worker;
use harness::{outside, paths, poll, process};

/// A farm with a worker, and a file that is outside of the worker's roots.
struct Place {
    farm: Farm,
    _worker: Worker,
}

impl Place {
    async fn new() -> Self {
        let farm = Farm::start().await;
        for folder in ["in", "out", "home"] {
            fs::create_dir_all(farm.folder().join(folder)).expect("ours");
        }
        fs::copy(
            paths::media("h264.mp4"),
            farm.folder().join("home/secret.mp4"),
        )
        .expect("copied");
        let roots = [farm.folder().join("in"), farm.out()];
        let setup = farm.worker("w").encoders("libx264");
        let setup = setup.roots(&[&roots[0], &roots[1]]);
        let worker = farm.join(setup.option("--stall-timeout", "10s")).await;
        Self {
            farm,
            _worker: worker,
        }
    }

    /// Submits a job past `producer`, which refuses many such files. Returns why it failed.
    async fn failed(&self, mut job: Job) -> Failure {
        job.attempts = 1;
        self.farm.enqueue(&job).await;
        match self.farm.ended(&job.id).await.state {
            RunState::Failed { failure } => failure,
            state => panic!("{}: {state:?}", job.input.location),
        }
    }

    async fn is_sound(&self) {
        let beat = self.farm.heartbeat("w").await.expect("alive");
        assert_eq!(beat.status, WorkerStatus::Ready, "{:?}", beat.note);
        let good = self.farm.folder().join("in/good.mp4");
        fs::copy(paths::media("h264.mp4"), &good).expect("copied");
        let job = self.farm.job(&good, "libx264");
        self.farm.enqueue(&job).await;
        self.farm.completed(&job.id).await;
        assert_eq!(
            outside::names(&self.farm.out()),
            [Path::new("good.mkv")],
            "and nothing else was made"
        );
    }
}

/// Files that make an ffmpeg call which may open anything. The others need more than that.
const CALLING: [&str; 4] = ["hls.mp4", "hls-key.mov", "concat.mkv", "dash.mp4"];

/// Whether somebody has called since the last time.
fn was_called(listener: &TcpListener) -> bool {
    let mut is_called = false;
    loop {
        match listener.accept() {
            Ok(_) => is_called = true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                return is_called;
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_names_other_files_and_hosts_reaches_neither() {
    let place = Place::new().await;
    let folder = place.farm.folder();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    let url = format!("http://127.0.0.1:{port}/film.ts");
    let secret = folder.join("home/secret.mp4").display().to_string();
    let playlist = |segment: &str| {
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{segment}\n#EXT-X-ENDLIST\n")
    };
    let keyed = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128,URI=\"{url}\"\n#EXTINF:4,\n{secret}\n#EXT-X-ENDLIST\n"
    );
    let manifest = format!(
        r#"<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S"><Period><AdaptationSet contentType="video"><Representation id="1" mimeType="video/mp4"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>"#
    );
    let files = [
        // The name, the text, and the demuxer that would obey it.
        ("hls.mp4", playlist(&url), "hls"),
        ("hls-of-a-file.mkv", playlist(&secret), "hls"),
        (
            "hls-concat.ts",
            playlist(&format!("concat:{secret}|{url}")),
            "hls",
        ),
        (
            "hls-subfile.avi",
            playlist(&format!("subfile,,start,0,end,9,,:{secret}")),
            "hls",
        ),
        ("hls-key.mov", keyed, "hls"),
        (
            "concat.mkv",
            format!("ffconcat version 1.0\nfile '{url}'\n"),
            "concat",
        ),
        (
            "concat-of-a-file.mp4",
            format!("ffconcat version 1.0\nfile '{secret}'\n"),
            "concat",
        ),
        ("dash.mp4", manifest, "dash"),
        (
            "session.mkv",
            format!(
                "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"
            ),
            "sdp",
        ),
        (
            "images.mkv",
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><image href=\"{url}\"/></svg>"
            ),
            "svg_pipe",
        ),
    ];
    // An ffmpeg that does as the files say calls: so it is the worker that keeps it from that.
    for (name, text, demuxer) in &files {
        let input = folder.join("in").join(name);
        fs::write(&input, text).expect("written");
        if CALLING.contains(name) {
            let mut obeys = Command::new(paths::tool("ffmpeg"));
            let protocols = "file,http,tcp,crypto,data,concat,subfile";
            obeys.args(["-v", "error", "-protocol_whitelist", protocols]);
            match *demuxer {
                "hls" => obeys.args(["-allowed_extensions", "ALL", "-f", "hls"]),
                "concat" => obeys.args(["-safe", "0", "-f", "concat"]),
                other => obeys.args(["-f", other]),
            };
            obeys
                .arg("-i")
                .arg(&input)
                .args(["-t", "1", "-f", "null", "-"]);
            let obeying = process::run(obeys);
            let called = poll::until("a call", async || was_called(&listener).then_some(()));
            tokio::select! {
                () = called => {}
                ran = obeying => assert!(was_called(&listener), "{name}: {ran:?}"),
            }
        }
    }
    was_called(&listener);
    for (name, _, _) in &files {
        let input = folder.join("in").join(name);
        let failure = place.failed(place.farm.job(&input, "libx264")).await;
        assert_eq!(failure.fault, Fault::Input, "{name}: {failure}");
        assert!(!was_called(&listener), "{name}");
    }
    place.is_sound().await;
    assert!(!was_called(&listener));
}

/// A Matroska film with this many chapters, numbered from the last to the first: to read them costs the square of their number.
fn with_chapters(film: &[u8], chapters: u32) -> Vec<u8> {
    /// The start of the first cluster.
    const CLUSTER: [u8; 4] = [0x1f, 0x43, 0xb6, 0x75];
    let element = |id: &[u8], body: &[u8]| {
        let size = (1_u64 << 56) | body.len() as u64;
        [id, &size.to_be_bytes(), body].concat()
    };
    let mut atoms = Vec::new();
    for uid in (1..=chapters).rev() {
        let number = element(&[0x73, 0xc4], &uid.to_be_bytes());
        let start = element(&[0x91], &(chapters + 1 - uid).to_be_bytes());
        atoms.extend(element(&[0xb6], &[number, start].concat()));
    }
    let chapters = element(&[0x10, 0x43, 0xa7, 0x70], &element(&[0x45, 0xb9], &atoms));
    let cluster = film
        .windows(CLUSTER.len())
        .position(|bytes| bytes == CLUSTER);
    let (head, rest) = film.split_at(cluster.expect("a cluster"));
    [head, &chapters, rest].concat()
}

async fn made(arguments: &str, output: &Path) {
    let mut ffmpeg = Command::new(paths::tool("ffmpeg"));
    ffmpeg
        .args(["-v", "error", "-f", "lavfi"])
        .args(arguments.split(' '))
        .arg(output);
    process::run(ffmpeg).await.succeeded();
}

#[tokio::test]
async fn small_files_that_cost_a_lot_are_refused_and_the_worker_goes_on() {
    let place = Place::new().await;
    let input = place.farm.folder().join("in");

    // A picture of 256 million pixels, 1.5 MB long.
    let large = input.join("large.mkv");
    made(
        "-i color=black:s=16000x16000:r=1,format=yuvj420p -frames:v 1 -c:v mjpeg",
        &large,
    )
    .await;
    let failure = place.failed(place.farm.job(&large, "libx264")).await;
    assert_eq!(failure.fault, Fault::Input, "{failure}");
    assert!(
        failure.message.contains("too large: 16000×16000"),
        "{failure}"
    );

    // A pipe takes no length, so that the segment is open and more fits in.
    let mut ffmpeg = Command::new(paths::tool("ffmpeg"));
    ffmpeg
        .args(["-v", "error", "-i"])
        .arg(paths::media("h264.mp4"))
        .args("-map 0:v -c copy -f matroska -live 1 pipe:1".split(' '));
    let film = ffmpeg.output().expect("ffmpeg runs").stdout;
    let chapters = input.join("chapters.mkv");
    fs::write(&chapters, with_chapters(&film, 300_000)).expect("written");
    let failure = place.failed(place.farm.job(&chapters, "libx264")).await;
    assert!(failure.message.contains("made no progress"), "{failure}");
    place.is_sound().await;
}

#[tokio::test]
async fn a_recipe_that_would_take_all_of_a_machine_is_refused_by_the_worker_too() {
    let place = Place::new().await;
    let film = place.farm.folder().join("in/film.mp4");
    fs::copy(paths::media("h264.mp4"), &film).expect("copied");
    for (filters, arguments) in [
        ("pad=16000:16000", ""),
        ("fps=100000", ""),
        ("", "-threads 100000"),
        ("", "-r 1000000"),
        ("pad=iw*ih:ih", ""),
    ] {
        let encoder = "libx264".parse().expect("an encoder");
        let mut video = VideoEncode::new(Choice::Encoder(encoder));
        if !filters.is_empty() {
            video.filters = Some(filters.parse().expect("of allowed filters"));
        }
        if let Some((option, value)) = arguments.split_once(' ') {
            let argument = format!("{option}={value}");
            video.arguments = vec![argument.trim_start_matches('-').parse().expect("allowed")];
        }
        let mut job = place.farm.job(&film, "libx264");
        let recipe = Recipe::encode(video).expect("its types are sound");
        job = Job::new(job.batch, job.input, job.output, recipe, None);
        let failure = place.failed(job).await;
        assert_eq!(
            failure.fault,
            Fault::Input,
            "{filters}{arguments}: {failure}"
        );
        assert!(failure.message.contains("out of bounds"), "{failure}");
    }
    place.is_sound().await;
}
