//! Running jobs.

use common::testing;

use crate::*;

impl Farm {
    /// What runs.
    pub(crate) async fn present(&mut self) {
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
            self.runs(worker, run, stage, fraction, fps);
        }
        self.split().await;
    }

    /// Notes what a worker runs.
    fn runs(&mut self, worker: &str, run: Run, stage: Stage, fraction: f32, fps: f32) {
        let mut beats = self.workers.iter_mut();
        if let Some(beat) = beats.find(|beat| beat.name.as_str() == worker) {
            beat.running.push(run.job.id);
        }
        self.running.push((run, stage, fraction, fps));
    }

    /// A film that several workers encode in chunks: some are done, some run, and the others wait.
    async fn split(&mut self) {
        let name = "Lawrence.of.Arabia.1962.2160p.UHD.BluRay.mkv";
        let job = farm::job(name, "libx265", 78_400 * 1_000_000);
        let lane = farm::lane(&job, 5);
        let plan = testing::plan(&job, &lane, &[9_000; 24]);
        let plan = self.broker.put_plan(&plan).await.expect("stored");
        let planner = self.run(&job, "rack-04", 1_500).await;
        let parts = u32::try_from(plan.parts().count()).expect("few");
        let split = planner.split(parts, ago(1_480));
        farm::write_run(&self.broker, &split).await;
        let workers = ["rack-04", "atelier", "mini-pc"];
        for ((nth, part), worker) in (0..).zip(plan.parts()).zip(workers.iter().cycle()) {
            let owner = worker.parse().expect("a name");
            let run = Run::first(
                plan.job_of(part),
                &plan.lane(),
                1,
                owner,
                ago(240 - 20 * (nth % 5)),
            );
            match nth {
                0..10 => {
                    let report = Report {
                        frames: 9_000,
                        encode_seconds: 190.0 + 7.0 * (nth % 4) as f64,
                        ..farm::report(worker, "libx265")
                    };
                    let done = run.complete(report, ago(60));
                    farm::write_run(&self.broker, &done).await;
                }
                10..14 => {
                    let run = run.enter(Stage::Encoding, Timestamp::now());
                    farm::write_run(&self.broker, &run).await;
                    let fraction = 0.15 + 0.2 * (nth - 10) as f32;
                    self.runs(worker, run, Stage::Encoding, fraction, 44.0);
                }
                _ => {}
            }
        }
    }
}
