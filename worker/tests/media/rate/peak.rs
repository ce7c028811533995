use std::path::PathBuf;

use common::recipe::{Rate, VideoEncode};

use crate::rate::{bitrate, packets, recipe};
use crate::studio::Studio;

/// Two calm seconds, two of noise, two calm ones.
fn spike(studio: &Studio) -> PathBuf {
    let noise = "noise=alls=40:allf=t:all_seed=1:enable='between(t,2,4)'";
    let picture = format!("color=gray:size=320x180:rate=25,{noise}");
    studio.make(
        "spike.mkv",
        &format!("-f lavfi -i {picture} -t 6 -c:v ffv1 -pix_fmt yuv420p"),
    )
}

/// The most bits in any second.
fn worst(packets: &[(f64, u64)]) -> u64 {
    let of_second = |from: f64| {
        let within = packets
            .iter()
            .filter(|(time, _)| (from..from + 1.0).contains(time));
        within.map(|(_, size)| size * 8).sum()
    };
    let seconds = packets.iter().map(|(time, _)| of_second(*time));
    seconds.max().unwrap_or_default()
}

#[tokio::test]
async fn a_maximum_is_kept_beside_a_quality_and_beside_a_bitrate() {
    const MOST: u64 = 300_000;
    for studio in Studio::each() {
        let spike = spike(&studio);
        let most = |video: &mut VideoEncode| {
            video.max_bitrate = Some("300k".parse().expect("a bitrate"));
        };
        let quality = |video: &mut VideoEncode| {
            video.rate = Rate::Quality(60.try_into().expect("in range"));
        };
        let mean = |video: &mut VideoEncode| video.rate = bitrate("250k");
        type Edit<'a> = &'a dyn Fn(&mut VideoEncode);
        // SVT-AV1 keeps to its maximum over some seconds, the others within one.
        let cases: [(&str, Edit<'_>, f64); 7] = [
            ("libx264", &quality, 2.0),
            ("libx265", &quality, 2.0),
            ("libsvtav1", &quality, 4.0),
            ("libvpx", &quality, 2.0),
            ("mpeg4", &quality, 3.0),
            ("libx264", &mean, 2.0),
            ("mpeg2video", &mean, 3.0),
        ];
        for (encoder, rate, tolerance) in cases {
            let free = recipe(encoder, |video| rate(video));
            let limited = recipe(encoder, |video| {
                rate(video);
                most(video);
            });
            let mut seconds = Vec::new();
            for recipe in [free, limited] {
                let made = studio.encode(&spike, &recipe).await;
                made.unwrap_or_else(|why| panic!("{encoder}: {why:?}"));
                seconds.push(worst(&packets(&studio, &studio.output())));
            }
            let limit = (MOST as f64 * tolerance) as u64;
            assert!(seconds[1] <= limit, "{encoder}: {seconds:?}");
            assert!(seconds[1] < seconds[0], "{encoder}: {seconds:?}");
        }
    }
}
