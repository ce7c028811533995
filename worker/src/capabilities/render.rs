//! Prints a capability card for people.

use std::fmt::Write;

use common::farm::card::{Capabilities, Proof, Verdict};
use common::recipe::encoder::{Codec, Encoder};

/// The card as text: the encoders by codec, each with its abilities or with the reason why it does not work; then
/// audio, filters, muxers, ffmpeg and the machine.
pub fn render(card: &Capabilities) -> String {
    let mut text = String::new();
    for codec in Codec::ALL {
        let encoders =
            Encoder::of(codec).filter_map(|encoder| Some((card.encoders.get(&encoder)?, encoder)));
        section(&mut text, codec.name(), encoders);
    }
    let others = card
        .encoders
        .iter()
        .filter(|(encoder, _)| encoder.codec().is_none())
        .map(|(encoder, verdict)| (verdict, encoder.clone()));
    section(&mut text, "others", others);

    let mut fact = |name: &str, value: &str| {
        let value = if value.is_empty() { "none" } else { value };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<9}{value}");
    };
    fact("audio", &card.audio.join(" "));
    fact("filters", &card.filters.join(" "));
    fact("muxers", &card.muxers.join(" "));
    fact(
        "ffmpeg",
        &format!("{} (build {})", card.ffmpeg.version, card.ffmpeg.build),
    );
    let host = &card.host;
    fact("host", &format!("{}: {}", host.name, host.os));
    let gib = host.memory as f64 / f64::from(1 << 30);
    fact(
        "machine",
        &format!("{}, {} cores, {gib:.1} GiB", host.cpu, host.cores),
    );
    if let Some(sandbox) = card.sandbox {
        fact("sandbox", &sandbox.to_string());
    }
    text
}

/// The encoders of a codec, with those that work first.
fn section<'a>(
    text: &mut String,
    title: &str,
    encoders: impl Iterator<Item = (&'a Verdict, Encoder)>,
) {
    let mut encoders: Vec<_> = encoders.collect();
    if encoders.is_empty() {
        return;
    }
    encoders.sort_by_key(|(verdict, _)| matches!(verdict, Verdict::Refused { .. }));
    let _ = writeln!(text, "{title}");
    for (verdict, encoder) in encoders {
        let summary = match verdict {
            Verdict::Proved(proof) => proved(proof),
            Verdict::Refused { reason } => format!("no: {reason}"),
        };
        let _ = writeln!(text, "  {encoder:<19}{summary}");
    }
    text.push('\n');
}

fn proved(proof: &Proof) -> String {
    let depths: Vec<&str> = [(8, "8"), (10, "10"), (12, "12")]
        .into_iter()
        .filter(|&(depth, _)| proof.encodes_depth(depth))
        .map(|(_, name)| name)
        .collect();
    let kind = proof.kind.to_string();
    let depths = format!("{} bit", depths.join(" and "));
    let largest = format!("{}×{}", proof.largest.0, proof.largest.1);
    let fps = if proof.fps < 10.0 {
        format!("{:.1}", proof.fps)
    } else {
        format!("{:.0}", proof.fps)
    };
    let sessions = proof
        .sessions
        .map_or_else(String::new, |sessions| format!("  {sessions} at once"));
    format!("{kind:<9}  {depths:<12}  up to {largest:<10}{fps:>5} fps at 720p{sessions}")
}
