//! Running jobs.

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
}
