//! Names that may have been meant.

/// `did you mean web-1080p? `, for a name that is similar to a known one; empty if none is.
pub(crate) fn did_you_mean(given: &str, known: &[&str]) -> String {
    most_similar(given, known).map_or_else(String::new, |name| format!("did you mean {name}? "))
}

/// The known name that is most similar to the given one; `None` if none is similar enough.
pub(crate) fn most_similar<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let wanted = given.to_ascii_lowercase();
    let most = (given.chars().count() / 3).clamp(1, 3);
    let (_, best) = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&wanted, known), *known))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)?;
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_find_the_name_and_other_words_find_none() {
        let known = ["scale", "crop", "denoise"];
        assert_eq!(most_similar("scael", &known), Some("scale"));
        assert_eq!(most_similar("Crop", &known), Some("crop"));
        assert_eq!(most_similar("bitrate", &known), None);
        assert_eq!(did_you_mean("de-noise", &known), "did you mean denoise? ");
        assert_eq!(did_you_mean("x", &known), "");
    }
}
