//! Sheets: many pictures in one file, row by row.

use common::job::failure::Failure;
use common::recipe::Companions;

use crate::attempt::companions::picture::JPEG;
use crate::attempt::companions::{Made, Maker};
use crate::ffmpeg::picture::still::Shown;

/// The layout of a contact sheet.
const CONTACT: Sheet = Sheet {
    pictures: 20,
    columns: 4,
    width: 320,
    gap: 4,
};
/// Films longer than this many seconds are decoded at their keyframes only.
const LONG: f64 = 120.0;

/// Pictures on a sheet.
#[derive(Clone, Copy)]
pub(super) struct Sheet {
    /// How many pictures, evenly spread over the film.
    pub(super) pictures: u32,
    pub(super) columns: u32,
    /// Most pixels of a picture's width.
    pub(super) width: u32,
    /// Pixels between and around the pictures.
    pub(super) gap: u32,
}

impl Sheet {
    fn rows(self) -> u32 {
        self.pictures.div_ceil(self.columns)
    }
}

impl Maker<'_> {
    pub(super) async fn contact_sheet(&self) -> Result<Made, Failure> {
        self.sheet(CONTACT, Companions::CONTACT_SHEET).await
    }

    /// A sheet of pictures, each from the middle of its part of the film.
    pub(super) async fn sheet(&self, sheet: Sheet, name: &str) -> Result<Made, Failure> {
        let part = self.duration.max(0.04) / f64::from(sheet.pictures);
        let mut before = Vec::new();
        if self.duration > LONG {
            before.extend(["-skip_frame", "nokey"].map(str::to_owned));
        }
        let Sheet { columns, gap, .. } = sheet;
        // Without a longer last frame, the last part would be too short for a picture of its own.
        let filters = format!(
            "tpad=stop_mode=clone:stop_duration={part:.6},fps=fps=1/{part:.6}:start_time={:.6}:round=near,{},\
             tile={columns}x{}:padding={gap}:margin={gap}",
            part / 2.0,
            self.picture(sheet.width, Shown::Still),
            sheet.rows(),
        );
        let mut after = self.map().to_vec();
        after.extend(["-frames:v", "1", "-vf", &filters].map(str::to_owned));
        after.extend(JPEG.map(str::to_owned));
        after.extend(["-f", "image2", "-update", "1"].map(str::to_owned));
        self.run(&before, &after, name).await?;
        self.take(name)
    }
}
