//! Detection of encoders with the real ffmpeg, and with scripts in its place.

use std::time::{Duration, Instant};

use common::farm::card::{Capabilities, Verdict};
use common::recipe::encoder::Encoder;
use worker::capabilities::{DetectError, Detection, detect, render};
use worker::ffmpeg::Tools;

fn encoder(name: &str) -> Encoder {
    name.parse().expect("an encoder's name")
}

fn real() -> Detection {
    Detection::new(Tools::find(None, None).expect("ffmpeg in PATH").ffmpeg)
}

fn reason<'a>(card: &'a Capabilities, name: &str) -> &'a str {
    match card.encoders.get(&encoder(name)) {
        Some(Verdict::Refused { reason }) => reason,
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test]
async fn software_proves_both_depths_and_its_speed() {
    let card = detect(&Detection {
        only: Some(vec![encoder("libx264"), encoder("libx265")]),
        ..real()
    })
    .await
    .expect("a card");
    for name in ["libx264", "libx265"] {
        let proof = card.proof(&encoder(name)).expect(name);
        assert!(
            proof.encodes_depth(8) && proof.encodes_depth(10),
            "{proof:?}"
        );
        assert!(proof.largest >= (1280, 720), "{proof:?}");
        // There is no lower limit, as the machine may be busy.
        assert!(proof.fps > 0.0 && proof.fps < 5000.0, "{proof:?}");
        assert_eq!(proof.sessions, None);
    }
    assert!(card.audio.contains(&"aac".to_owned()), "{:?}", card.audio);
    assert!(card.filters.contains(&"scale".to_owned()));
    assert!(card.muxers.contains(&"matroska".to_owned()));
    assert!(card.host.cores > 0 && card.host.memory > 0);
    assert!(render(&card).contains("8 and 10 bit"));
}

/// On every machine, Debian's ffmpeg lists NVENC, Quick Sync, VA-API, V4L2 and OMX.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn listed_hardware_that_is_missing_is_refused_in_one_line() {
    let devices = ["/dev/dri", "/dev/nvidia0", "/dev/video0", "/dev/video10"];
    if let Some(device) = devices
        .iter()
        .find(|device| std::fs::exists(device).unwrap_or(true))
    {
        eprintln!("skipped: this machine has {device}");
        return;
    }
    let hardware: Vec<Encoder> = Encoder::catalogue()
        .map(|(encoder, _)| encoder)
        .filter(|encoder| encoder.kind().is_hardware())
        .collect();
    let card = detect(&Detection {
        only: Some(hardware),
        ..real()
    })
    .await
    .expect("a card");
    assert!(!card.encoders.is_empty(), "nothing to refuse in this build");
    for (encoder, verdict) in &card.encoders {
        let Verdict::Refused { reason } = verdict else {
            panic!("{encoder} is proved on a machine without hardware: {verdict:?}");
        };
        assert!(
            !reason.is_empty() && !reason.contains('\n'),
            "{encoder}: {reason:?}"
        );
        assert!(
            !reason.contains("0x") && !reason.contains("Conversion failed"),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn a_program_that_is_no_ffmpeg_is_named() {
    let missing = detect(&Detection::new("/no/such/ffmpeg"))
        .await
        .expect_err("an error");
    assert!(matches!(missing, DetectError::Missing(_)), "{missing}");
    assert!(missing.to_string().contains("/no/such/ffmpeg"), "{missing}");

    let other = std::env::current_exe().expect("this program");
    let other = detect(&Detection::new(other)).await.expect_err("an error");
    assert!(other.to_string().contains("failed") || matches!(other, DetectError::NotFfmpeg(_)));
}

/// Scripts in the place of an ffmpeg that lists only `hevc_nvenc`.
#[cfg(unix)]
mod scripts {
    use std::fs;
    use std::process::Command;

    use common::testing;
    use serde_json::Value;
    use tempfile::TempDir;

    use super::*;

    /// Every encode succeeds.
    const WORKS: &str = r#"
        i=0
        case "$*" in
            *-frames:v*|*sine*) echo "0, 0, 0, 1, 100, 0x1" ;;
            *) while :; do echo "0, $i, $i, 1, 100, 0x1"; i=$((i + 1)); sleep 0.02; done ;;
        esac
    "#;

    struct FakeFfmpeg {
        folder: TempDir,
    }

    impl FakeFfmpeg {
        /// `body` is what the script does for an encode; `$here` is a folder of its own.
        fn new(body: &str) -> Self {
            let folder = TempDir::new().expect("a folder");
            let here = folder.path().display();
            let script = format!(
                r#"#!/bin/sh
                here={here}
                echo "$*" >> $here/calls
                case "$*" in
                    *-version*) echo "ffmpeg version 7.1-fake Copyright"; exit ;;
                    *-encoders*) echo " V....D hevc_nvenc  NVENC"; echo " V....D hevc_amf  AMF"; exit ;;
                    *-filters*|*-muxers*) exit ;;
                esac
                {body}"#
            );
            testing::executable(&folder.path().join("ffmpeg"), &script);
            Self { folder }
        }

        fn detection(&self) -> Detection {
            Detection {
                only: Some(vec![encoder("hevc_nvenc")]),
                ..Detection::new(self.folder.path().join("ffmpeg"))
            }
        }

        async fn card(&self) -> Capabilities {
            detect(&self.detection()).await.expect("a card")
        }

        fn lines(&self, file: &str) -> Vec<String> {
            let text = fs::read_to_string(self.folder.path().join(file)).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        }

        fn encodes(&self) -> usize {
            let calls = self.lines("calls");
            calls.iter().filter(|call| call.contains("-c:v")).count()
        }
    }

    #[tokio::test]
    async fn hardware_that_works_is_proved_with_its_limits() {
        let fake = FakeFfmpeg::new(&format!(
            r#"
            case "$*" in
                *7680x4320*) echo "[hevc_nvenc @ 0x5] Width 7680 exceeds 4096" >&2; exit 1 ;;
                *" -re "*)
                    for slot in 1 2 3 none; do mkdir $here/slot$slot 2>/dev/null && break; done
                    if [ $slot = none ]; then sleep 0.1; exit 1; fi ;;
            esac
            {WORKS}"#
        ));
        fs::create_dir(fake.folder.path().join("slotnone")).expect("a folder");
        let card = fake.card().await;
        let proof = card.proof(&encoder("hevc_nvenc")).expect("a proof");
        assert_eq!(proof.largest, (3840, 2160));
        assert_eq!(proof.sessions, Some(3));
        assert!(
            proof.encodes_depth(8) && proof.encodes_depth(10),
            "{proof:?}"
        );
        assert!(proof.fps > 1.0, "{proof:?}");
    }

    #[tokio::test]
    async fn a_pixel_format_that_ffmpeg_replaced_is_not_proved() {
        let fake = FakeFfmpeg::new(&format!(
            r#"
            echo "[info] Output #0, framecrc, to 'pipe:':" >&2
            echo "[info]   Stream #0:0: Video: hevc, yuv420p(tv), 1920x1080" >&2
            {WORKS}"#
        ));
        let card = fake.card().await;
        let proof = card.proof(&encoder("hevc_nvenc")).expect("a proof");
        assert_eq!(proof.pixel_formats, ["yuv420p"]);
    }

    #[tokio::test]
    async fn success_without_packets_is_no_proof() {
        let fake = FakeFfmpeg::new("exit 0");
        assert_eq!(
            reason(&fake.card().await, "hevc_nvenc"),
            "ffmpeg succeeded, but brought out nothing"
        );
    }

    #[tokio::test]
    async fn a_device_that_fails_once_gets_a_second_chance() {
        let fake = FakeFfmpeg::new(&format!(
            r#"
            mkdir $here/failed 2>/dev/null && {{ echo "[AMF @ 0x5] encoder->Init() failed" >&2; exit 1; }}
            {WORKS}"#
        ));
        let card = detect(&Detection {
            only: Some(vec![encoder("hevc_amf")]),
            ..fake.detection()
        })
        .await
        .expect("a card");
        assert!(card.proof(&encoder("hevc_amf")).is_some(), "{card:?}");
    }

    #[tokio::test]
    async fn an_encoder_that_hangs_is_refused_and_leaves_no_process() {
        let fake = FakeFfmpeg::new(
            r#"
            case "$*" in *sine*) exit 1 ;; esac
            echo "[hevc_nvenc @ 0x5] waiting for the device" >&2
            sleep 1000 &
            echo $$ $! >> $here/pids
            wait"#,
        );
        let started = Instant::now();
        let card = detect(&Detection {
            patience: Duration::from_secs(2),
            ..fake.detection()
        })
        .await
        .expect("a card");
        assert_eq!(
            reason(&card, "hevc_nvenc"),
            "no answer within 2s: waiting for the device"
        );
        assert!(started.elapsed() < Duration::from_secs(10));
        let pids = fake.lines("pids").join(" ");
        assert!(!pids.is_empty());
        assert!(gone(&pids).await, "{pids} still run");
    }

    #[tokio::test]
    async fn dropping_a_detection_kills_what_it_runs() {
        let fake = FakeFfmpeg::new("sleep 1000 & echo $$ $! >> $here/pids; wait");
        let detection = fake.detection();
        let detecting = tokio::spawn(async move { detect(&detection).await });
        until(|| !fake.lines("pids").is_empty()).await;
        detecting.abort();
        assert!(detecting.await.is_err());
        let pids = fake.lines("pids").join(" ");
        assert!(gone(&pids).await, "{pids} still run");
    }

    #[tokio::test]
    async fn a_card_is_kept_until_a_fresh_one_is_asked_for() {
        let fake = FakeFfmpeg::new("exit 1");
        let cached = Detection {
            cache: Some(fake.folder.path().join("cards/kept.json")),
            ..fake.detection()
        };
        let fresh = Detection {
            fresh: true,
            ..cached.clone()
        };
        let first = detect(&cached).await.expect("a card");
        let encodes = fake.encodes();
        assert!(encodes > 0);
        assert_eq!(detect(&cached).await.expect("a card"), first);
        assert_eq!(fake.encodes(), encodes, "it was found anew");
        detect(&fresh).await.expect("a card");
        assert_eq!(fake.encodes(), 2 * encodes, "it was not found anew");
    }

    #[tokio::test]
    async fn a_kept_card_grows_with_every_encoder_asked_for() {
        let fake = FakeFfmpeg::new("exit 1");
        let cache = fake.folder.path().join("kept.json");
        let only = |names: Option<&[&str]>| Detection {
            only: names.map(|names| names.iter().map(|name| encoder(name)).collect()),
            cache: Some(cache.clone()),
            ..fake.detection()
        };
        detect(&only(None)).await.expect("a card");
        let all = fake.encodes();
        // A card for all encoders holds for each of them, and a request for one encoder does not shrink it.
        let one = detect(&only(Some(&["hevc_nvenc"]))).await.expect("a card");
        assert_eq!(one.encoders.len(), 1);
        let again = Detection {
            fresh: true,
            ..only(Some(&["hevc_nvenc"]))
        };
        detect(&again).await.expect("a card");
        let encodes = fake.encodes();
        assert!(encodes > all);
        assert_eq!(detect(&only(None)).await.expect("a card").encoders.len(), 2);
        assert_eq!(fake.encodes(), encodes, "it was found anew");
    }

    #[tokio::test]
    async fn a_broken_cache_is_made_anew() {
        let fake = FakeFfmpeg::new("exit 1");
        let cache = fake.folder.path().join("kept.json");
        let detection = Detection {
            cache: Some(cache.clone()),
            ..fake.detection()
        };
        fs::write(&cache, "{ half a fi").expect("a broken file");
        detect(&detection).await.expect("a card");
        let kept = fs::read(&cache).expect("a file");
        serde_json::from_slice::<Value>(&kept).expect("whole again");
    }

    /// Whether the processes end soon; zombies count as ended.
    async fn gone(pids: &str) -> bool {
        let alive = || {
            let listed = Command::new("ps")
                .args(["-o", "stat=", "-p", &pids.replace(' ', ",")])
                .output()
                .expect("ps runs");
            let states = String::from_utf8_lossy(&listed.stdout).into_owned();
            states.lines().any(|state| !state.trim().starts_with('Z'))
        };
        until(|| !alive()).await;
        !alive()
    }

    async fn until(condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while !condition() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
