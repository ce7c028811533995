//! Pending jobs.

use crate::*;

impl Farm {
    /// What waits.
    pub(crate) async fn future(&self, is_hostile: bool) {
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
}
