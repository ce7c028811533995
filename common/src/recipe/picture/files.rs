//! The files that a recipe names: what they must be.

/// The largest file that a recipe may name, in bytes.
pub const LARGEST_RECIPE_FILE: u64 = 64 << 20;

/// The most samples of each colour in a colour table: more than ffmpeg reads are refused.
const MOST_SAMPLES: usize = 256;

/// The form of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum PictureForm {
    Png,
    Jpeg,
    Webp,
}

impl PictureForm {
    /// The form of a picture with these bytes; `None` if they are no such picture.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Some(Self::Webp)
        } else {
            None
        }
    }
}

/// The file is no colour table.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no three-dimensional colour table (.cube): {0}")]
pub struct CubeError(String);

/// Checks a three-dimensional colour table: a size, and a colour for each sample.
///
/// # Errors
/// What is wrong with it.
pub fn check_cube(bytes: &[u8]) -> Result<(), CubeError> {
    let text = String::from_utf8_lossy(bytes);
    let mut size: Option<usize> = None;
    let mut colours = 0_usize;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        let wrong = |what: &str| CubeError(format!("line {number} {what}"));
        let mut words = line.split_whitespace();
        match words.next() {
            None | Some("TITLE" | "DOMAIN_MIN" | "DOMAIN_MAX" | "LUT_3D_INPUT_RANGE") => {}
            Some(comment) if comment.starts_with('#') => {}
            Some("LUT_1D_SIZE") => return Err(wrong("says that it has one dimension only")),
            Some("LUT_3D_SIZE") => {
                let samples = words.next().and_then(|word| word.parse().ok());
                let samples = samples.filter(|samples| (2..=MOST_SAMPLES).contains(samples));
                size = Some(samples.ok_or_else(|| wrong("has no size from 2 to 256"))?);
            }
            Some(first) => {
                let mut values = std::iter::once(first).chain(words);
                let is_number = |word: &str| word.parse::<f64>().is_ok_and(f64::is_finite);
                let are_three = (0..3).all(|_| values.next().is_some_and(is_number));
                if !are_three || size.is_none() {
                    return Err(wrong("is no colour"));
                }
                colours += 1;
            }
        }
    }
    let Some(size) = size else {
        return Err(CubeError("it has no LUT_3D_SIZE".to_owned()));
    };
    let wanted = size * size * size;
    if colours < wanted {
        return Err(CubeError(format!("it has {colours} colours of {wanted}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_size_and_all_its_colours() {
        let colours = "0 0 0\n".repeat(8);
        let table =
            format!("# made by hand\nTITLE \"x\"\nLUT_3D_SIZE 2\nDOMAIN_MIN 0 0 0\n\n{colours}");
        assert_eq!(check_cube(table.as_bytes()), Ok(()));
        for (bad, why) in [
            ("", "no LUT_3D_SIZE"),
            ("hello", "line 1 is no colour"),
            ("0 0 0", "line 1 is no colour"),
            ("LUT_3D_SIZE 1", "line 1 has no size"),
            ("LUT_3D_SIZE 999", "line 1 has no size"),
            ("LUT_1D_SIZE 16", "one dimension"),
            ("LUT_3D_SIZE 2\n0 0 0", "1 colours of 8"),
            ("LUT_3D_SIZE 2\n0 0 x", "line 2 is no colour"),
            ("\u{89}PNG", "line 1 is no colour"),
        ] {
            let error = check_cube(bad.as_bytes()).expect_err(bad).to_string();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        assert_eq!(
            PictureForm::of(b"\x89PNG\r\n\x1a\nrest"),
            Some(PictureForm::Png)
        );
        assert_eq!(
            PictureForm::of(b"\xff\xd8\xff\xe0"),
            Some(PictureForm::Jpeg)
        );
        assert_eq!(
            PictureForm::of(b"RIFF\0\0\0\0WEBPVP8"),
            Some(PictureForm::Webp)
        );
        assert_eq!(PictureForm::of(b"GIF89a"), None);
        assert_eq!(PictureForm::of(b""), None);
    }
}
