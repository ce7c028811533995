//! What a document shows of a program's output, beside what it really printed.

/// The lines that a document shows and that were not printed. Numbers, sizes and times may be others.
pub(super) fn missing(shown: &str, printed: &str) -> Vec<String> {
    let printed: Vec<String> = printed.lines().map(pattern).collect();
    shown
        .lines()
        .filter(|line| !line.trim().is_empty())
        .filter(|line| {
            let shown = pattern(line);
            !printed.iter().any(|line| line.contains(&shown))
        })
        .map(str::to_owned)
        .collect()
}

/// A line with `#` for each group of words that begin with a digit.
fn pattern(line: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in line.split_whitespace() {
        let is_number = word
            .trim_start_matches(['(', '['])
            .starts_with(|c: char| c.is_ascii_digit());
        let is_unit = ["B", "kB", "MB", "GB", "fps"].contains(&word.trim_end_matches(','));
        match (is_number, words.last()) {
            _ if is_unit => {}
            (true, Some(&"#")) => {}
            (true, _) => words.push("#"),
            (false, _) => words.push(word),
        }
    }
    words.join(" ")
}

#[test]
fn other_numbers_are_the_same_output_and_other_words_are_not() {
    let printed = "2 completed, 1.57 MB -> 900 kB (57%)\nState  Before\n";
    assert!(missing("1 completed, 3 GB -> 2 GB (66%)\n\nState Before", printed).is_empty());
    assert_eq!(missing("1 failed, 3 GB", printed), ["1 failed, 3 GB"]);
}
