//! Detection: a worker tests the encoders that ffmpeg lists, and offers only those that worked.
//!
//! `ffmpeg -encoders` lists the encoders that were compiled in, not those that run here: Debian's ffmpeg lists NVENC,
//! Quick Sync, VA-API and V4L2 on machines without any of them. So every video encoder of interest gets a test encode
//! ([`prove`]) that must output packets in the requested format. Then larger pictures are tried ([`ladder`]). The
//! speed of an encoder that passed is measured while nothing else runs ([`speed`]), and the number of simultaneous
//! encodes is counted for hardware ([`sessions`]). An encoder that failed keeps ffmpeg's own message as the reason.
//!
//! More than 12 entries: each is one step of finding out what can be encoded here.

mod cache;
mod devices;
mod host;
mod ladder;
mod listing;
mod metrics;
mod profile;
mod prove;
mod render;
mod sessions;
mod sizes;
mod speed;
mod test_encode;
mod watched;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::farm::card::{Capabilities, Proof, Verdict};
use common::recipe::AudioEncoder;
use common::recipe::encoder::{Encoder, EncoderKind};
use futures::{StreamExt, stream};

pub use host::host_name;
pub use render::render;

use cache::Cache;
use listing::Listing;
use prove::Found;
pub use test_encode::PROOF_FRAMES;
use test_encode::TestRig;

use crate::sandbox::resources::Resources;
use crate::sandbox::{Sandbox, Wrapper};

/// How long a new detection on a busy machine may take.
pub const LONGEST: Duration = Duration::from_secs(600);

/// How many times longer a test encode may take on a busy machine.
const AGAIN: u32 = 3;

/// What to detect, and how.
#[derive(Clone, Debug)]
pub struct Detection {
    /// The ffmpeg to test.
    pub ffmpeg: PathBuf,
    /// Test only these video encoders, which need not be in the catalogue.
    pub only: Option<Vec<Encoder>>,
    /// A file or folder where cards are kept.
    pub cache: Option<PathBuf>,
    /// Whether to test again even if a card is kept.
    pub fresh: bool,
    /// Whether to keep the new card.
    pub keep: bool,
    /// The card from a detection on the idle machine. Its speeds and limits are not measured again for the same
    /// ffmpeg, because the machine may be busy by now.
    pub measured: Option<Arc<Capabilities>>,
    /// How ffmpeg is wrapped, as for jobs; `None` tests it unwrapped.
    pub wrapper: Option<Wrapper>,
    /// How many encoders are tested at the same time.
    pub parallelism: usize,
    /// How long one test encode may take before it counts as refused.
    pub patience: Duration,
}

impl Detection {
    /// Tests everything that this ffmpeg lists, without a cache.
    pub fn new(ffmpeg: impl Into<PathBuf>) -> Self {
        Self {
            ffmpeg: ffmpeg.into(),
            only: None,
            cache: None,
            fresh: false,
            keep: true,
            measured: None,
            wrapper: None,
            parallelism: host::cores() as usize,
            patience: Duration::from_secs(10),
        }
    }
}

/// Why the ffmpeg cannot be tested.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    #[error("there is no ffmpeg at {}: install ffmpeg, or name it with --ffmpeg", .0.display())]
    Missing(PathBuf),
    #[error("{} cannot be run ({source}): is it an ffmpeg for this machine?", ffmpeg.display())]
    NotRunnable { ffmpeg: PathBuf, source: io::Error },
    #[error("no temporary folder can be made for ffmpeg ({0}): is the disk full, or TMPDIR wrong?")]
    NoFolder(io::Error),
    #[error("{} is not ffmpeg: name the right program with --ffmpeg", .0.display())]
    NotFfmpeg(PathBuf),
    /// It does not print its version or its lists.
    #[error("{} {what} failed ({why}): try it by hand", ffmpeg.display())]
    NoAnswer {
        ffmpeg: PathBuf,
        /// The option that failed.
        what: &'static str,
        why: String,
    },
}

impl DetectError {
    fn unable_to_run(ffmpeg: &Path, source: io::Error) -> Self {
        let ffmpeg = ffmpeg.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing(ffmpeg),
            _ => Self::NotRunnable { ffmpeg, source },
        }
    }
}

/// Finds out what ffmpeg and this machine can do together.
///
/// Takes seconds if no card is kept. Dropping the future kills the running tests.
///
/// # Errors
/// If ffmpeg is missing, does not run, or does not print its lists.
pub async fn detect(detection: &Detection) -> Result<Capabilities, DetectError> {
    // Drivers keep shader caches and the like there.
    let home = tempfile::tempdir().map_err(DetectError::NoFolder)?;
    let rig = TestRig {
        ffmpeg: detection.ffmpeg.clone(),
        sandbox: Sandbox {
            wrapper: detection.wrapper.clone(),
            read: Vec::new(),
            home: home.path().to_owned(),
            writes: true,
            connects: Vec::new(),
            resources: Resources::default(),
            background: false,
        },
        patience: detection.patience,
    };
    let only = detection.only.as_deref();
    let ffmpeg = listing::version(&rig).await?;
    let host = host::host();
    let sandbox = detection.wrapper.as_ref().map(|wrapper| wrapper.offered);
    let cache = detection
        .cache
        .as_deref()
        .map(|path| Cache::at(path, &ffmpeg, &host));
    if !detection.fresh
        && let Some(card) = cache.as_ref().and_then(|cache| cache.find(only))
    {
        return Ok(Capabilities {
            host,
            sandbox,
            ..card
        });
    }

    let listing = Listing::ask(&rig).await?;
    let parallelism = detection.parallelism.max(1);
    let memory = host.memory / parallelism as u64;
    let (video, audio) = tokio::join!(
        prove_all(&rig, wanted(only, &listing), parallelism, memory),
        audio(&rig, &listing, parallelism),
    );
    let mut encoders = BTreeMap::new();
    let measured = detection.measured.as_deref();
    let measured = measured.filter(|card| card.ffmpeg.build == ffmpeg.build);
    for (encoder, outcome) in video {
        let verdict = match outcome {
            Ok(found) => {
                let before = measured.and_then(|card| card.proof(&encoder));
                Verdict::Proved(proof(&rig, found, before).await)
            }
            Err(reason) => Verdict::Refused { reason },
        };
        encoders.insert(encoder, verdict);
    }
    let metrics = metrics::measured(&rig, &listing).await;
    let card = Capabilities {
        ffmpeg,
        host,
        encoders,
        audio,
        filters: listing.filters,
        muxers: listing.muxers,
        sandbox,
        metrics,
    };
    if detection.keep
        && let Some(Err(error)) = cache.map(|cache| cache.keep(only, &card))
    {
        tracing::warn!(%error, "the capability card cannot be kept, and will be found anew next time");
    }
    Ok(card)
}

/// Finds out again what ffmpeg and this machine can do, beside other work. Tests get more time, and the speeds
/// measured before stay. The new card is not kept for the next start. If an encoder is lost, the kept card is
/// removed, so that the next start tests again.
///
/// # Errors
/// Those of [`detect`].
pub async fn detect_again(detection: &Detection) -> Result<Capabilities, DetectError> {
    let again = Detection {
        fresh: true,
        keep: false,
        patience: detection.patience * AGAIN,
        ..detection.clone()
    };
    let card = detect(&again).await?;
    let before = detection.measured.as_deref();
    let is_less = before.is_some_and(|before| {
        let mut proved = before.proved();
        proved.any(|(encoder, _)| card.proof(encoder).is_none())
    });
    if is_less
        && let Some(path) = &detection.cache
        && let Err(error) = Cache::at(path, &card.ffmpeg, &card.host).forget()
    {
        tracing::warn!(%error, "the capability card that was kept cannot be removed");
    }
    Ok(card)
}

/// The arguments of a proof encode: a short encode of synthetic pictures into a file. Without an encoder the pictures
/// are stored as raw video.
pub fn proof_encode(with: Option<(&Encoder, &Proof)>, output: &Path) -> Vec<OsString> {
    test_encode::into_file(with, output)
}

/// The encoders to test.
fn wanted(only: Option<&[Encoder]>, listing: &Listing) -> Vec<Encoder> {
    let all = || Encoder::catalogue().map(|(encoder, _)| encoder).collect();
    let mut wanted: Vec<Encoder> = only.map_or_else(all, <[Encoder]>::to_vec);
    wanted.retain(|encoder| listing.has_encoder(encoder.as_str()));
    wanted
}

/// Tests all encoders, several at the same time. Encoders of one kind of hardware are tested one after another,
/// because they share its sessions.
async fn prove_all(
    rig: &TestRig,
    encoders: Vec<Encoder>,
    parallelism: usize,
    memory: u64,
) -> Vec<(Encoder, Result<Found, String>)> {
    let mut hardware: BTreeMap<String, Vec<Encoder>> = BTreeMap::new();
    let mut groups = Vec::new();
    for encoder in encoders {
        match encoder.kind() {
            EncoderKind::Software => groups.push(vec![encoder]),
            kind => hardware.entry(kind.to_string()).or_default().push(encoder),
        }
    }
    // The longest groups come first, so that none is left over at the end.
    let groups = hardware.into_values().chain(groups);
    let outcomes: Vec<Vec<_>> = stream::iter(groups)
        .map(|group| async move {
            let mut outcomes = Vec::new();
            for encoder in group {
                let outcome = prove::prove(rig, &encoder, memory).await;
                tracing::debug!(%encoder, ?outcome, "tried");
                outcomes.push((encoder, outcome));
            }
            outcomes
        })
        .buffer_unordered(parallelism)
        .collect()
        .await;
    outcomes.into_iter().flatten().collect()
}

/// Makes an encoder's proof. Reuses the earlier measurements if they were made on the same device path, otherwise
/// measures now. The caller measures one encoder after another.
async fn proof(rig: &TestRig, found: Found, before: Option<&Proof>) -> Proof {
    let is_same = |before: &&Proof| {
        before.device_arguments == found.device_path.device
            && before.encoder_arguments == found.device_path.encoder
    };
    if let Some(before) = before.filter(is_same) {
        return Proof {
            pixel_formats: found.formats,
            ..before.clone()
        };
    }
    let fps = speed::measure(rig, &found).await;
    tracing::debug!(encoder = %found.encoder, fps, "measured");
    let kind = found.encoder.kind();
    let sessions = if kind.is_hardware() {
        Some(sessions::count(rig, &found).await)
    } else {
        None
    };
    Proof {
        kind,
        pixel_formats: found.formats,
        largest: found.largest,
        fps,
        sessions,
        device_arguments: found.device_path.device,
        encoder_arguments: found.device_path.encoder,
    }
}

/// The audio encoders that work.
async fn audio(rig: &TestRig, listing: &Listing, parallelism: usize) -> Vec<String> {
    let mut encoders = AudioEncoder::ALL.to_vec();
    encoders.retain(|encoder| listing.has_encoder(encoder.name()));
    stream::iter(encoders)
        .map(|encoder| async move {
            let name = encoder.name();
            let passed = test_encode::audio(rig, name).await.is_ok();
            passed.then(|| name.to_owned())
        })
        .buffered(parallelism)
        .filter_map(std::future::ready)
        .collect()
        .await
}
