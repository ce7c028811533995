//! What one encoder can do: on which device, in which pixel formats, up to
//! which size.

use std::time::Duration;

use common::recipe::encoder::{Encoder, Kind};

use crate::capabilities::ladder;
use crate::capabilities::profile::{Size, Way};
use crate::capabilities::trial::{Bench, Encoded, Refusal, Source, Trial};

/// How long AMD's runtime is left alone before it is asked again.
const SECOND_CHANCE: Duration = Duration::from_secs(2);

/// What an encoder was seen to do, but for how fast and how often at once.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) encoder: Encoder,
    pub(crate) way: Way,
    /// The formats that it really encoded.
    pub(crate) formats: Vec<String>,
    pub(crate) largest: Size,
}

/// Tries an encoder in all ways until one works.
///
/// # Errors
/// Why it does not work at all, in one line.
pub(crate) async fn prove(bench: &Bench, encoder: &Encoder, memory: u64) -> Result<Found, String> {
    let mut first = None;
    for way in Way::all(encoder.kind()) {
        match prove_way(bench, encoder, &way, memory).await {
            Ok(found) => return Ok(found),
            // What hangs once hangs again.
            Err(refusal) if refusal.timed_out => return Err(refusal.reason),
            // Of several ways the plainest says best what is wrong.
            Err(refusal) => first = first.or(Some(refusal.reason)),
        }
    }
    Err(first.unwrap_or_else(|| "no device to try it on".to_owned()))
}

async fn prove_way(
    bench: &Bench,
    encoder: &Encoder,
    way: &Way,
    memory: u64,
) -> Result<Found, Refusal> {
    let trial = Trial {
        encoder,
        way,
        deep: false,
        size: ladder::start(encoder.kind(), memory),
        source: Source::Flat(1),
        quick: true,
    };
    let (base, encoded) = match ladder::down(bench, &trial).await {
        Err(refusal) if deserves_second_chance(encoder.kind(), &refusal) => {
            tokio::time::sleep(SECOND_CHANCE).await;
            ladder::down(bench, &trial).await?
        }
        tried => tried?,
    };
    let largest = ladder::up(bench, &trial, base, encoded.took, memory).await;
    Ok(Found {
        encoder: encoder.clone(),
        way: way.clone(),
        formats: formats(bench, &trial, encoded).await,
        largest,
    })
}

/// AMD's runtime may fail once and work two seconds later; where it is not
/// installed, there is nothing to wait for.
fn deserves_second_chance(kind: Kind, refusal: &Refusal) -> bool {
    kind == Kind::Amd && !refusal.timed_out && !refusal.reason.contains("failed to open")
}

/// The format taken when 8 bits were asked for, and the one for 10 bits.
async fn formats(bench: &Bench, trial: &Trial<'_>, shallow: Encoded) -> Vec<String> {
    let mut formats = vec![shallow.format];
    if common::farm::card::bit_depth(&formats[0]) == 8 {
        let deep = Trial {
            deep: true,
            size: ladder::usual(trial.encoder.kind()),
            ..trial.clone()
        };
        formats.extend(deep.run(bench).await.ok().map(|encoded| encoded.format));
    }
    formats
}
