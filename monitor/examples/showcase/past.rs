//! Jobs that ended, and one that waits for a retry.

use crate::*;

impl Farm {
    /// What ended, and what will be tried again.
    pub(crate) async fn past(&self) {
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
                quality: None,
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
                companions: Vec::new(),
                ladder: Vec::new(),
                health: None,
                replaced: None,
                sidecars: Vec::new(),
                split: None,
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
}
