use super::*;
use crate::recipe::{Container, Recipe};

/// One output in this container.
fn into(container: Container) -> OutputSet {
    let recipe = Recipe::copy().edit(|draft| draft.container = container);
    OutputSet::one(recipe.expect("sound"))
}

fn named(names: &[&str]) -> Result<Vec<String>, (usize, usize)> {
    named_beside(names, &[])
}

/// Names of outputs beside `given` ones: the output, the file name of its source, and whether the source holds the name.
fn named_beside(
    names: &[&str],
    given: &[(&str, &str, bool)],
) -> Result<Vec<String>, (usize, usize)> {
    let place = Location::s3("media", "in").expect("a location");
    let names: Vec<Names> = names
        .iter()
        .map(|name| {
            let name = Path::new(name);
            let location = &place;
            Names::of(&NamedSource { name, location }, &into(Container::Mkv), 0).expect("a name")
        })
        .collect();
    let owners: HashMap<PathBuf, OutputOwner> = given
        .iter()
        .map(|(output, source, holds)| {
            let source = (*source).to_owned();
            (
                PathBuf::from(output),
                OutputOwner {
                    source,
                    holds: *holds,
                },
            )
        })
        .collect();
    let outputs = unique(&names, |name| owners.get(name));
    let outputs = outputs.map_err(|clash| (clash.takers[0], clash.takers[1]))?;
    Ok(outputs
        .iter()
        .map(|name| name.to_str().expect("text").to_owned())
        .collect())
}

#[test]
fn outputs_take_the_containers_extension() {
    assert_eq!(
        named(&["a.mp4", "sub/b.c.MOV", "plain", "-dash.ts"]),
        Ok(vec![
            "a.mkv".into(),
            "sub/b.c.mkv".into(),
            "plain.mkv".into(),
            "-dash.mkv".into()
        ])
    );
}

#[test]
fn outputs_that_would_clash_keep_the_sources_extension() {
    assert_eq!(
        named(&["a.mp4", "a.mov", "b.mp4"]),
        Ok(vec!["a.mp4.mkv".into(), "a.mov.mkv".into(), "b.mkv".into()])
    );
    // A longer name may clash with a third output.
    assert_eq!(
        named(&["a.mp4", "a.mov", "a.mp4.avi"]),
        Ok(vec![
            "a.mp4.mkv".into(),
            "a.mov.mkv".into(),
            "a.mp4.avi.mkv".into()
        ])
    );
    assert_eq!(named(&["a.mp4", "a.mp4"]), Err((0, 1)));
}

#[test]
fn a_name_that_was_given_stays_and_the_newcomer_keeps_its_extension() {
    let done = [("Film.mkv", "Film.mp4", true)];
    for (names, expected) in [
        (["Film.mov", "Film.mp4"], ["Film.mov.mkv", "Film.mkv"]),
        (["Film.mp4", "Film.mov"], ["Film.mkv", "Film.mov.mkv"]),
    ] {
        assert_eq!(named_beside(&names, &done).expect("named"), expected);
    }
    // The source of the first output is gone, but the output is there.
    assert_eq!(
        named_beside(&["Film.mov"], &done),
        Ok(vec!["Film.mov.mkv".into()])
    );
    // The job has failed: the name is free, unless its source is named, too.
    let failed = [("Film.mkv", "Film.mp4", false)];
    assert_eq!(
        named_beside(&["Film.mov"], &failed),
        Ok(vec!["Film.mkv".into()])
    );
    assert_eq!(
        named_beside(&["Film.mov", "Film.mp4"], &failed).expect("named"),
        ["Film.mov.mkv", "Film.mkv"]
    );
    // Two sources that came together keep their long names after one of them is gone.
    let both = [
        ("Film.mp4.mkv", "Film.mp4", true),
        ("Film.mov.mkv", "Film.mov", true),
    ];
    assert_eq!(
        named_beside(&["Film.mp4"], &both),
        Ok(vec!["Film.mp4.mkv".into()])
    );
    // One clash leads to the next.
    assert_eq!(
        named_beside(
            &["a.mp4", "a.mov", "a.mov.avi"],
            &[("a.mkv", "a.mp4", true)]
        )
        .expect("named"),
        ["a.mkv", "a.mov.mkv", "a.mov.avi.mkv"]
    );
    // Two sources with the same path: only different output folders help.
    assert_eq!(
        named_beside(&["a.mp4", "a.mp4"], &[("a.mkv", "a.mp4", true)]),
        Err((0, 1))
    );
}

#[test]
fn a_name_that_is_too_long_is_known() {
    let too_long = |bytes, most| Unnameable::TooLong { bytes, most };
    let long = |letters: usize, rest: &str| format!("{}{rest}", "D".repeat(letters));
    let two_bytes = format!("{}.mp4", "ü".repeat(126));
    for folder in ["file:///media/out", "s3://media/out"] {
        let folder: Location = folder.parse().expect("a location");
        let place = folder.join("unused.mp4");
        let length = |name: &str| {
            let name = Path::new(name);
            let location = &place;
            let named = [NamedSource { name, location }];
            let outputs = outputs(&named, &folder, &into(Container::Mkv), &OutputOwners::new());
            outputs.expect("named").remove(0)
        };
        assert!(length(&long(251, ".mp4")).is_ok());
        let refused = length(&long(252, ".ts")).expect_err("256 bytes");
        assert_eq!(refused, too_long(256, 255));
        assert_eq!(length(&two_bytes), Err(too_long(256, 255)));
        assert!(length(&format!("{}/a.mp4", long(255, ""))).is_ok());
    }
    let deep = format!("{}a.mp4", "folder/".repeat(150));
    let place = Location::s3("media", "out").expect("a location");
    let named = [NamedSource {
        name: Path::new(&deep),
        location: &place,
    }];
    let outputs = outputs(&named, &place, &into(Container::Mkv), &OutputOwners::new());
    let refused = outputs.expect("named").remove(0).expect_err("a long key");
    assert!(matches!(refused, Unnameable::TooLong { most: 1024, .. }));
}

#[test]
fn no_name_leads_out_of_the_folder() {
    for folder in ["file:///media/out", "s3://media/out"] {
        let folder: Location = folder.parse().expect("a location");
        let place = folder.join("unused.mp4");
        let outputs_of = |names: &[&str]| {
            let sources: Vec<NamedSource<'_>> = names
                .iter()
                .map(|name| NamedSource {
                    name: Path::new(name),
                    location: &place,
                })
                .collect();
            outputs(
                &sources,
                &folder,
                &into(Container::Mkv),
                &OutputOwners::new(),
            )
        };
        let outputs = outputs_of(&["../../b/c.avi", "/etc/d.avi"]).expect("named");
        assert_eq!(
            outputs,
            [folder.join("b/c.mkv"), folder.join("etc/d.mkv")].map(Ok)
        );
        assert!(outputs_of(&["../c.avi", "c.avi"]).is_err(), "one file");
    }
}

#[test]
fn keys_hold_what_names_may_and_keys_may() {
    assert_eq!(
        as_key(Path::new("a b/two\nlines?.mp4")),
        "a b/two%0Alines?.mp4"
    );
}

#[test]
fn a_source_is_never_an_output() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().canonicalize().expect("there");
    let path = folder.join("film.mkv");
    std::fs::write(&path, b"media").expect("written");
    let location = Location::file(&path).expect("absolute");
    let source = NamedSource {
        name: Path::new("film.mkv"),
        location: &location,
    };
    let beside = Location::file(&folder).expect("absolute");
    let error = outputs(
        &[source],
        &beside,
        &into(Container::Mkv),
        &OutputOwners::new(),
    )
    .expect_err("refused");
    assert!(error.to_string().contains("would be a source"), "{error}");
    assert!(
        outputs(
            &[source],
            &beside,
            &into(Container::Mp4),
            &OutputOwners::new()
        )
        .is_ok()
    );
}

/// Two renditions of each source.
fn ladder(template: Option<&str>) -> OutputSet {
    use crate::recipe::Outputs;
    use crate::recipe::encoder::Codec;
    let recipe = Recipe::encode(crate::recipe::VideoEncode::new(
        crate::recipe::Choice::Codec(Codec::H264),
    ));
    let outputs = Outputs {
        name: template.map(|text| text.parse().expect("a template")),
        renditions: ["1080p", "480p"]
            .map(|text| text.parse().expect("one"))
            .into(),
    };
    OutputSet::new(&recipe.expect("sound"), &outputs, None).expect("they differ")
}

#[test]
fn renditions_are_named_beside_each_other_and_again_the_same() {
    let place = |name: &str| Location::s3("media", name).expect("a location");
    let (mov, mp4) = (place("in/a.mov"), place("in/a.mp4"));
    let source = |name, location| NamedSource {
        name: Path::new(name),
        location,
    };
    let out = place("out");
    let set = ladder(None);
    let sources = [source("a.mp4", &mp4), source("a.mov", &mov)];
    let name = |sources: &[NamedSource<'_>], given: &OutputOwners| -> Vec<String> {
        let outputs = outputs(sources, &out, &set, given).expect("named");
        outputs
            .into_iter()
            .map(|output| output.expect("a name").name())
            .collect()
    };
    let both = [
        "a.mp4-1080p.mkv",
        "a.mp4-480p.mkv",
        "a.mov-1080p.mkv",
        "a.mov-480p.mkv",
    ];
    assert_eq!(name(&sources, &OutputOwners::new()), both);
    let owner = |source: &str| OutputOwner {
        source: source.to_owned(),
        holds: true,
    };
    let given = ["a.mp4-1080p.mkv", "a.mp4-480p.mkv"];
    let given = given
        .map(|output| (out.join(output), owner("a.mp4")))
        .into();
    assert_eq!(name(&sources[..1], &given), both[..2], "it keeps its names");
    let first = OutputOwners::from([(out.join("a-1080p.mkv"), owner("a.mp4"))]);
    assert_eq!(
        name(&sources[1..], &first),
        ["a.mov-1080p.mkv", "a-480p.mkv"]
    );
    // A source that is already called like an output of another one.
    let film = place("in/film-480p.mkv");
    let taken = [source("film-480p.mkv", &film)];
    let beside = outputs(&taken, &place("in"), &set, &OutputOwners::new()).expect("named");
    assert_eq!(
        beside[1].as_ref().expect("a name").name(),
        "film-480p-480p.mkv"
    );
    let named = [source("film.mkv", &mov), taken[0]];
    let error = outputs(&named, &place("in"), &set, &OutputOwners::new()).expect_err("a source");
    assert!(error.to_string().contains("would be a source"), "{error}");
}

#[test]
fn a_source_that_the_template_cannot_name_leaves_the_others_alone() {
    let place = Location::s3("media", "in").expect("a location");
    let source = |name| NamedSource {
        name: Path::new(name),
        location: &place,
    };
    let set = ladder(None);
    let sources = [source("two\nlines.mp4"), source("b.mp4")];
    let outputs = outputs(&sources, &place, &set, &OutputOwners::new()).expect("named");
    let named: Vec<Option<String>> = outputs
        .iter()
        .map(|output| output.as_ref().ok().map(Location::name))
        .collect();
    let expected = [None, None, Some("b-1080p.mkv"), Some("b-480p.mkv")];
    assert_eq!(named, expected.map(|name| name.map(str::to_owned)));
}

/// The renditions of a ladder.
fn streaming(renditions: &[&str]) -> OutputSet {
    use crate::recipe::encoder::Codec;
    use crate::recipe::{Choice, Outputs, VideoEncode};
    let encode = VideoEncode::new(Choice::Codec(Codec::H264));
    let recipe = Recipe::encode(encode).expect("sound");
    let recipe = recipe.edit(|draft| draft.container = Container::Cmaf);
    let outputs = Outputs {
        name: None,
        renditions: renditions
            .iter()
            .map(|text| text.parse().expect("one"))
            .collect(),
    };
    OutputSet::new(&recipe.expect("sound"), &outputs, None).expect("they differ")
}

#[test]
fn the_renditions_and_the_master_of_a_ladder_are_named_alike() {
    let place = |name: &str| Location::s3("media", name).expect("a location");
    let out = place("out");
    let set = streaming(&["1080p", "480p"]);
    let name = |sources: &[&str], given: &OutputOwners| {
        let places: Vec<Location> = sources.iter().map(|name| place("in").join(name)).collect();
        let sources: Vec<NamedSource<'_>> = sources
            .iter()
            .zip(&places)
            .map(|(name, location)| NamedSource {
                name: Path::new(*name),
                location,
            })
            .collect();
        let outputs = outputs(&sources, &out, &set, given).expect("named");
        let name = |output: Output| output.expect("a name").key().replacen("/out/", "", 1);
        outputs
            .into_iter()
            .map(name)
            .map(|name| name.replacen("out/", "", 1))
            .collect::<Vec<_>>()
    };
    let none = OutputOwners::new();
    assert_eq!(
        name(&["a.mp4"], &none),
        ["a-1080p.mp4", "a-480p.mp4", "a.m3u8"]
    );
    assert_eq!(
        name(&["a.mp4", "a.mov"], &none),
        [
            "a.mp4-1080p.mp4",
            "a.mp4-480p.mp4",
            "a.mp4.m3u8",
            "a.mov-1080p.mp4",
            "a.mov-480p.mp4",
            "a.mov.m3u8"
        ]
    );
    // One rendition is another source's: none of the ladder's names is short.
    let owner = OutputOwner {
        source: "a.mp4".to_owned(),
        holds: true,
    };
    let given = [(out.join("a-480p.mp4"), owner)].into();
    let whole = ["a.mov-1080p.mp4", "a.mov-480p.mp4", "a.mov.m3u8"];
    assert_eq!(name(&["a.mov"], &given), whole);
    assert_eq!(name(&["a.mp4"], &given)[2], "a.m3u8", "its own names stay");
    // The playlist of a rendition is a file as well.
    assert_eq!(
        name(&["a.mp4", "a-480p.video.mp4"], &none),
        [
            "a.mp4-1080p.mp4",
            "a.mp4-480p.mp4",
            "a.mp4.m3u8",
            "a-480p.video.mp4-1080p.mp4",
            "a-480p.video.mp4-480p.mp4",
            "a-480p.video.mp4.m3u8"
        ]
    );
    let one = streaming(&[]);
    let film = place("in/film.mp4");
    let source = NamedSource {
        name: Path::new("film.mp4"),
        location: &film,
    };
    let named = outputs(&[source], &out, &one, &none).expect("named");
    let names: Vec<String> = named
        .into_iter()
        .map(|output| output.expect("a name").name())
        .collect();
    assert_eq!(names, ["film.mp4", "film.m3u8"]);
}

#[test]
fn a_name_leaves_room_for_the_playlists_beside_a_rendition() {
    let place = Location::s3("media", "in").expect("a location");
    let most = LONGEST_NAME - "-480p.subtitles-100.m3u8".len();
    for (length, fits) in [(most, true), (most + 1, false)] {
        let name = format!("{}.mp4", "x".repeat(length));
        let source = NamedSource {
            name: Path::new(&name),
            location: &place,
        };
        let named = outputs(
            &[source],
            &place.join("out"),
            &streaming(&["480p"]),
            &OutputOwners::new(),
        );
        assert_eq!(named.expect("named")[0].is_ok(), fits, "{length}");
    }
}
