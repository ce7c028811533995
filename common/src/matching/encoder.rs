//! The encoder that a worker uses for a job: one choice for every program that decides by it or shows it.

use crate::farm::card::{Capabilities, Proof, Verdict};
use crate::farm::queue::Queue;
use crate::recipe::encoder::{Codec, Encoder};
use crate::recipe::{Choice, VideoEncode};

/// The encoder that a worker with this card uses for a job from this queue: of a codec the best that can do all that
/// the recipe asks for.
///
/// # Errors
/// The reason why it has none, for people.
pub fn choose<'a>(
    card: &'a Capabilities,
    video: &VideoEncode,
    queue: &Queue,
) -> Result<(&'a Encoder, &'a Proof), String> {
    match (&video.with, queue) {
        (Choice::Encoder(encoder), _) => named(card, video, encoder),
        // If a recipe names several encoders, the queue selects one.
        (Choice::FirstOf(encoders), Queue::Encoder(encoder)) if encoders.contains(encoder) => {
            named(card, video, encoder)
        }
        (Choice::FirstOf(encoders), _) => {
            let proved = encoders.iter().filter(|encoder| proves(card, encoder));
            first_able(proved.map(|encoder| named(card, video, encoder)))
                .unwrap_or_else(|| Err(format!("it has proved none of {}", video.with)))
        }
        (Choice::Codec(codec), _) => {
            let by_rank = best_first(card, *codec).into_iter();
            first_able(by_rank.map(|(encoder, _)| named(card, video, encoder)))
                .unwrap_or_else(|| Err(format!("it has proved no {codec} encoder")))
        }
    }
}

/// The encoder that a worker with this card uses for the jobs of this queue that ask for nothing rare.
pub fn usual<'a>(card: &'a Capabilities, queue: &Queue) -> Option<(&'a Encoder, &'a Proof)> {
    let with = match queue {
        Queue::Encoder(encoder) => Choice::Encoder(encoder.clone()),
        Queue::Any(codec) => Choice::Codec(*codec),
        Queue::On(_) | Queue::Copy => return None,
    };
    choose(card, &VideoEncode::new(with), queue).ok()
}

/// Refuses an encoder that cannot do all that the recipe asks for, as it is proved on a worker.
///
/// # Errors
/// The reason, for people.
pub fn check(video: &VideoEncode, encoder: &Encoder, proof: &Proof) -> Result<(), String> {
    video.check_on(encoder).map_err(|why| why.to_string())?;
    match video.bit_depth.map(u8::from) {
        Some(depth) if !proof.encodes_depth(depth) => {
            Err(format!("{encoder} has not proved {depth} bit here"))
        }
        _ => Ok(()),
    }
}

/// The first encoder that can do it, else the reason of the first that cannot; `None` if there is none at all.
fn first_able<T>(mut judged: impl Iterator<Item = Result<T, String>>) -> Option<Result<T, String>> {
    let first = judged.next()?;
    Some(first.or_else(|why| judged.find_map(Result::ok).ok_or(why)))
}

fn named<'a>(
    card: &'a Capabilities,
    video: &VideoEncode,
    encoder: &Encoder,
) -> Result<(&'a Encoder, &'a Proof), String> {
    match card.encoders.get_key_value(encoder) {
        Some((encoder, Verdict::Proved(proof))) => {
            check(video, encoder, proof).map(|()| (encoder, proof))
        }
        Some((_, Verdict::Refused { reason })) => {
            Err(format!("{encoder} failed its test encode: {reason}"))
        }
        None => Err(format!(
            "{encoder} is not in its ffmpeg, or left out by its --encoders"
        )),
    }
}

fn proves(card: &Capabilities, encoder: &Encoder) -> bool {
    card.proof(encoder).is_some()
}

/// The proved encoders of a codec: hardware before software, then the faster.
fn best_first(card: &Capabilities, codec: Codec) -> Vec<(&Encoder, &Proof)> {
    let of_codec = |(encoder, _): &(&Encoder, _)| encoder.codec() == Some(codec);
    let mut found: Vec<(&Encoder, &Proof)> = card.proved().filter(of_codec).collect();
    found.sort_by(|(_, a), (_, b)| {
        let by_speed = b.fps.total_cmp(&a.fps);
        b.kind
            .is_hardware()
            .cmp(&a.kind.is_hardware())
            .then(by_speed)
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{BitDepth, Rate};
    use crate::testing;

    /// NVENC with 8 bits only, and a software encoder with both depths.
    fn card(codec: &str) -> Capabilities {
        let (hardware, software) = match codec {
            "hevc" => ("hevc_nvenc", "libx265"),
            _ => ("h264_nvenc", "libx264"),
        };
        testing::card([hardware, software].map(|name| {
            let encoder: Encoder = name.parse().expect("a name");
            let mut proof = testing::proof(&encoder);
            if !proof.kind.is_hardware() {
                proof.pixel_formats.push("yuv420p10le".to_owned());
            }
            (encoder, proof)
        }))
    }

    fn of(codec: &str) -> VideoEncode {
        VideoEncode::new(Choice::Codec(codec.parse().expect("a codec")))
    }

    #[test]
    fn the_best_encoder_that_can_do_it_is_chosen() {
        let queue = Queue::Any(Codec::H264);
        let chosen = |video: &VideoEncode| {
            let card = card("h264");
            choose(&card, video, &queue).map(|(encoder, _)| encoder.to_string())
        };
        let mut video = of("h264");
        assert_eq!(chosen(&video).as_deref(), Ok("h264_nvenc"));
        video.bit_depth = Some(BitDepth::Ten);
        assert_eq!(chosen(&video).as_deref(), Ok("libx264"));
        let mut video = of("h264");
        video.rate = Rate::Bitrate("1M".parse().expect("a bitrate"));
        video.two_pass = true;
        assert_eq!(chosen(&video).as_deref(), Ok("libx264"));
    }

    #[test]
    fn a_worker_whose_encoders_cannot_do_it_says_why() {
        let mut card = card("hevc");
        card.encoders.remove(&"libx265".parse().expect("a name"));
        let mut video = of("hevc");
        video.bit_depth = Some(BitDepth::Ten);
        let why = choose(&card, &video, &Queue::Any(Codec::Hevc)).map(|_| ());
        let expected = "hevc_nvenc has not proved 10 bit here";
        assert_eq!(why, Err(expected.to_owned()));
        video.bit_depth = None;
        video.two_pass = true;
        video.rate = Rate::Bitrate("1M".parse().expect("a bitrate"));
        let why = choose(&card, &video, &Queue::Any(Codec::Hevc)).map(|_| ());
        assert!(why.is_err_and(|why| why.starts_with("hevc_nvenc has no two passes")));
        let none = choose(&card, &of("av1"), &Queue::Any(Codec::Av1)).map(|_| ());
        assert_eq!(none, Err("it has proved no av1 encoder".to_owned()));
    }
}
