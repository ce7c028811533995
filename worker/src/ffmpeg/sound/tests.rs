use super::*;

fn track(layout: &str, channels: u32) -> Stream {
    Stream {
        index: 1,
        layout: layout.to_owned(),
        channels,
        sample_rate: 48_000,
        ..Stream::default()
    }
}

fn by(encoder: AudioEncoder) -> SoundTask {
    SoundTask {
        encoder,
        bitrate: None,
        downmix: None,
        loudness: None,
    }
}

fn plan(layout: &str, encoder: AudioEncoder, container: Container) -> Sound {
    let channels = Layout::parse(layout).expect(layout).speakers().len();
    Sound::plan(&track(layout, channels as u32), &by(encoder), container).expect(layout)
}

fn change_text(layout: &str, encoder: AudioEncoder) -> String {
    let change = plan(layout, encoder, Container::Mkv).change(1);
    change.map_or_else(String::new, |change| change.to_string())
}

/// The table of the documentation: the layout that each encoder makes of each input layout. `=` means the same
/// layout.
#[test]
fn the_documented_layouts_are_made() {
    let text = include_str!("../../../../docs/MEDIA.md");
    let (_, table) = text.split_once("| layout of the input |").expect("a table");
    let columns = [
        (AudioEncoder::Aac, Container::Mkv),
        (AudioEncoder::Libopus, Container::Mkv),
        (AudioEncoder::Libvorbis, Container::Mkv),
        (AudioEncoder::Ac3, Container::Mkv),
        (AudioEncoder::Flac, Container::Mkv),
        (AudioEncoder::Flac, Container::Mp4),
        (AudioEncoder::Libmp3lame, Container::Mkv),
    ];
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut count = 0;
    for row in rows {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let layout = cells.next().expect("a layout");
        for ((encoder, container), documented) in columns.iter().zip(cells) {
            let sound = plan(layout, *encoder, *container);
            let mut made = sound.layout().to_string();
            if made == layout {
                made = "=".to_owned();
            }
            let is_mixed = sound.mix.cost()[..2] != [0, 0];
            assert_eq!(
                made + if is_mixed { "*" } else { "" },
                documented,
                "{layout} by {}",
                encoder.name()
            );
        }
        count += 1;
    }
    assert_eq!(count, 27);
}

#[test]
fn changes_of_the_layout_are_reported() {
    assert_eq!(change_text("5.1", AudioEncoder::Aac), "");
    assert_eq!(
        change_text("5.1(side)", AudioEncoder::Aac),
        "kept: layout of track 1 (5.1(side)) as 5.1: the same speakers by another name"
    );
    assert_eq!(
        change_text("7.1", AudioEncoder::Ac3),
        "converted: layout of track 1 (7.1) to 5.1(side): ac3 holds at most 5.1(side)"
    );
    assert_eq!(
        change_text("4.0", AudioEncoder::Libvorbis),
        "kept: layout of track 1 (4.0) as 6.1: all its speakers, and silent ones"
    );
    let unknown = Sound::plan(&track("", 6), &by(AudioEncoder::Aac), Container::Mp4).expect("6");
    let change = unknown.change(1).expect("a guess is told").to_string();
    assert!(change.contains("(6 channels) as 5.1"), "{change}");
}

#[test]
fn mixes_never_clip_and_use_every_channel() {
    for layout in [
        "22.2",
        "hexadecagonal",
        "7.1.4",
        "7.2.3",
        "9.1.6",
        "cube",
        "binaural",
    ] {
        let from = Layout::parse(layout).expect(layout);
        for encoder in AudioEncoder::ALL {
            let mix = plan(layout, encoder, Container::Mp4).mix;
            for channel in 0..from.speakers().len() {
                let is_audible = mix
                    .parts
                    .iter()
                    .flatten()
                    .any(|(of, gain)| *of == channel && *gain > 0.01);
                assert!(
                    is_audible,
                    "channel {channel} of {layout} by {}",
                    encoder.name()
                );
            }
            for parts in &mix.parts {
                let sum: f64 = parts.iter().map(|(_, gain)| gain).sum();
                assert!(sum < 1.0 + 1e-9, "{layout}: {parts:?}");
            }
        }
    }
}

#[test]
fn channels_without_speakers_are_refused_with_a_way_out() {
    for (layout, channels) in [("", 11), ("ambisonic 1", 4)] {
        let failure = Sound::plan(
            &track(layout, channels),
            &by(AudioEncoder::Aac),
            Container::Mp4,
        );
        let failure = failure.expect_err(layout);
        assert!(failure.message.contains("--audio copy"), "{failure}");
    }
}

#[test]
fn rates_and_bitrates_fit_the_encoder() {
    assert_eq!(rate(AudioEncoder::Ac3, 96_000), Some(48_000));
    assert_eq!(rate(AudioEncoder::Libmp3lame, 37_800), Some(44_100));
    assert_eq!(rate(AudioEncoder::Flac, 192_000), Some(192_000));
    assert_eq!(rate(AudioEncoder::Aac, 0), None);
    let task = SoundTask {
        bitrate: Some("512k".parse().expect("a rate")),
        ..by(AudioEncoder::Libopus)
    };
    let mono = Sound::plan(&track("mono", 1), &task, Container::Mkv).expect("mono");
    assert_eq!(mono.bitrate(), Some(256_000));
}
