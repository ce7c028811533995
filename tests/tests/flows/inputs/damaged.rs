//! Damaged files beside good ones in one folder, and their effect on a farm.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::farm::worker::WorkerStatus;
use common::job::Job;
use common::job::changes::{Fate, Kind};
use common::job::failure::Fault;
use common::job::run::RunState;
use common::recipe::{Video, VideoEncode};
use harness::farm::Farm;
use harness::outside::media::Media;
use harness::paths;

const WORKERS: [&str; 3] = ["a", "b", "c"];
const H264: &str = "-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p -c:a aac";
const FRAMES: u64 = 50;

/// Two seconds of picture and sound.
fn film(folder: &Path, name: &str, arguments: &str) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new(paths::tool("ffmpeg"))
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"])
        .args(["testsrc2=size=160x90:rate=25:duration=2", "-f", "lavfi"])
        .args(["-i", "sine=duration=2"])
        .args(arguments.split(' '))
        .arg(&path)
        .status()
        .expect("ffmpeg runs");
    assert!(made.success(), "{name}");
    path
}

/// A file with its bytes changed.
fn changed(from: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = std::fs::read(from).expect("a film");
    change(&mut bytes);
    let path = from.with_file_name(name);
    std::fs::write(&path, bytes).expect("room");
    path
}

/// The position at which these bytes begin.
fn place(bytes: &[u8], of: &[u8]) -> usize {
    let mut windows = bytes.windows(of.len());
    windows
        .position(|window| window == of)
        .expect("they are there")
}

/// Inputs that cannot be encoded, and a part of each error.
fn damaged(farm: &Farm, folder: &Path) -> Vec<(Job, &'static str)> {
    let mkv = film(folder, "whole.mkv", H264);
    let faststart = film(folder, "front.mp4", &format!("{H264} -movflags +faststart"));
    let fragments = format!("{H264} -movflags +frag_keyframe+empty_moov");
    let fragments = film(folder, "fragments.mp4", &fragments);
    let last = film(folder, "last.mp4", H264);
    let cut = |whole: &Path, percent: usize| {
        let kind = whole.extension().expect("one").to_string_lossy();
        let stem = whole.file_stem().expect("one").to_string_lossy();
        let name = format!("{stem}-{percent}.{kind}");
        changed(whole, &name, |bytes| {
            bytes.truncate(bytes.len() * percent / 100)
        })
    };
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("room");
        path
    };
    let sparse = write("sparse.mkv", b"");
    let file = std::fs::File::options().write(true).open(&sparse);
    file.and_then(|file| file.set_len(50 << 20)).expect("room");
    let breaks_off = "source is damaged: it ends at";
    let no_media = "no media that ffmpeg can read";
    let mut inputs = vec![
        (cut(&mkv, 55), breaks_off),
        (cut(&mkv, 70), breaks_off),
        (cut(&mkv, 85), breaks_off),
        (cut(&faststart, 50), breaks_off),
        (cut(&faststart, 80), breaks_off),
        (
            cut(
                &film(folder, "front.mov", &format!("{H264} -movflags +faststart")),
                60,
            ),
            breaks_off,
        ),
        (cut(&fragments, 75), breaks_off),
        (
            cut(&film(folder, "old.avi", "-c:v mpeg4 -c:a libmp3lame"), 60),
            breaks_off,
        ),
        (cut(&film(folder, "old.flv", H264), 60), breaks_off),
        (
            cut(
                &film(
                    folder,
                    "web.webm",
                    "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus",
                ),
                60,
            ),
            breaks_off,
        ),
        (
            film(
                folder,
                "huge.mkv",
                "-vf scale=12000:12000,format=gray -frames:v 1 -c:v ffv1 -an",
            ),
            "its pictures are too large: 12000×12000",
        ),
        (cut(&last, 60), "moov atom not found"),
        (
            changed(&fragments, "header.mp4", |bytes| {
                bytes.truncate(place(bytes, b"moof") - 4)
            }),
            "declared, but empty",
        ),
        (
            changed(&mkv, "header.mkv", |bytes| {
                bytes.truncate(place(bytes, &[0x1f, 0x43, 0xb6, 0x75]))
            }),
            "",
        ),
        (write("zeros.mp4", &[0; 100_000]), no_media),
        (write("text.mkv", b"no film at all"), no_media),
        (write("empty.mp4", b""), "is empty"),
        (sparse, no_media),
    ]
    .into_iter()
    .map(|(input, words)| (farm.job(&input, "libx264"), words))
    .collect::<Vec<_>>();
    // Files from which this recipe can make nothing.
    for (name, filters, arguments, words) in [
        ("crop", Some("crop=640:360"), None, "crop: Invalid too big"),
        ("pad", Some("pad=16:16"), None, "Padded dimensions"),
        ("level", None, Some("level=99"), "level"),
        // These would take all of the machine.
        ("canvas", Some("pad=16000:16000"), None, "million pixels"),
        (
            "rate",
            Some("fps=100000"),
            None,
            "fps=100000 is out of bounds",
        ),
        ("threads", None, Some("threads=100000"), "out of bounds"),
    ] {
        let input = changed(&mkv, &format!("{name}.mkv"), |_| {});
        let mut job = farm.job(&input, "libx264");
        edit_video(&mut job, |video| {
            video.filters = filters.map(|filters: &str| filters.parse().expect("filters"));
            let arguments = arguments.into_iter();
            video.arguments = arguments
                .map(|text: &str| text.parse().expect("arguments"))
                .collect();
        });
        inputs.push((job, words));
    }
    // All outputs go into one folder, so their names must differ.
    for (number, (job, _)) in inputs.iter_mut().enumerate() {
        job.output = output(farm, &format!("bad-{number}.mkv"));
    }
    inputs
}

fn output(farm: &Farm, name: &str) -> common::names::location::Location {
    common::names::location::Location::file(&farm.out().join(name)).expect("an absolute path")
}

/// An mp4 with an empty cover tag.
fn without_bytes_in_its_cover(folder: &Path) -> PathBuf {
    let picture = film(folder, "cover.png", "-map 0:v -frames:v 1");
    let picture = std::fs::read(picture).expect("a picture");
    let cover = format!(
        "-i {} -map 0 -map 1 -map 2 {H264} -c:v:1 copy -disposition:v:1 attached_pic",
        folder.join("cover.png").display()
    );
    let whole = film(folder, "tagged.mp4", &cover);
    changed(&whole, "bare.mp4", |bytes| {
        let at = place(bytes, &picture);
        // The boxes around the cover, which follow the media.
        for kind in [b"moov", b"udta", b"meta", b"ilst", b"covr", b"data"] {
            let before = bytes[..at].windows(4).rposition(|window| window == kind);
            let size = before.expect("the box") - 4;
            let length: [u8; 4] = bytes[size..size + 4].try_into().expect("four bytes");
            let length = u32::from_be_bytes(length) - picture.len() as u32;
            bytes[size..size + 4].copy_from_slice(&length.to_be_bytes());
        }
        bytes.drain(at..at + picture.len());
    })
}

/// Seven inputs that can be encoded, although some are odd.
fn good(farm: &Farm, folder: &Path) -> Vec<Job> {
    let plain = film(folder, "good.mkv", H264);
    let absurd = changed(&plain, "absurd.mkv", |bytes| {
        // The element Duration, a float of eight bytes, in milliseconds.
        let length = place(bytes, &[0x44, 0x89, 0x88]) + 3;
        bytes[length..length + 8].copy_from_slice(&143_165_640_f64.to_be_bytes());
    });
    let spoilt = changed(&film(folder, "sound.mp4", H264), "spoilt.mp4", |bytes| {
        let data = place(bytes, b"mdat");
        let middle = data + (bytes.len() - data) / 2;
        bytes[middle..middle + 300].fill(0xa5);
    });
    let recording = changed(&film(folder, "air.ts", H264), "cut.ts", |bytes| {
        bytes.truncate(bytes.len() * 8 / 10);
    });
    let fields = film(
        folder,
        "fields.mpg",
        "-c:v mpeg2video -flags +ildct+ilme -c:a mp2 -f mpeg",
    );
    let picture = folder.join("no.png");
    std::fs::write(&picture, b"\x89PNG\r\n\x1a\n and no more of it").expect("room");
    let cover = format!(
        "{H264} -attach {} -metadata:s:t mimetype=image/png -metadata:s:t filename=cover.png",
        picture.display()
    );
    let covered = film(folder, "covered.mkv", &cover);
    let bare = without_bytes_in_its_cover(folder);
    let mut jobs: Vec<Job> = [plain, absurd, spoilt, recording, fields, covered, bare]
        .iter()
        .map(|input| farm.job(input, "libx264"))
        .collect();
    edit_video(&mut jobs[4], |video| {
        video.filters = Some("bwdif".parse().expect("a filter"));
    });
    for (number, job) in jobs.iter_mut().enumerate() {
        job.output = output(farm, &format!("good-{number}.mkv"));
    }
    jobs
}

#[tokio::test]
async fn a_farm_stays_whole_through_a_folder_of_damaged_files() {
    let farm = Farm::start().await;
    let mut workers = Vec::new();
    for name in WORKERS {
        let setup = farm.worker(name).encoders("libx264");
        workers.push(farm.join(setup.option("--quarantine-after", "2")).await);
    }
    let folder = farm.folder().join("in");
    std::fs::create_dir_all(&folder).expect("room");
    let bad = damaged(&farm, &folder);
    let good = good(&farm, &folder);
    assert_eq!((bad.len(), good.len()), (24, 7));
    for (job, _) in &bad {
        farm.enqueue(job).await;
    }
    for job in &good {
        farm.enqueue(job).await;
    }
    for (job, words) in &bad {
        let what = &job.input.location;
        let run = farm.ended(&job.id).await;
        let RunState::Failed { failure } = &run.state else {
            panic!("{what}: {run:#?}")
        };
        assert_eq!(failure.fault, Fault::Input, "{what}: {failure:#?}");
        assert_eq!(run.failures.len(), 1, "{what}: {run:#?}");
        assert!(failure.message.contains(words), "{what}: {failure}");
        assert!(!failure.message.contains('\n'), "{what}: {failure}");
    }
    let mut reports = Vec::new();
    for job in &good {
        let (run, report) = farm.completed(&job.id).await;
        assert_eq!(run.attempt, 1, "{run:#?}");
        let made = Media::of(&job.output.path().expect("a file"));
        assert_eq!(made.frames(), report.frames, "{:#?}", job.input);
        reports.push(report);
    }
    assert_eq!(reports[0].frames, FRAMES);
    assert_eq!(reports[1].frames, FRAMES);
    assert_eq!(reports[4].frames, 2 * FRAMES, "a frame of each field");
    let tells = |number: usize, fate: Fate| {
        let changes: &Vec<common::job::changes::Change> = &reports[number].changes;
        let is_told = changes
            .iter()
            .any(|change| change.kind == Kind::Timing && change.fate == fate);
        assert!(is_told, "{changes:#?}");
    };
    // A cover that is no picture does not make the film damaged.
    let loses = |number: usize, kind: Kind| {
        let changes: &Vec<common::job::changes::Change> = &reports[number].changes;
        let mut lost = changes.iter().filter(|one| one.fate == Fate::Lost);
        lost.any(|one| one.kind == kind)
    };
    assert!(!loses(5, Kind::Timing), "{:#?}", reports[5].changes);
    assert!(loses(6, Kind::Cover), "{:#?}", reports[6].changes);
    tells(1, Fate::Converted);
    tells(2, Fate::Lost);
    for name in WORKERS {
        let heartbeat = farm.heartbeat(name).await.expect("alive");
        assert_eq!(heartbeat.status, WorkerStatus::Ready, "{heartbeat:#?}");
    }
    assert_eq!(farm.dead_letters().await, 24);
}

/// Changes how a job encodes video.
fn edit_video(job: &mut Job, edit: impl FnOnce(&mut VideoEncode)) {
    let edited = job.recipe.clone().edit(|draft| {
        if let Video::Encode(video) = &mut draft.video {
            edit(video);
        }
    });
    job.recipe = edited.expect("a sound recipe");
}
