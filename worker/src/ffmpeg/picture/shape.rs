//! The shape of a picture: its size in pixels, and the shape of a pixel. Each step of the chain computes the shape that it
//! leaves, so that the publish gate knows the size of the output.

use common::recipe::Scale;

use crate::ffmpeg::probe::media::Stream;

/// A picture's size in pixels, as a player shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shape {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Width of a pixel divided by its height.
    pub(crate) pixel: f64,
}

impl Shape {
    /// The shape of a film as a player shows it; `None` if nothing says how large it is.
    pub(crate) fn of(film: &Stream) -> Option<Self> {
        let (width, height) = film.shown();
        (width > 0 && height > 0).then(|| Self {
            width,
            height,
            pixel: film.shown_aspect(),
        })
    }

    pub(crate) fn square(width: u32, height: u32) -> Self {
        Self {
            width,
            height,
            pixel: 1.0,
        }
    }

    /// The shape of the picture that is this large, of the same form.
    fn resized(self, width: u32, height: u32) -> Self {
        let form = f64::from(self.width) * self.pixel / f64::from(self.height);
        Self {
            width,
            height,
            pixel: form * f64::from(height) / f64::from(width),
        }
    }

    /// The shape after a quarter turn.
    pub(super) fn turned(self) -> Self {
        Self {
            width: self.height,
            height: self.width,
            pixel: 1.0 / self.pixel,
        }
    }

    /// The shape after scaling; `None` if the picture keeps its size.
    pub(super) fn scaled(self, scale: Scale, up: bool) -> Option<Self> {
        let (width, height) = scale.of((self.width, self.height), self.pixel, up)?;
        let scaled = self.resized(width, height);
        let is_exact = matches!(scale, Scale::Exact(..));
        // Sides are rounded to even numbers, but square pixels stay square.
        Some(match self.pixel == 1.0 && !is_exact {
            true => Self::square(width, height),
            false => scaled,
        })
    }

    /// The size of this picture with square pixels, no larger than this width and height.
    pub(super) fn within(self, width: u32, height: u32) -> (u32, u32) {
        let wide = f64::from(self.width) * self.pixel.max(1.0);
        let high = f64::from(self.height) / self.pixel.min(1.0);
        let factor = (f64::from(width) / wide).min(f64::from(height) / high);
        if factor >= 1.0 && self.pixel == 1.0 {
            return (self.width, self.height);
        }
        let even = |side: f64| ((side * factor.min(1.0) / 2.0 + 1e-9) as u32 * 2).max(2);
        (even(wide), even(high))
    }

    /// The smallest canvas of this form that holds the picture, of the same pixels and with even sides.
    pub(super) fn canvas(self, width: u32, height: u32) -> Self {
        let form = f64::from(width) / f64::from(height) / self.pixel;
        // A canvas of the picture's own form is not enlarged by rounding.
        let even = |side: f64, least: u32| {
            let least = least.next_multiple_of(2);
            let side = ((side / 2.0 - 0.05).ceil() as u32) * 2;
            side.max(least)
        };
        Self {
            width: even(f64::from(self.height) * form, self.width),
            height: even(f64::from(self.width) / form, self.height),
            pixel: self.pixel,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PAL at 16:9.
    const WIDE: Shape = Shape {
        width: 720,
        height: 576,
        pixel: 64.0 / 45.0,
    };

    fn size(shape: Shape) -> (u32, u32) {
        (shape.width, shape.height)
    }

    #[test]
    fn a_canvas_holds_the_whole_picture() {
        let square = Shape::square;
        assert_eq!(size(square(160, 120).canvas(16, 9)), (214, 120));
        assert_eq!(size(square(1920, 804).canvas(16, 9)), (1920, 1080));
        assert_eq!(size(square(1920, 1080).canvas(16, 9)), (1920, 1080));
        assert_eq!(size(square(161, 91).canvas(16, 9)), (162, 92));
        assert_eq!(size(square(90, 160).canvas(1, 1)), (160, 160));
        // Wide pixels fill the canvas already.
        assert_eq!(size(WIDE.canvas(16, 9)), (720, 576));
        let four_to_three = Shape {
            pixel: 16.0 / 15.0,
            ..WIDE
        };
        assert_eq!(size(four_to_three.canvas(16, 9)), (960, 576));
    }

    #[test]
    fn a_picture_fits_its_canvas_with_square_pixels() {
        let square = Shape::square;
        assert_eq!(square(160, 90).within(1920, 1080), (160, 90));
        assert_eq!(square(161, 91).within(1920, 1080), (161, 91));
        assert_eq!(square(3840, 1608).within(1920, 1080), (1920, 804));
        assert_eq!(square(90, 160).within(160, 90), (50, 90));
        assert_eq!(WIDE.within(1920, 1080), (1024, 576));
        assert_eq!(WIDE.within(640, 640), (640, 360));
        let narrow = WIDE.turned();
        assert_eq!(narrow.within(1920, 1080), (576, 1024));
    }

    #[test]
    fn scaling_keeps_the_form_and_an_exact_size_keeps_what_is_shown() {
        let scaled = |shape: Shape, text: &str| {
            shape
                .scaled(text.parse().expect("a size"), false)
                .map(|shape| {
                    let form = f64::from(shape.width) * shape.pixel / f64::from(shape.height);
                    (size(shape), (form * 100.0).round())
                })
        };
        assert_eq!(scaled(WIDE, "480p"), Some(((600, 480), 178.0)));
        assert_eq!(scaled(WIDE, "1080p"), None);
        assert_eq!(scaled(WIDE.turned(), "360p"), Some(((512, 640), 56.0)));
        let exact = Shape::square(160, 90).scaled("100x100".parse().expect("a size"), false);
        assert_eq!(exact.map(size), Some((100, 100)));
    }
}
