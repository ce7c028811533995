//! Measures how much an encoded picture looks like its source: VMAF, XPSNR or SSIM, by ffmpeg's filters.
//!
//! The first input is the encoded picture. The second is the source, which passes the filters of the recipe, so that
//! both have the same size, frames and colours.

use std::ffi::OsString;

use common::recipe::Metric;

use crate::ffmpeg::probe::media::Stream;

/// VMAF's usual model was trained on pictures of this size. Smaller ones are enlarged for it, as a viewer's screen
/// does.
const HD: (u32, u32) = (1920, 1080);
/// The same for VMAF's model of larger pictures.
const UHD: (u32, u32) = (3840, 2160);
/// Pictures larger than this on both sides are judged by the model for 4K screens.
const LARGEST_FOR_HD: (u32, u32) = (2560, 1440);
/// VMAF's model for 4K screens.
const UHD_MODEL: &str = "version=vmaf_4k_v0.6.1";
/// The share of the model's size below which a picture is enlarged.
const ENLARGED_BELOW: f64 = 0.9;
/// The score of pictures without any difference, where the metric has no limit.
const IDENTICAL: f64 = 100.0;

/// A comparison of two inputs.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) metric: Metric,
    /// Width and height of the encoded picture.
    pub(crate) size: (u32, u32),
    /// The pixel format of the encoded picture.
    pub(crate) format: String,
    /// The recipe's filters, for the source; empty for none.
    pub(crate) reference: String,
    pub(crate) threads: usize,
    pub(crate) pairing: Pairing,
}

/// Which frames are compared with each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pairing {
    /// The n-th of one with the n-th of the other, whatever their times.
    Count,
    /// Those that are shown at the same time, counted from the first frame of each, up to an error in seconds.
    Times { error: f64 },
}

/// ffmpeg's name of the filter.
pub(crate) fn filter_of(metric: Metric) -> &'static str {
    match metric {
        Metric::Vmaf => "libvmaf",
        Metric::Xpsnr => "xpsnr",
        Metric::Ssim => "ssim",
    }
}

/// The score in a line of ffmpeg's log; `None` if the line tells none.
///
/// ```text
/// VMAF score: 95.123456
/// XPSNR  y: 40.1234  u: 44.5000  v: 45.1000  (minimum: 40.1234)
/// SSIM Y:0.98 (17.2) U:0.99 (21.0) V:0.99 (21.3) All:0.987654 (18.9)
/// ```
pub(crate) fn score_in(metric: Metric, line: &str) -> Option<f64> {
    let (speaker, mark) = match metric {
        Metric::Vmaf => ("VMAF", "VMAF score:"),
        Metric::Xpsnr => ("XPSNR", "(minimum:"),
        Metric::Ssim => ("SSIM", "All:"),
    };
    if !line.contains(speaker) {
        return None;
    }
    let (_, rest) = line.split_once(mark)?;
    let number = rest.trim_start().split([' ', ')']).next()?;
    match number {
        "inf" => Some(IDENTICAL),
        number => number.parse().ok().filter(|score: &f64| score.is_finite()),
    }
}

impl Comparison {
    /// The comparison of an encoded film with its source, which passes these filters.
    pub(crate) fn of(made: &Stream, metric: Metric, reference: String, pairing: Pairing) -> Self {
        Self {
            metric,
            size: (made.width, made.height),
            format: made.pixel_format.clone(),
            reference,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            pairing,
        }
    }

    /// The arguments after the two inputs.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let graph = self.graph();
        let rest = ["-an", "-sn", "-dn", "-f", "null", "-"];
        ["-filter_complex", graph.as_str()]
            .into_iter()
            .chain(rest)
            .map(OsString::from)
            .collect()
    }

    fn graph(&self) -> String {
        let shape = format!("format={}{}", self.format, self.scale());
        let [first, second] = self.times();
        let reference = match self.reference.as_str() {
            "" => String::new(),
            filters => format!("{filters},"),
        };
        let compare = self.compare();
        // The metric's first input is the encoded picture for VMAF, and the source for the others.
        let (order, made, source) = match self.metric {
            Metric::Vmaf => ("[made][source]", first, second),
            Metric::Xpsnr | Metric::Ssim => ("[source][made]", second, first),
        };
        format!(
            "[0:v]{shape},{made}[made];[1:v]{reference}{shape},{source}[source];{order}{compare}"
        )
    }

    /// The filters that set the times of the metric's first and second input. A frame of the first is compared with
    /// the last one of the second that is not later, so the first gets later times by the error.
    fn times(&self) -> [String; 2] {
        match self.pairing {
            Pairing::Count => ["settb=1/25,setpts=N"; 2].map(str::to_owned),
            Pairing::Times { error } => [
                format!("settb=AVTB,setpts=PTS-STARTPTS+{error:.6}/TB"),
                "settb=AVTB,setpts=PTS-STARTPTS".to_owned(),
            ],
        }
    }

    fn compare(&self) -> String {
        match self.metric {
            Metric::Vmaf if self.is_large() => {
                let threads = self.threads;
                format!("libvmaf=shortest=1:n_threads={threads}:model={UHD_MODEL}")
            }
            Metric::Vmaf => format!("libvmaf=shortest=1:n_threads={}", self.threads),
            Metric::Xpsnr => "xpsnr=shortest=1".to_owned(),
            Metric::Ssim => "ssim=shortest=1".to_owned(),
        }
    }

    /// Whether the model for 4K screens judges the picture.
    fn is_large(&self) -> bool {
        self.size.0 > LARGEST_FOR_HD.0 && self.size.1 > LARGEST_FOR_HD.1
    }

    /// The filter that enlarges both pictures to the size of VMAF's model, by as little as needed for one side.
    fn scale(&self) -> String {
        if self.metric != Metric::Vmaf {
            return String::new();
        }
        let model = if self.is_large() { UHD } else { HD };
        let share = |side: u32, of: u32| f64::from(side) / f64::from(of);
        let (wide, high) = (share(self.size.0, model.0), share(self.size.1, model.1));
        if wide >= ENLARGED_BELOW || high >= ENLARGED_BELOW {
            return String::new();
        }
        let (width, height) = if high > wide {
            ("-1".to_owned(), model.1.to_string())
        } else {
            (model.0.to_string(), "-1".to_owned())
        };
        format!(",scale={width}:{height}:flags=bicubic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(metric: Metric, size: (u32, u32)) -> Comparison {
        Comparison {
            metric,
            size,
            format: "yuv420p".to_owned(),
            reference: String::new(),
            threads: 2,
            pairing: Pairing::Count,
        }
    }

    #[test]
    fn scores_are_read_from_the_log() {
        let vmaf = "[Parsed_libvmaf_6 @ 0x7f] VMAF score: 95.123456";
        assert_eq!(score_in(Metric::Vmaf, vmaf), Some(95.123456));
        let xpsnr =
            "[Parsed_xpsnr_6 @ 0x7f] XPSNR  y: 24.2073  u: 21.3684  v: 16.3952  (minimum: 16.3952)";
        assert_eq!(score_in(Metric::Xpsnr, xpsnr), Some(16.3952));
        let ssim =
            "[Parsed_ssim_6 @ 0x7f] SSIM Y:0.8 (8.0) U:0.81 (7.3) V:0.82 (7.4) All:0.835370 (7.8)";
        assert_eq!(score_in(Metric::Ssim, ssim), Some(0.83537));
        let same = "XPSNR  y: inf  u: inf  v: inf  (minimum: inf)";
        assert_eq!(score_in(Metric::Xpsnr, same), Some(100.0));
        for metric in Metric::ALL {
            assert_eq!(score_in(*metric, "Stream #0:0: Video: h264, All: 1"), None);
            assert_eq!(score_in(*metric, "VMAF score: nan"), None);
        }
    }

    #[test]
    fn vmaf_sees_pictures_in_the_size_of_its_model() {
        let graph = |size| comparison(Metric::Vmaf, size).graph();
        assert!(graph((1280, 720)).contains("scale=1920:-1:flags=bicubic"));
        assert!(graph((640, 480)).contains("scale=-1:1080:flags=bicubic"));
        assert!(!graph((1920, 800)).contains("scale="));
        assert!(!graph((1920, 1080)).contains("model="));
        let large = graph((3008, 1692));
        assert!(large.contains("scale=3840:-1:flags=bicubic"), "{large}");
        assert!(large.ends_with(":model=version=vmaf_4k_v0.6.1"), "{large}");
        assert!(
            !comparison(Metric::Ssim, (640, 480))
                .graph()
                .contains("scale=")
        );
    }

    #[test]
    fn the_source_passes_the_recipes_filters_and_the_encode_does_not() {
        let filtered = Comparison {
            reference: "crop=100:100,hqdn3d".to_owned(),
            ..comparison(Metric::Ssim, (100, 100))
        };
        assert_eq!(
            filtered.graph(),
            "[0:v]format=yuv420p,settb=1/25,setpts=N[made];\
             [1:v]crop=100:100,hqdn3d,format=yuv420p,settb=1/25,setpts=N[source];\
             [source][made]ssim=shortest=1"
        );
        let timed = Comparison {
            pairing: Pairing::Times { error: 0.01 },
            ..comparison(Metric::Vmaf, (1920, 1080))
        };
        assert_eq!(
            timed.graph(),
            "[0:v]format=yuv420p,settb=AVTB,setpts=PTS-STARTPTS+0.010000/TB[made];\
             [1:v]format=yuv420p,settb=AVTB,setpts=PTS-STARTPTS[source];\
             [made][source]libvmaf=shortest=1:n_threads=2"
        );
    }
}
