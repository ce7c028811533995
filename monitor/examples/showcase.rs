//! The page with a made-up farm behind it, for designing and for screenshots:
//! `cargo run -p ffmpeg-easy-monitor --example showcase [ADDR] [hostile]`, then open the page.
//! It needs nats-server and no ffmpeg.

#[path = "../tests/live/farm.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod farm;
#[path = "../tests/live/server.rs"]
mod server;

use std::time::Duration;

use clap::Parser;
use common::broker::{Broker, ConnectOptions, HEARTBEAT};
use common::farm::card::{Proof, Verdict};
use common::farm::worker::{Heartbeat, WorkerStatus};
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::job::id::JobId;
use common::job::progress::{EncodeProgress, Progress};
use common::job::run::report::Report;
use common::job::run::{Run, RunState, Stage};
use common::names::subject;
use common::wire;
use jiff::{SignedDuration, Timestamp, ToSpan};

const GB: u64 = 1_000_000_000;

#[tokio::main]
async fn main() {
    let mut address = "127.0.0.1:8080".to_owned();
    let mut is_hostile = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "hostile" => is_hostile = true,
            _ => address = argument,
        }
    }
    let server = server::Server::start();
    let config = monitor::Config::parse_from(["monitor", "--nats", &server.url()]);
    let listener = tokio::net::TcpListener::bind(&address)
        .await
        .expect("an address to listen on");
    println!("http://{}", listener.local_addr().expect("its address"));
    let stop = common::program::shutdown::on_signal();
    let page = tokio::spawn(monitor::run(config, listener, stop.clone()));

    let broker = Broker::set_up(&ConnectOptions::new(server.url(), "showcase"))
        .await
        .expect("our own broker");
    let mut farm = Farm {
        broker,
        workers: workers(),
        running: Vec::new(),
    };
    farm.past().await;
    farm.present().await;
    farm.future(is_hostile).await;
    tokio::select! {
        () = farm.live() => {}
        _ = page => {}
    }
}

/// Workers as different as those of a real farm.
fn workers() -> Vec<Heartbeat> {
    let mut atelier = farm::heartbeat(
        "atelier",
        4,
        Vec::new(),
        &[
            ("h264_nvenc", 742.0),
            ("hevc_nvenc", 618.0),
            ("av1_nvenc", 540.0),
            ("libx264", 312.0),
            ("libsvtav1", 148.0),
            ("libx265", 96.0),
            ("libvpx-vp9", 54.0),
            ("prores_ks", 130.0),
        ],
    );
    for (encoder, reason) in [
        ("h264_vaapi", "No VA display found for any default device."),
        ("hevc_amf", "DLL libamfrt64.so.1 failed to open"),
    ] {
        let verdict = Verdict::Refused {
            reason: reason.to_owned(),
        };
        atelier
            .card
            .encoders
            .insert(farm::encoder(encoder), verdict);
    }
    let mut mini = farm::heartbeat(
        "mini-pc",
        2,
        Vec::new(),
        &[
            ("hevc_qsv", 184.0),
            ("h264_qsv", 231.0),
            ("libx264", 71.0),
            ("libx265", 14.0),
        ],
    );
    "Intel N100".clone_into(&mut mini.card.host.cpu);
    (mini.card.host.cores, mini.card.host.memory) = (4, 16 * GB);
    let mut studio = farm::heartbeat(
        "studio-mac",
        2,
        Vec::new(),
        &[
            ("hevc_videotoolbox", 402.0),
            ("h264_videotoolbox", 455.0),
            ("prores_videotoolbox", 390.0),
            ("libx264", 190.0),
            ("libx265", 52.0),
            ("libsvtav1", 66.0),
        ],
    );
    "Apple M2 Pro".clone_into(&mut studio.card.host.cpu);
    "macOS 15.1".clone_into(&mut studio.card.host.os);
    "7.1".clone_into(&mut studio.card.ffmpeg.version);
    let mut rack = farm::heartbeat(
        "rack-04",
        8,
        Vec::new(),
        &[
            ("libx265", 143.0),
            ("libsvtav1", 201.0),
            ("libx264", 420.0),
            ("libvvenc", 6.0),
        ],
    );
    "AMD EPYC 9354P".clone_into(&mut rack.card.host.cpu);
    rack.status = WorkerStatus::Draining;
    for (encoder, verdict) in &mut rack.card.encoders {
        if let Verdict::Proved(Proof { largest, .. }) = verdict
            && encoder.as_str() != "libx264"
        {
            *largest = (7680, 4320);
        }
    }
    let lost = farm::heartbeat("attic-pi", 1, Vec::new(), &[("libx264", 9.0)]);
    let hours = [53, 400, 7, 1210, 2];
    let mut workers = vec![atelier, mini, studio, rack, lost];
    for (worker, hours) in workers.iter_mut().zip(hours) {
        worker.started = ago(hours * 3600);
    }
    workers
}

fn ago(seconds: i64) -> Timestamp {
    Timestamp::now() - seconds.seconds()
}

struct Farm {
    broker: Broker,
    workers: Vec<Heartbeat>,
    running: Vec<(Run, Stage, f32, f32)>,
}

impl Farm {
    async fn run(&self, job: &Job, worker: &str, since: i64) -> Run {
        let worker: WorkerName = worker.parse().expect("a name");
        let run = Run::first(job.clone(), &farm::lane(job, 5), 1, worker, ago(since));
        farm::write_run(&self.broker, &run).await;
        run
    }

    /// What ended, and what will be tried again.
    async fn past(&self) {
        let films = [
            (
                "Solaris (1972) [Remux 1080p].mkv",
                "libx265",
                "rack-04",
                31_400,
                24.1,
            ),
            (
                "Playtime.1967.4K.HDR.mkv",
                "hevc_nvenc",
                "atelier",
                58_200,
                21.7,
            ),
            (
                "wedding-summer/GX010042.MP4",
                "hevc_videotoolbox",
                "studio-mac",
                4_012,
                1.31,
            ),
            (
                "wedding-summer/GX010043.MP4",
                "hevc_videotoolbox",
                "studio-mac",
                3_877,
                1.27,
            ),
            (
                "lectures/2019-11-04 linear algebra.avi",
                "any_av1",
                "atelier",
                1_480,
                0.212,
            ),
            (
                "lectures/2019-11-11 linear algebra.avi",
                "any_av1",
                "atelier",
                1_512,
                0.198,
            ),
            (
                "archive/VHS tape 07 (Ostsee 1994).mpg",
                "libsvtav1",
                "rack-04",
                6_233,
                1.06,
            ),
            ("The General (1926).mkv", "libx264", "mini-pc", 7_900, 6.84),
        ];
        for (index, (name, by, worker, megabytes, output)) in films.into_iter().enumerate() {
            let size = megabytes * 1_000_000;
            let job = farm::job(name, by, size);
            let since = 9_000 - 900 * i64::try_from(index).expect("small");
            let run = self.run(&job, worker, since).await;
            let seconds = 200.0 + f64::from(u32::try_from(index).expect("small")) * 137.0;
            let report = Report {
                worker: worker.parse().expect("a name"),
                encoder: Some(farm::encoder(if by == "any_av1" {
                    "av1_nvenc"
                } else {
                    by
                })),
                input_size: size,
                output_size: (output * 1e9) as u64,
                frames: (seconds * (90.0 + 17.0 * output)) as u64,
                duration: 5400.0,
                encode_seconds: seconds,
                total_seconds: seconds + 12.0,
                input_media: None,
                output_media: None,
                changes: match index {
                    6 => vec![
                        Change::lost(
                            Kind::Track,
                            4,
                            "subtitle dvb_teletext",
                            "no container here holds its form",
                        ),
                        Change::kept(Kind::Chapters, None, "12 chapters"),
                    ],
                    _ => Vec::new(),
                },
                warnings: Vec::new(),
            };
            let end = ago(since - seconds as i64);
            farm::write_run(&self.broker, &run.complete(report, end)).await;
        }
        let job = farm::job("phone/VID_20240613_181500.mp4", "hevc_nvenc", 391_000_000);
        let run = self.run(&job, "atelier", 700).await;
        let failure = Failure::input(
            "s3://media/in/phone/VID_20240613_181500.mp4 is no media file: moov atom not found",
        );
        let failed = run.fail(failure, SignedDuration::ZERO, ago(690));
        farm::write_run(&self.broker, &failed).await;

        let job = farm::job("phone/VID_20240614_090112.mp4", "libx265", 204_000_000);
        let run = self.run(&job, "rack-04", 320).await;
        let cancelled = run.cancel(ago(300)).expect("it runs");
        farm::write_run(&self.broker, &cancelled).await;

        let job = farm::job("drone/DJI_0197.MOV", "hevc_qsv", 2_310_000_000);
        let run = self.run(&job, "mini-pc", 60).await;
        let failure =
            Failure::passing("reading s3://media/in/drone/DJI_0197.MOV: connection reset by peer");
        let again = run.fail(failure, SignedDuration::from_mins(7), ago(2));
        farm::write_run(&self.broker, &again).await;
    }

    /// What runs.
    async fn present(&mut self) {
        let jobs = [
            (
                "Stalker.1979.2160p.UHD.BluRay.Remux.mkv",
                "libx265",
                "rack-04",
                71_300,
                Stage::Encoding,
                0.83,
                31.0,
            ),
            (
                "Das Boot – Director's Cut (1981).mkv",
                "hevc_nvenc",
                "atelier",
                38_640,
                Stage::Encoding,
                0.46,
                412.0,
            ),
            (
                "lectures/2019-11-18 linear algebra.avi",
                "any_av1",
                "atelier",
                1_496,
                Stage::Verifying,
                0.71,
                0.0,
            ),
            (
                "wedding-summer/GX010044.MP4",
                "hevc_videotoolbox",
                "studio-mac",
                4_001,
                Stage::Encoding,
                0.12,
                288.0,
            ),
            (
                "archive/VHS tape 08 (Weihnachten 1995).mpg",
                "libsvtav1",
                "rack-04",
                5_950,
                Stage::Encoding,
                0.57,
                96.0,
            ),
            (
                "drone/DJI_0196.MOV",
                "hevc_qsv",
                "mini-pc",
                2_280,
                Stage::Publishing,
                0.38,
                0.0,
            ),
            (
                "conference/Keynote – 日本語字幕.mov",
                "hevc_nvenc",
                "atelier",
                12_900,
                Stage::Reading,
                -1.0,
                0.0,
            ),
        ];
        for (index, (name, by, worker, megabytes, stage, fraction, fps)) in
            jobs.into_iter().enumerate()
        {
            let job = farm::job(name, by, megabytes * 1_000_000);
            let since = 1900 - 280 * i64::try_from(index).expect("small");
            let run = self
                .run(&job, worker, since)
                .await
                .enter(stage, Timestamp::now());
            farm::write_run(&self.broker, &run).await;
            if let Some(beat) = self
                .workers
                .iter_mut()
                .find(|beat| beat.name.as_str() == worker)
            {
                beat.running.push(run.job.id);
            }
            self.running.push((run, stage, fraction, fps));
        }
    }

    /// What waits.
    async fn future(&self, is_hostile: bool) {
        let mut jobs = Vec::new();
        let mut add = |name: String, by: &str, priority: u8, megabytes: u64, seconds: i64| {
            let job = Job {
                enqueued: ago(seconds),
                ..farm::job(&name, by, megabytes * 1_000_000)
            };
            let lane = farm::lane(&job, priority);
            jobs.push((job, lane));
        };
        if is_hostile {
            for name in [
                "<script>alert(1)</script>.mkv".to_owned(),
                "<img src=x onerror=alert(2)>.mkv".to_owned(),
                "two\nlines\tand a tab.mkv".to_owned(),
                "\u{202e}vkm.eman drawkcab\u{202c}.mkv".to_owned(),
                "שלום עולם – סרט.mkv".to_owned(),
                format!("{}.mkv", "W".repeat(296)),
                format!("{}.mkv", "🎬👩‍👩‍👧‍👦".repeat(30)),
                "&lt;b&gt; ${7*7} {{7*7}} %00 '\"`.mkv".to_owned(),
            ] {
                add(name, "libx265", 10, 700, 10);
            }
        }
        add(
            "Metropolis (1927) restored.mkv".to_owned(),
            "hevc_nvenc",
            9,
            24_800,
            95,
        );
        for number in 45..63 {
            add(
                format!("wedding-summer/GX0100{number}.MP4"),
                "any_hevc",
                6,
                3_700 + number,
                1_500,
            );
        }
        for number in 1..=212 {
            let name = format!(
                "series/Season {}/Episode {:02}.mkv",
                1 + number / 24,
                1 + number % 24
            );
            add(name, "libx265", 5, 2_100 + number * 7, 5_000);
        }
        for number in 1..=9 {
            add(
                format!("games/capture-{number:03}.mkv"),
                "av1_amf",
                5,
                8_000 + number,
                4_000,
            );
        }
        add(
            "master/Trailer_ProRes.mov".to_owned(),
            "prores_videotoolbox",
            3,
            18_000,
            300,
        );
        self.broker.enqueue(&jobs, |_| {}).await.expect("enqueued");
    }

    /// Heartbeats and progress, for as long as somebody looks.
    async fn live(&mut self) {
        let mut tick: u32 = 0;
        loop {
            if tick.is_multiple_of(u32::try_from(HEARTBEAT.as_secs()).expect("small") * 2) {
                for (index, worker) in self.workers.iter_mut().enumerate() {
                    if worker.name.as_str() == "attic-pi" && tick > 0 {
                        continue;
                    }
                    let wave = f64::from(tick) / 9.0 + index as f64 * 1.7;
                    let busy = worker.running.len() as f64 / f64::from(worker.slots);
                    worker.at = Timestamp::now();
                    worker.load.cpu = (0.18 + 0.62 * busy + 0.12 * wave.sin()) as f32;
                    let share = 0.22 + 0.3 * busy + 0.02 * wave.cos();
                    worker.load.memory_used = (worker.card.host.memory as f64 * share) as u64;
                    worker.load.scratch_free = (41 + 260 * index as u64) * GB;
                    self.broker.heartbeat(worker).await.expect("heard");
                }
            }
            for (run, stage, fraction, fps) in &mut self.running {
                let step = if *stage == Stage::Encoding {
                    *fps / 200_000.0
                } else {
                    0.002
                };
                if *fraction >= 0.0 {
                    *fraction = if *fraction + step < 1.0 {
                        *fraction + step
                    } else {
                        0.0
                    };
                }
                let progress = progress(run, *stage, *fraction, *fps, tick);
                let subject = subject::progress(&run.job.id);
                self.broker
                    .client()
                    .publish(subject, wire::encode(&progress))
                    .await
                    .expect("sent");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            tick += 1;
        }
    }
}

fn progress(run: &Run, stage: Stage, fraction: f32, fps: f32, tick: u32) -> Progress {
    let RunState::Running { worker, .. } = &run.state else {
        unreachable!("it was made running")
    };
    let job: JobId = run.job.id;
    let pace = fps * (1.0 + 0.03 * (tick as f32 / 3.0).sin());
    Progress {
        job,
        worker: worker.clone(),
        attempt: 1,
        stage,
        fraction: (fraction >= 0.0).then_some(fraction),
        encode: (stage == Stage::Encoding).then(|| EncodeProgress {
            frame: (fraction * 150_000.0) as u64,
            fps: pace,
            speed: pace / 23.976,
            bitrate: 6.1e6 + fps * 9_000.0,
            size: (run.job.input.size as f32 * fraction * 0.38) as u64,
            time: f64::from(fraction) * 6_200.0,
        }),
        eta: (fraction >= 0.0).then(|| {
            let rest = (1.0 - fraction) * 150_000.0;
            if stage == Stage::Encoding {
                rest / pace
            } else {
                90.0 * (1.0 - fraction)
            }
        }),
        waits_for: None,
        at: Timestamp::now(),
    }
}
