//! Bounds on the values of filters and arguments, so that a recipe cannot ask a worker for all of its memory, disk or
//! time. Stored recipes may break them: they are checked when jobs are submitted, and by a worker before it encodes.

use super::encoder_lists;
use super::expression;
use super::filters::Filters;
use super::video::VideoEncode;

/// A recipe asks for more than any film needs.
#[derive(Debug, thiserror::Error)]
pub enum BoundsError {
    /// A number is too large, too small, or cannot be known beforehand.
    #[error("{what}={value} is out of bounds: {bounds}")]
    Value {
        /// The filter with its option, or the argument.
        what: String,
        /// The value.
        value: String,
        /// What it may be.
        bounds: String,
    },
    /// A key in an encoder's own list is not known to be harmless.
    #[error(
        "'{key}' in {option} is not allowed: recipes may set keys that take numbers and modes, and none that names a file"
    )]
    Key {
        /// The option that holds the list.
        option: String,
        /// The key.
        key: String,
    },
}

/// Most pixels of a side of a picture that a recipe makes.
const LONGEST_SIDE: f64 = 16_384.0;
/// Most pixels of a picture: 16K has 133 million.
pub const MOST_PIXELS: u64 = 1 << 27;
const MOST_FRAMES_PER_SECOND: f64 = 1000.0;
const MOST_THREADS: f64 = 1024.0;
/// Most frames, and seconds, that a film may be longer than its input.
const MOST_ADDED_FRAMES: f64 = 100_000.0;
const MOST_ADDED_SECONDS: f64 = 3600.0;

/// The bound on an option of a filter.
struct Bound {
    filter: &'static str,
    /// The option's names.
    names: &'static [&'static str],
    /// Its position where options are given without names.
    place: usize,
    most: f64,
}

impl Bound {
    /// Whether it bounds one side of a picture.
    fn is_side(&self) -> bool {
        self.most == LONGEST_SIDE && self.place != NAMED && !self.names.contains(&"size")
    }
}

const fn bound(
    filter: &'static str,
    names: &'static [&'static str],
    place: usize,
    most: f64,
) -> Bound {
    Bound {
        filter,
        names,
        place,
        most,
    }
}

/// The place of an option that is always named.
const NAMED: usize = usize::MAX;

const BOUNDS: &[Bound] = &[
    bound("scale", &["w", "width"], 0, LONGEST_SIDE),
    bound("scale", &["h", "height"], 1, LONGEST_SIDE),
    bound("scale", &["s", "size"], NAMED, LONGEST_SIDE),
    bound("zscale", &["w", "width"], 0, LONGEST_SIDE),
    bound("zscale", &["h", "height"], 1, LONGEST_SIDE),
    bound("zscale", &["s", "size"], 2, LONGEST_SIDE),
    bound("pad", &["w", "width"], 0, LONGEST_SIDE),
    bound("pad", &["h", "height"], 1, LONGEST_SIDE),
    bound("rotate", &["ow", "out_w"], 1, LONGEST_SIDE),
    bound("rotate", &["oh", "out_h"], 2, LONGEST_SIDE),
    bound("fps", &["fps"], 0, MOST_FRAMES_PER_SECOND),
    bound("framerate", &["fps"], 0, MOST_FRAMES_PER_SECOND),
    bound("minterpolate", &["fps"], 0, MOST_FRAMES_PER_SECOND),
    bound("setpts", &["expr"], 0, 1000.0),
    bound("tpad", &["start"], 0, MOST_ADDED_FRAMES),
    bound("tpad", &["stop"], 1, MOST_ADDED_FRAMES),
    bound("tpad", &["start_duration"], 4, MOST_ADDED_SECONDS),
    bound("tpad", &["stop_duration"], 5, MOST_ADDED_SECONDS),
];

/// The filter whose negative numbers mean "for ever".
const ENDLESS: &str = "tpad";
/// Filters whose first two bounded options are the sides of a picture.
const SIZES: &[&str] = &["scale", "zscale", "pad"];

impl VideoEncode {
    /// Refuses filters and arguments that ask for more than any film needs, and keys of encoders that may name files.
    ///
    /// # Errors
    /// The first of them.
    pub fn check_bounds(&self) -> Result<(), BoundsError> {
        self.filters.iter().try_for_each(check_filters)?;
        for argument in &self.arguments {
            let (option, value) = (argument.option(), argument.value());
            if let Some(key) = encoder_lists::refused(option, value) {
                let option = option.to_owned();
                return Err(BoundsError::Key { option, key });
            }
            let most = match option {
                "r" => MOST_FRAMES_PER_SECOND,
                "threads" => MOST_THREADS,
                _ => continue,
            };
            if size_of(value).is_none_or(|number| number > most) {
                return Err(out_of_bounds(option.to_owned(), value, most));
            }
        }
        Ok(())
    }
}

fn check_filters(filters: &Filters) -> Result<(), BoundsError> {
    for (filter, options) in filters.chain() {
        let mut sides = Vec::new();
        for (place, option) in options.split(':').enumerate() {
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (Some(name.trim()), value.trim()),
                None => (None, option.trim()),
            };
            let bound = BOUNDS.iter().find(|bound| {
                bound.filter == filter
                    && match name {
                        Some(name) => bound.names.contains(&name),
                        None => bound.place == place,
                    }
            });
            let Some(bound) = bound else {
                continue;
            };
            let what = || format!("{filter}={}", bound.names[0]);
            let is_endless = filter == ENDLESS && value.starts_with('-');
            if bound.is_side() && expression::power(value).is_none_or(|power| power > 1) {
                return Err(BoundsError::Value {
                    what: what(),
                    value: value.to_owned(),
                    bounds: "a length, which no product of two sides is".to_owned(),
                });
            }
            match size_of(value).filter(|_| !is_endless) {
                Some(number) if number <= bound.most => {}
                _ => return Err(out_of_bounds(what(), value, bound.most)),
            }
            sides.push(value.parse::<u64>().ok());
        }
        if let [Some(width), Some(height), ..] = sides[..]
            && SIZES.contains(&filter)
            && width.saturating_mul(height) > MOST_PIXELS
        {
            return Err(BoundsError::Value {
                what: filter.to_owned(),
                value: format!("{width}:{height}"),
                bounds: format!("at most {} million pixels", MOST_PIXELS / 1_000_000),
            });
        }
    }
    Ok(())
}

fn out_of_bounds(what: String, value: &str, most: f64) -> BoundsError {
    BoundsError::Value {
        what,
        value: value.to_owned(),
        bounds: format!("at most {most}"),
    }
}

/// How much a value asks for: the product of its numbers above 1, as ffmpeg reads numbers and expressions (`1k`,
/// `iw*2`, `30000/1001`). A quotient of two numbers counts as one. `None` if it cannot be bounded.
fn size_of(value: &str) -> Option<f64> {
    if let Some((numerator, denominator)) = value.split_once('/')
        && let (Ok(numerator), Ok(denominator)) =
            (numerator.parse::<f64>(), denominator.parse::<f64>())
    {
        let quotient = numerator / denominator;
        return quotient.is_finite().then_some(quotient);
    }
    // `640x360` has two sides.
    if let Some((width, height)) = value.split_once('x')
        && let (Ok(width), Ok(height)) = (width.parse::<u32>(), height.parse::<u32>())
    {
        let is_bounded = u64::from(width) * u64::from(height) <= MOST_PIXELS;
        return is_bounded.then(|| width.max(height).into());
    }
    // A power, or a part of a computation that grows as fast.
    if value.contains('^') {
        return None;
    }
    let mut size = 1.0;
    let mut rest = value;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let is_in_name = rest[..start].ends_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        rest = &rest[start..];
        let digits = |c: char| c.is_ascii_digit() || c == '.';
        let end = rest.find(|c: char| !digits(c)).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        // Hexadecimal numbers are not bounded.
        if number == "0" && after.starts_with(['x', 'X']) {
            return None;
        }
        let (factor, length) = prefix(after);
        rest = &after[length..];
        if !is_in_name {
            size *= (number.parse::<f64>().ok()? * factor).max(1.0);
        }
    }
    Some(size)
}

/// The factor that a prefix behind a number stands for (`k`, `M`, `e6`), and its length in bytes.
fn prefix(text: &str) -> (f64, usize) {
    let exponent = text.strip_prefix(['e', 'E']).map(|rest| {
        let sign = usize::from(rest.starts_with(['+', '-']));
        let digits = rest[sign..]
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len() - sign);
        &rest[..sign + digits]
    });
    if let Some(exponent) = exponent
        && let Ok(power) = exponent.parse::<i32>()
    {
        return (10_f64.powi(power), 1 + exponent.len());
    }
    let factors = [
        ("h", 1e2),
        ("k", 1e3),
        ("K", 1024.0),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("Z", 1e21),
        ("Y", 1e24),
    ];
    let found = factors.iter().find(|(prefix, _)| text.starts_with(prefix));
    found.map_or((1.0, 0), |(prefix, factor)| (*factor, prefix.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filters: &str) -> Result<(), BoundsError> {
        check_filters(&filters.parse().expect(filters))
    }

    #[test]
    fn sizes_rates_and_lengths_of_films_are_within_bounds() {
        for sound in [
            "scale=1920:-2",
            "scale=7680:4320:flags=lanczos",
            "scale=w=iw*2:h=ih*2",
            "scale=trunc(iw/2)*2:trunc(ih/2)*2",
            "scale=s=1280x720",
            "scale=size=15360x8640",
            "pad=1920:1080:(ow-iw)/2:(oh-ih)/2",
            "pad=width=iw+16:height=ih",
            "pad=iw:iw*16/9",
            "fps=30000/1001",
            "fps=fps=59.94",
            "fps=source_fps*2",
            "setpts=0.5*PTS",
            "tpad=stop=48",
            "tpad=stop_duration=2:stop_mode=clone",
            "tpad=24:24:clone:clone:0.5:1",
            "hqdn3d=4:3:6,crop=1280:536",
        ] {
            check(sound).expect(sound);
        }
    }

    #[test]
    fn what_would_take_all_of_a_machine_is_refused() {
        for bomb in [
            "pad=16000:16000",
            "pad=100000:100",
            "pad=w=iw:h=100000",
            "pad=16k*2:100",
            "pad=iw*200:ih*200*100",
            "pad=2^30:10",
            "pad=iw*ih:ih",
            "pad=w=iw:h=(ih+1)*(iw+1)",
            "rotate=0:exp(iw)",
            "pad=0xFFFF:10",
            "scale=1e5:100",
            "scale=s=65536x65536",
            "scale=s=16384x16384",
            "scale=size=100x65536",
            "zscale=w=40000",
            "rotate=0:90000",
            "fps=100000",
            "fps=100000/1",
            "fps=1M",
            "framerate=fps=9999",
            "minterpolate=9999",
            "setpts=PTS*100000",
            "tpad=stop=-1",
            "tpad=0:-1",
            "tpad=stop_duration=-1",
            "tpad=start_duration=100000",
            "tpad=stop=1e9",
            "hqdn3d,pad=16000:16000",
        ] {
            check(bomb).expect_err(bomb);
        }
    }
}
