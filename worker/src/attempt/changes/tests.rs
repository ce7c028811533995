use common::recipe::Container;

use crate::attempt::changes::*;
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::probe::media::{Chapter, Colour, ContentLight, Hdr10, Ratio};
use crate::ffmpeg::samples::{recipe, stream};
use crate::ffmpeg::tracks::Tracks;

fn rate(numerator: u32) -> Option<Ratio> {
    Some(Ratio {
        numerator,
        denominator: 1,
    })
}

fn film() -> Stream {
    Stream {
        width: 1920,
        height: 1080,
        pixel_format: "yuv420p10le".to_owned(),
        base_rate: rate(25),
        mean_rate: rate(25),
        ..stream(0, StreamKind::Video, "h264")
    }
}

fn sound() -> Stream {
    Stream {
        channels: 6,
        layout: "5.1(side)".to_owned(),
        ..stream(1, StreamKind::Audio, "ac3")
    }
}

fn media(streams: Vec<Stream>) -> Media {
    Media {
        streams,
        ..Media::default()
    }
}

/// The changes that are news, meaning neither kept nor asked for, after `change` has altered the ideal output.
fn news(recipe: &Recipe, input: &Media, change: impl FnOnce(&mut Media)) -> Vec<String> {
    let tracks = Tracks::choose(recipe, input, &Findings::default()).expect("tracks");
    let mut output = ideal::output(recipe, input, &tracks.list);
    change(&mut output);
    compare(recipe, input, &output, &tracks.list, &tracks.changes)
        .iter()
        .filter(|change| change.is_news())
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_faithful_output_has_no_news() {
    let mut input = media(vec![film(), sound()]);
    input
        .tags
        .insert("ARTIST".to_owned(), "Somebody".to_owned());
    input.tags.insert("encoder".to_owned(), "Lavf59".to_owned());
    input.chapters = vec![Chapter::default()];
    input.streams.push(Stream {
        codec_tag: "text".to_owned(),
        ..stream(2, StreamKind::Data, "bin_data")
    });
    assert_eq!(news(&recipe(Container::Mkv), &input, |_| {}), [""; 0]);
}

#[test]
fn each_loss_and_conversion_is_listed_by_its_kind() {
    let mut turned = film();
    turned.rotation = 90;
    turned.hdr10.light = Some(ContentLight {
        max: 1000,
        average: 400,
    });
    turned.colour = Colour {
        transfer: "arib-std-b67".to_owned(),
        ..Colour::default()
    };
    turned.has_captions = true;
    let mut sound = sound();
    sound.tags.insert("language".to_owned(), "ger".to_owned());
    sound
        .tags
        .insert("title".to_owned(), "Kommentar".to_owned());
    sound.dispositions.insert("comment".to_owned());
    // The layout of PCM is in the container only.
    sound.codec = "pcm_s24le".to_owned();
    let mut input = media(vec![turned, sound]);
    input.chapters = vec![Chapter::default(); 3];
    input
        .tags
        .insert("location".to_owned(), "+48+11/".to_owned());
    let news = news(&recipe(Container::Mkv), &input, |output| {
        output.chapters.clear();
        output.tags.clear();
        let film = &mut output.streams[0];
        film.hdr10 = Hdr10::default();
        film.colour = Colour::default();
        film.pixel_format = "yuv420p".to_owned();
        film.has_captions = false;
        let sound = &mut output.streams[1];
        sound.tags.insert("language".to_owned(), "deu".to_owned());
        sound.tags.remove("title");
        sound.dispositions.clear();
        sound.layout = "stereo".to_owned();
        sound.channels = 2;
    });
    let kinds: Vec<&str> = news
        .iter()
        .filter_map(|line| line.split(" (").next())
        .collect();
    assert_eq!(
        kinds,
        [
            "lost: chapters",
            "lost: tag",
            "converted: rotation of track 0",
            "converted: colour of track 0",
            "lost: colour of track 0",
            "lost: hdr10 of track 0",
            "lost: hlg of track 0",
            "lost: captions of track 0",
            "lost: title of track 1",
            "lost: disposition of track 1",
            "converted: layout of track 1",
        ],
        "{news:#?}"
    );
}

#[test]
fn copied_audio_keeps_its_layout() {
    // The layout is in the packets. The probe of a recording whose layout changes shows only one of its layouts.
    let input = media(vec![film(), sound()]);
    let changed = news(&recipe(Container::Mkv), &input, |output| {
        output.streams[1].layout = "stereo".to_owned();
        output.streams[1].channels = 2;
    });
    assert!(
        !changed.iter().any(|line| line.contains("layout")),
        "{changed:#?}"
    );
    // Matroska stores only the number of channels, and players assume the usual layout for this number.
    let mut pcm = sound();
    pcm.codec = "pcm_s24le".to_owned();
    let changed = news(
        &recipe(Container::Mkv),
        &media(vec![film(), pcm]),
        |output| {
            output.streams[1].layout.clear();
        },
    );
    assert!(
        !changed.iter().any(|line| line.contains("layout")),
        "{changed:#?}"
    );
}

#[test]
fn a_change_that_the_recipe_asks_for_is_no_loss() {
    let recipe = recipe(Container::Mkv).edit(|draft| {
        draft.audio = common::recipe::Audio::None;
        draft.refuse_loss = Kind::ALL.iter().copied().collect();
        if let common::recipe::Video::Encode(video) = &mut draft.video {
            video.bit_depth = Some(common::recipe::BitDepth::Eight);
            video.filters = Some("yadif,fps=10".parse().expect("filters"));
        }
    });
    let recipe = recipe.expect("a sound recipe");
    let mut interlaced = film();
    interlaced.is_interlaced = true;
    let input = media(vec![interlaced, sound()]);
    let tracks = Tracks::choose(&recipe, &input, &Findings::default()).expect("tracks");
    let mut output = ideal::output(&recipe, &input, &tracks.list);
    output.streams[0].is_interlaced = false;
    output.streams[0].mean_rate = rate(10);
    output.streams[0].base_rate = rate(10);
    let list = compare(&recipe, &input, &output, &tracks.list, &[]);
    assert!(list.iter().all(|change| !change.is_loss()), "{list:#?}");
    let kinds: Vec<Kind> = list
        .iter()
        .filter(|change| change.is_wanted)
        .map(|change| change.kind)
        .collect();
    for kind in [Kind::Track, Kind::Colour, Kind::Interlacing, Kind::Timing] {
        assert!(kinds.contains(&kind), "{kind}: {list:#?}");
    }
    refuse(&recipe, &list, "it would lose").expect("no loss");
}

#[test]
fn the_forecast_gives_the_reason_of_a_change() {
    let recipe = recipe(Container::Mkv);
    let mut input = media(vec![film()]);
    input.streams[0].has_captions = true;
    let tracks = Tracks::choose(&recipe, &input, &Findings::default()).expect("tracks");
    let mut output = ideal::output(&recipe, &input, &tracks.list);
    let known = [Change::lost(
        Kind::Captions,
        0,
        "CEA-608",
        "libx265 writes none",
    )];
    let foreseen = forecast(&recipe, &input, &tracks.list, &known);
    assert!(foreseen.contains(&known[0]), "{foreseen:#?}");
    let of_captions = |list: &[Change]| {
        let mut found = list.iter().filter(|change| change.kind == Kind::Captions);
        (found.next().cloned(), found.next().is_some())
    };
    // The captions were kept in spite of the forecast: the output's content counts.
    let list = compare(&recipe, &input, &output, &tracks.list, &known);
    assert_eq!(
        of_captions(&list).0.map(|change| change.fate),
        Some(Fate::Kept)
    );
    output.streams[0].has_captions = false;
    let list = compare(&recipe, &input, &output, &tracks.list, &known);
    let (captions, is_twice) = of_captions(&list);
    let why = captions.and_then(|change| change.why);
    assert_eq!(why.as_deref(), Some("libx265 writes none"));
    assert!(!is_twice);
}

#[test]
fn a_refusal_names_the_loss_and_an_alternative() {
    let recipe = recipe(Container::Mp4)
        .edit(|draft| draft.refuse_loss = [Kind::Captions].into())
        .expect("a sound recipe");
    let lost = [
        Change::lost(Kind::Captions, 0, "CEA-608", "libx265 writes none"),
        Change::lost(Kind::Tag, None, "artist", "mp4 has none"),
    ];
    let failure = refuse(&recipe, &lost, "it would lose").expect_err("refused");
    assert_eq!(failure.fault, common::job::failure::Fault::Input);
    assert_eq!(
        failure.message,
        "it would lose captions of track 0 (CEA-608): libx265 writes none; leave out --refuse-loss captions, or \
         choose another --encoder, or --captions srt"
    );
}

#[test]
fn a_hostile_file_makes_a_bounded_list() {
    let streams = (0..1000).map(|index| Stream {
        tags: [("title".to_owned(), "x".repeat(100_000))].into(),
        ..stream(index, StreamKind::Data, "")
    });
    let mut input = media(streams.collect());
    input.streams.push(Stream {
        index: 1000,
        ..film()
    });
    let recipe = recipe(Container::Mkv);
    let tracks = Tracks::choose(&recipe, &input, &Findings::default()).expect("tracks");
    let output = ideal::output(&recipe, &input, &tracks.list);
    let list = compare(&recipe, &input, &output, &tracks.list, &tracks.changes);
    assert_eq!(list.len(), MOST_CHANGES);
    assert!(list.iter().all(|change| change.from.len() < 100));
}
