//! The parts that ffmpeg lists: its version, encoders, filters and muxers.

use std::collections::BTreeSet;

use common::farm::card::Ffmpeg;
use common::recipe::Container;
use uuid::Uuid;

use crate::capabilities::DetectError;
use crate::capabilities::test_encode::TestRig;

/// The filters that the card may list: those that recipes use most, and those that only some builds have.
const FILTERS: &str = "\
    ass bwdif crop cropdetect deband drawtext eq fade fps hqdn3d hwdownload hwupload \
    libplacebo libvmaf loudnorm lut3d minterpolate nlmeans overlay pad psnr scale \
    scale_cuda scale_qsv scale_vaapi scale_vt scale_vulkan select ssim subtitles \
    thumbnail tonemap tonemap_vaapi transpose unsharp vidstabdetect vidstabtransform \
    vpp_qsv xpsnr yadif zscale";

/// The muxers that the card may list, besides those of the recipes' containers.
const MUXERS: &str = "dash hls mpegts mxf ogg segment";

/// The names that ffmpeg lists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listing {
    encoders: BTreeSet<String>,
    /// The listed ones among [`FILTERS`].
    pub(crate) filters: Vec<String>,
    /// The listed ones among [`MUXERS`] and the recipes' containers.
    pub(crate) muxers: Vec<String>,
}

impl Listing {
    /// Reads the lists of ffmpeg.
    ///
    /// # Errors
    /// If ffmpeg cannot be started or does not answer.
    pub(crate) async fn ask(rig: &TestRig) -> Result<Self, DetectError> {
        let (encoders, filters, muxers) = tokio::try_join!(
            ask(rig, "-encoders"),
            ask(rig, "-filters"),
            ask(rig, "-muxers"),
        )?;
        let containers = Container::ALL.map(Container::muxer);
        let muxers: BTreeSet<String> = muxers.lines().filter_map(muxer).collect();
        let filters: BTreeSet<String> = filters.lines().filter_map(filter).collect();
        Ok(Self {
            encoders: encoders.lines().filter_map(encoder).collect(),
            filters: listed(FILTERS.split(' '), &filters),
            muxers: listed(containers.into_iter().chain(MUXERS.split(' ')), &muxers),
        })
    }

    pub(crate) fn has_encoder(&self, name: &str) -> bool {
        self.encoders.contains(name)
    }
}

/// Reads the version and build of ffmpeg.
///
/// # Errors
/// If the program cannot be started, does not answer, or is not ffmpeg.
pub(crate) async fn version(rig: &TestRig) -> Result<Ffmpeg, DetectError> {
    let text = ask(rig, "-version").await?;
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("ffmpeg version ")?.split(' ').next())
        .ok_or_else(|| DetectError::NotFfmpeg(rig.ffmpeg.clone()))?;
    Ok(Ffmpeg {
        version: version.to_owned(),
        build: Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())
            .simple()
            .to_string(),
    })
}

async fn ask(rig: &TestRig, what: &'static str) -> Result<String, DetectError> {
    let ran = rig
        .tool()
        .run(["-hide_banner", what], |_| {})
        .await
        .map_err(|source| DetectError::unable_to_run(&rig.ffmpeg, source))?;
    if ran.succeeded() {
        return Ok(ran.stdout);
    }
    let why = match ran.status {
        None => format!(
            "gave no answer within {}",
            humantime::format_duration(rig.patience)
        ),
        Some(status) => ran.reason().unwrap_or_else(|| status.to_string()),
    };
    Err(DetectError::NoAnswer {
        ffmpeg: rig.ffmpeg.clone(),
        what,
        why,
    })
}

/// The names in `wanted` that are in `there`, in the order of `wanted`.
fn listed<'a>(wanted: impl Iterator<Item = &'a str>, there: &BTreeSet<String>) -> Vec<String> {
    wanted
        .filter(|&name| there.contains(name))
        .map(str::to_owned)
        .collect()
}

/// ` V....D libx264              libx264 H.264 / AVC …`
fn encoder(line: &str) -> Option<String> {
    let (flags, name) = two_words(line)?;
    (flags.len() == 6 && flags.starts_with(['V', 'A']) && name != "=").then(|| name.to_owned())
}

/// ` TSC scale             V->V       Scale the input video size …`
fn filter(line: &str) -> Option<String> {
    let (_, name) = two_words(line)?;
    line.split_whitespace()
        .nth(2)
        .is_some_and(|direction| direction.contains("->"))
        .then(|| name.to_owned())
}

/// `  E matroska        Matroska`
fn muxer(line: &str) -> Option<String> {
    let (flags, name) = two_words(line)?;
    (flags.contains('E') && flags.len() <= 3 && name != "=").then(|| name.to_owned())
}

fn two_words(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_lists_of_old_and_new_builds() {
        assert_eq!(encoder(" V..... = Video"), None);
        assert_eq!(encoder(" ------"), None);
        assert_eq!(
            encoder(" V....D libx264              libx264 H.264 / AVC").as_deref(),
            Some("libx264")
        );
        assert_eq!(filter("  T.. = Timeline support"), None);
        assert_eq!(
            filter(" ..C scale   V->V   Scale the video").as_deref(),
            Some("scale")
        );
        assert_eq!(
            filter(" .. concat  N->N   Concatenate").as_deref(),
            Some("concat")
        );
        assert_eq!(muxer(" .E = Muxing supported"), None);
        assert_eq!(muxer("  E mp4             MP4").as_deref(), Some("mp4"));
    }
}
