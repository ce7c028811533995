//! The component that wrote a line of ffmpeg's log, such as an encoder or a filter, and the line without its name.

/// A muxer's message about a codec that its container cannot hold, with advice added: `mp4: Could not find tag for
/// codec vp8 in stream #0, …` → `mp4 holds no vp8: …`.
pub(super) fn not_held(line: &str) -> Option<String> {
    let (container, codec) = match line.split_once(": Could not find tag for codec ") {
        Some((container, rest)) => (container, rest.split(' ').next()?),
        None => (
            "webm",
            line.contains("are supported for WebM")
                .then_some("such track")?,
        ),
    };
    Some(format!(
        "{container} holds no {codec}: encode it, or choose --container mkv"
    ))
}

/// A log line without memory addresses, and without the input's own name: `[mov @ 0x55…] x` → `mov: x`,
/// `[vost#0:0/libx264 @ 0x5…] [enc:libx264 @ 0x6…] x` → `libx264: x`.
pub(crate) fn without_speaker(line: &str) -> String {
    if let Some((url, rest)) = line.split_once("?…: ")
        && url.starts_with("http")
    {
        return rest.to_owned();
    }
    let Some((name, rest)) = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(" @ 0x"))
        .and_then(|(name, rest)| Some((name, rest.split_once("] ")?.1)))
    else {
        return line.strip_prefix("input: ").unwrap_or(line).to_owned();
    };
    // Some lines name two components.
    if rest.starts_with('[') {
        let inner = without_speaker(rest);
        if inner != rest {
            return inner;
        }
    }
    match speaker(name) {
        "" => without_speaker(rest),
        name => format!("{name}: {rest}"),
    }
}

/// The component's name as people know it: `Parsed_crop_0` → `crop`, `in#0/avi` → `avi`, `vf#0:0` → nothing.
fn speaker(name: &str) -> &str {
    if let Some(filter) = name.strip_prefix("Parsed_") {
        return filter.rsplit_once('_').map_or(filter, |(name, _)| name);
    }
    match name.split_once('#') {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, name)| name),
        None => name.split_once(':').map_or(name, |(_, name)| name),
    }
}

/// A line without its component: `[hevc_nvenc @ 0x55d6] No capable devices found` → `No capable devices found`.
pub(super) fn spoken(mut line: &str) -> &str {
    let is_speaker = |tag: &str| tag.contains(" @ 0x") || tag.starts_with("enc:");
    while let Some((tag, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']'))
        && is_speaker(tag)
    {
        line = rest.trim_start();
    }
    line
}
