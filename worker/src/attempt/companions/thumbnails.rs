//! Thumbnails: single pictures, evenly spread.

use common::job::failure::Failure;

use crate::attempt::companions::picture::JPEG;
use crate::attempt::companions::{Made, Maker};
use crate::ffmpeg::picture::still::Shown;

/// Pixels.
const WIDTH: u32 = 640;

impl Maker<'_> {
    /// The thumbnail of this number, from 1. It shows the middle of its part of the film.
    pub(super) async fn thumbnail(&self, number: u8, of: u8) -> Result<Made, Failure> {
        let name = format!("{number}.jpg");
        let at = self.duration * (f64::from(number) - 0.5) / f64::from(of);
        self.still(at, &name).await?;
        // The film may end before its container states.
        if !self.is_there(&name) {
            self.still(0.0, &name).await?;
        }
        self.take(&name)
    }

    async fn still(&self, at: f64, name: &str) -> Result<(), Failure> {
        let picture = self.picture(WIDTH, Shown::Still);
        let mut after = self.map().to_vec();
        after.extend(["-frames:v", "1", "-vf", &picture].map(str::to_owned));
        after.extend(JPEG.map(str::to_owned));
        after.extend(["-f", "image2", "-update", "1"].map(str::to_owned));
        self.run(&["-ss".to_owned(), format!("{at:.3}")], &after, name)
            .await
    }
}
