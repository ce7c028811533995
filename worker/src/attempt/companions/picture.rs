//! Pictures of a film: upright, with square pixels, in standard dynamic range.

use crate::attempt::companions::Maker;

/// Maps pictures of high dynamic range to what every screen shows.
const TO_SDR: &str = "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,\
    zscale=t=bt709:m=bt709:r=tv";

/// The options for a good JPEG.
pub(super) const JPEG: [&str; 4] = ["-c:v", "mjpeg", "-q:v", "4"];

impl Maker<'_> {
    /// Width and height, both even, of pictures of at most this width.
    pub(super) fn size(&self, width: u32) -> (u32, u32) {
        let shown = self.film.shown();
        let square = f64::from(shown.0.max(1)) * self.film.shown_aspect();
        let factor = (f64::from(width) / square).min(1.0);
        let even = |side: f64| ((side * factor / 2.0).round() as u32 * 2).max(2);
        (even(square), even(f64::from(shown.1.max(1))))
    }

    /// The filters that make such pictures.
    pub(super) fn picture(&self, width: u32) -> String {
        let (width, height) = self.size(width);
        let scale = format!("scale={width}:{height},setsar=1");
        if self.film.colour.is_hdr() {
            format!("{TO_SDR},{scale}")
        } else {
            scale
        }
    }

    /// The options that choose the film, for one output.
    pub(super) fn map(&self) -> [String; 2] {
        ["-map".to_owned(), format!("0:{}", self.film.index)]
    }
}
