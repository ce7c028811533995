//! Workers as different as those of a real farm.

use crate::*;

pub(crate) fn workers() -> Vec<Heartbeat> {
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
