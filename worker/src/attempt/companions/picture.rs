//! Pictures of the output.

use common::job::failure::Failure;

use crate::attempt::companions::Maker;
use crate::ffmpeg::picture::still;
use crate::ffmpeg::picture::still::Shown;

/// The options for a good JPEG.
pub(super) const JPEG: [&str; 4] = ["-c:v", "mjpeg", "-q:v", "4"];

impl Maker<'_> {
    /// Width and height, both even, of pictures of at most this width.
    pub(super) fn size(&self, width: u32) -> (u32, u32) {
        let own = still::own_width(self.film).round() as u32;
        still::size(self.film, width.min(own))
    }

    /// The filters that make such pictures.
    pub(super) fn picture(&self, width: u32, shown: Shown) -> String {
        still::filters(self.film, self.size(width), shown)
    }

    /// Writes what these filters read.
    pub(super) async fn prepare(&self) -> Result<(), Failure> {
        let table = still::table(self.film);
        self.folder.put_tables(table.as_slice()).await
    }

    /// The options that choose the film, for one output.
    pub(super) fn map(&self) -> [String; 2] {
        ["-map".to_owned(), format!("0:{}", self.film.index)]
    }
}
