//! Restoring the picture: noise and bands removed, detail sharpened.

use common::farm::card::bit_depth;
use common::job::failure::Failure;
use common::recipe::{BitDepth, DenoiseFilter, Strength};

use super::{Picture, Task, alpha, pixel_format};

/// Removes noise, before the picture is scaled.
///
/// # Errors
/// If the filter does not work on such pictures; the input is at fault.
pub(super) fn denoise(task: &Task<'_>, picture: &mut Picture) -> Result<(), Failure> {
    let Some(denoise) = task.video.denoise else {
        return Ok(());
    };
    needs_no_alpha(task, "--denoise")?;
    let stays_deep = task.film.depth() > 8 && task.video.bit_depth != Some(BitDepth::Eight);
    if denoise.filter == DenoiseFilter::Nlmeans && stays_deep {
        return Err(Failure::input(format!(
            "video track {} has {} bits, and nlmeans works on 8 bits only: choose --denoise {} or --bit-depth 8",
            task.film.index,
            task.film.depth(),
            denoise.strength
        )));
    }
    let filter = match denoise.filter {
        DenoiseFilter::Hqdn3d => hqdn3d(denoise.strength).to_owned(),
        DenoiseFilter::Nlmeans => nlmeans(denoise.strength),
    };
    let is_rgb = pixel_format::is_rgb(&task.film.pixel_format);
    picture.filters.push(on_yuv(task, is_rgb, &filter));
    Ok(())
}

/// HandBrake's strengths: spatial and temporal, for brightness and for colour.
fn hqdn3d(strength: Strength) -> &'static str {
    match strength {
        Strength::Ultralight => "hqdn3d=1:0.7:1:2",
        Strength::Light => "hqdn3d=2:1:2:3",
        Strength::Medium => "hqdn3d=3:2:2:3",
        Strength::Strong => "hqdn3d=7:7:5:5",
    }
}

/// HandBrake's strengths for patches of 7x7 pixels. ffmpeg's strength is 0.7 of HandBrake's: HandBrake compares with the
/// mean of a patch, and ffmpeg with a tenth of its sum.
fn nlmeans(strength: Strength) -> String {
    let strength = match strength {
        Strength::Ultralight => 1.05,
        Strength::Light => 2.1,
        Strength::Medium => 4.2,
        Strength::Strong => 7.0,
    };
    format!("nlmeans=s={strength}:p=7:r=9")
}

/// Removes bands in smooth areas.
pub(super) fn deband(task: &Task<'_>, picture: &mut Picture) {
    if task.video.deband {
        let filter = "deband=1thr=0.02:2thr=0.02:3thr=0.02:range=16:blur=1";
        // ffmpeg would choose among formats of more bits, or with transparency.
        picture.filters.push(match task.film.pixel_format.as_str() {
            "" => filter.to_owned(),
            format => format!("{filter},format={format}"),
        });
    }
}

/// Sharpens brightness, not colour, after the picture was scaled.
///
/// # Errors
/// If the filter does not work on such pictures; the input is at fault.
pub(super) fn sharpen(task: &Task<'_>, picture: &mut Picture) -> Result<(), Failure> {
    let Some(strength) = task.video.sharpen else {
        return Ok(());
    };
    needs_no_alpha(task, "--sharpen")?;
    let amount = match strength {
        Strength::Ultralight => "0.15",
        Strength::Light => "0.3",
        Strength::Medium => "0.6",
        Strength::Strong => "1.0",
    };
    let filter = format!("unsharp=5:5:{amount}:5:5:0");
    picture.filters.push(on_yuv(task, picture.is_rgb, &filter));
    Ok(())
}

/// The filter, which works on YUV only, with RGB converted to YUV before and back after it.
fn on_yuv(task: &Task<'_>, is_rgb: bool, filter: &str) -> String {
    if !is_rgb {
        return filter.to_owned();
    }
    let (yuv, rgb) = if bit_depth(&task.film.pixel_format) > 8 {
        ("yuv444p10le", "gbrp10le")
    } else {
        ("yuv444p", "gbrp")
    };
    format!(
        "scale=out_color_matrix=bt709:out_range=pc,format={yuv},{filter},\
         scale=in_color_matrix=bt709:in_range=pc,format={rgb}"
    )
}

/// # Errors
/// If the picture keeps its transparency, which such filters would drop; the input is at fault.
fn needs_no_alpha(task: &Task<'_>, option: &str) -> Result<(), Failure> {
    if alpha::format(task).is_none() {
        return Ok(());
    }
    Err(Failure::input(format!(
        "video track {} is transparent, and {option} works on opaque pictures only: leave out {option}, or choose an \
         encoder without transparency",
        task.film.index
    )))
}
