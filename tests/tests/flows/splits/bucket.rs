//! Films in a bucket: they are split and joined there, and read from there about once.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::job::Job;
use common::job::split::{Split, SplitReport};
use harness::farm::Farm;
use harness::faults::proxy::{Answer, Protocol, Proxy};
use harness::outside::media::{Media, decoded};
use harness::programs::Worker;
use harness::servers::store::{BUCKET, TestStore};
use harness::{paths, poll};

use super::{film, lossless, made};

/// Two workers with this environment.
async fn two_workers(farm: &Farm, environment: &[(&'static str, String)]) -> [Worker; 2] {
    let worker = |name| {
        let setup = farm.worker(name).encoders("libx264");
        farm.join(setup.environment(environment.to_vec()))
    };
    let (a, b) = tokio::join!(worker("a"), worker("b"));
    [a, b]
}

/// What a film holds.
#[derive(Debug, PartialEq)]
struct Held {
    kinds: Vec<String>,
    /// See [`decoded`].
    decoded: String,
    /// When the packets of subtitles are shown, and their digests.
    subtitles: String,
    /// Beginning, end and title of each chapter.
    chapters: String,
}

impl Held {
    /// What an object holds, once it is copied to a local file.
    async fn by(farm: &Farm, store: &TestStore, job: &Job) -> Self {
        let key = job.output.key();
        let bytes = store.get(&key).await.expect("an output");
        let local = farm.folder().join(key.replace('/', "-"));
        std::fs::write(&local, bytes).expect("room");
        let streams = Media::of(&local).streams;
        let times = "packet=stream_index,pts_time,duration_time,data_hash";
        let subtitles = [
            "-show_data_hash",
            "md5",
            "-select_streams",
            "s",
            "-show_entries",
            times,
        ];
        let chapters = [
            "-show_chapters",
            "-show_entries",
            "chapter=start_time,end_time:chapter_tags=title",
        ];
        Self {
            kinds: streams.into_iter().map(|stream| stream.kind).collect(),
            decoded: decoded(&local).await,
            subtitles: probed(&local, &subtitles),
            chapters: probed(&local, &chapters),
        }
    }
}

/// The answer of ffprobe about a file.
fn probed(file: &Path, what: &[&str]) -> String {
    let answer = Command::new(paths::tool("ffprobe"))
        .args(["-v", "error", "-of", "compact"])
        .args(what)
        .arg(file)
        .output()
        .expect("ffprobe runs");
    assert!(answer.status.success(), "{answer:?}");
    String::from_utf8(answer.stdout).expect("text")
}

/// Encodes an object to `out/NAME.mkv` without loss, and says what the output holds.
async fn encoded(farm: &Farm, store: &TestStore, key: &str, name: &str, split: Split) -> Held {
    let job = store.job(key, &format!("out/{name}.mkv"), "libx264").await;
    let output = job.output.clone();
    let job = lossless(job, output, split);
    farm.enqueue(&job).await;
    let (_, report) = farm.completed(&job.id).await;
    let is_split = matches!(report.split, Some(SplitReport::Parts(_)));
    assert_eq!(is_split, split != Split::Off, "{key}: {report:#?}");
    Held::by(farm, store, &job).await
}

#[tokio::test]
async fn a_film_in_a_bucket_is_split_and_joined_there() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    store.put(&film(farm.folder()), "in/film.mkv").await;
    let _workers = two_workers(&farm, &store.environment()).await;
    let whole = encoded(&farm, &store, "in/film.mkv", "whole", Split::Off).await;
    let split = encoded(&farm, &store, "in/film.mkv", "split", Split::Every(1)).await;
    assert_eq!(split, whole);
    poll::until("all pieces to be removed", async || {
        (store.keys().await == ["in/film.mkv", "out/split.mkv", "out/whole.mkv"]).then_some(())
    })
    .await;
    assert_eq!(store.uploads().await, Vec::<String>::new());
    poll::until("the plan to be removed", async || {
        let plans = farm.view.plans().await.ok()?;
        plans.is_empty().then_some(())
    })
    .await;
    assert_eq!(farm.queued().await, 0);
}

/// MP4 and QuickTime files whose tracks lie and begin in many ways.
fn films(folder: &Path) -> Vec<PathBuf> {
    let matroska = film(folder);
    let chapters = folder.join("chapters.txt");
    let text = (0..3).map(|number| {
        let (start, end) = (4 * number, 4 * number + 4);
        format!("[CHAPTER]\nTIMEBASE=1/1\nSTART={start}\nEND={end}\ntitle=Part {number}\n")
    });
    let text = format!(";FFMETADATA1\n{}", text.collect::<String>());
    std::fs::write(&chapters, text).expect("room");
    let (matroska, chapters) = (matroska.display(), chapters.display());
    let make = |name: &str, line: &str| made(folder.join(name), line);
    let picture = "-f lavfi -i testsrc2=s=320x180:r=25:d=12 -f lavfi -i sine=f=440:d=12 -itsoffset 7.4 \
                   -f lavfi -i sine=f=880:d=4 -map 0 -map 1 -map 2 -pix_fmt yuv420p -c:v libx264 \
                   -preset ultrafast -g 25 -bf 2";
    let named = make(
        "named.mp4",
        &format!("-i {matroska} -i {chapters} -map 0 -map_metadata 1 -c copy -c:s mov_text"),
    );
    let sounds = make(
        "sounds.mov",
        &format!("{picture} -c:a:0 pcm_s16le -c:a:1 ac3 -timecode 01:02:03:04"),
    );
    let hidden = format!(
        "-ss 1.3 -i {} -map 0:v -map 0:a:0 -c copy",
        sounds.display()
    );
    vec![
        make("hidden.mov", &hidden),
        make(
            "front.mp4",
            &format!("{picture} -c:a:0 aac -c:a:1 libmp3lame -movflags +faststart"),
        ),
        make(
            "fragments.mp4",
            &format!("{picture} -c:a aac -movflags frag_keyframe"),
        ),
        named,
        sounds,
    ]
}

#[tokio::test]
async fn however_the_tracks_of_a_film_in_a_bucket_lie_it_is_the_same_as_unsplit() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let _workers = two_workers(&farm, &store.environment()).await;
    for film in films(farm.folder()) {
        let name = film.file_name().expect("a name").to_string_lossy();
        let key = format!("in/{name}");
        store.put(&film, &key).await;
        let whole = encoded(&farm, &store, &key, &format!("{name}-whole"), Split::Off).await;
        let split = encoded(
            &farm,
            &store,
            &key,
            &format!("{name}-split"),
            Split::Every(3),
        )
        .await;
        assert_eq!(split, whole, "{name}");
        assert!(
            name != "named.mp4" || split.chapters.contains("Part 2"),
            "{split:?}"
        );
    }
}

/// A film of 120 s and about 75 MB, with two tracks of sound and one of subtitles between its pictures.
fn large_film(folder: &Path, name: &str) -> PathBuf {
    let subtitles = folder.join("large.srt");
    let lines = (0..60).map(|number| {
        let (from, to) = (2 * number, 2 * number + 1);
        let at = |second| format!("00:{:02}:{:02}", second / 60, second % 60);
        format!(
            "{number}\n{},000 --> {},500\nLine {number}\n\n",
            at(from),
            at(to)
        )
    });
    std::fs::write(&subtitles, lines.collect::<String>()).expect("room");
    let inputs = "-f lavfi -i testsrc2=s=320x180:r=25:d=120,noise=alls=60:allf=t \
                  -itsoffset 0.3 -f lavfi -i sine=f=440:d=119 -f lavfi -i sine=f=880:d=120";
    let codecs = "-map 0 -map 1 -map 2 -map 3 -pix_fmt yuv420p -c:v libx264 -preset ultrafast -g 12 -b:v 5M \
                  -c:a aac -b:a 96k -c:s mov_text";
    let line = format!("{inputs} -i {} {codecs}", subtitles.display());
    made(folder.join(name), &line)
}

/// The bytes of an object that were sent to clients.
fn bytes_of(key: &str, answers: &[Answer]) -> u64 {
    let read = format!("GET /{BUCKET}/{key}");
    let of = |answer: &&Answer| answer.subject.starts_with(&read);
    answers.iter().filter(of).map(|answer| answer.bytes).sum()
}

#[tokio::test]
async fn a_film_in_a_bucket_is_read_about_once() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let film = large_film(farm.folder(), "film.mp4");
    store.put(&film, "in/film.mp4").await;
    let proxy = Proxy::start(Protocol::Http, store.port());
    let mut environment = store.environment();
    environment.push(("AWS_ENDPOINT", proxy.http_url()));
    // With another one, an idle worker would encode a slow chunk again, and read it a second time.
    let worker = farm.worker("alone").encoders("libx264");
    let _worker = farm.join(worker.environment(environment)).await;
    let job = store.job("in/film.mp4", "out/film.mkv", "libx264").await;
    let job = Job {
        split: Split::Every(24),
        ..job
    };
    let before = proxy.answers().len();
    farm.enqueue(&job).await;
    let (_, report) = farm.completed(&job.id).await;
    let Some(SplitReport::Parts(parts)) = &report.split else {
        panic!("{report:#?}")
    };
    assert_eq!(parts.len(), 6, "{parts:#?}");
    let answers = proxy.answers().split_off(before);
    let ratio = bytes_of("in/film.mp4", &answers) as f64 / job.input.size as f64;
    println!("read {ratio:.3} of the film");
    assert!(ratio <= 1.15, "{ratio}");
}
