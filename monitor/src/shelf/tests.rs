use common::job::input::Input;
use common::library::file::{FileRecord, FileState, FileStateKind};
use common::names::location::Location;
use uuid::Uuid;

use super::row::Row;
use super::{FileColumn, FileQuery, Files};

fn place() -> Location {
    "file:///films".parse().expect("a location")
}

fn files(named: &[(&str, u64, FileState)]) -> Files {
    let mut files = Files::default();
    for (name, size, state) in named {
        let input = Input {
            location: place().join(name),
            size: *size,
            version: "1".to_owned(),
        };
        let record = FileRecord::new(input, None, state.clone());
        let key = Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes());
        files.put(key, &record, &place());
    }
    files
}

fn names(files: &Files, query: &FileQuery) -> Vec<String> {
    let page = files.page(query).files;
    page.into_iter().map(|row| row.path).collect()
}

#[test]
fn files_are_filtered_sorted_and_paged() {
    let skipped = FileState::Skipped {
        rule: "video.codec == hevc".to_owned(),
    };
    let files = files(&[
        ("b.mkv", 3, FileState::Waiting),
        ("Sub/a.mkv", 2, skipped.clone()),
        ("c.mkv", 1, FileState::Waiting),
        ("a.mkv", 3, skipped),
    ]);
    let all = FileQuery {
        limit: 10,
        ..FileQuery::default()
    };
    assert_eq!(
        names(&files, &all),
        ["Sub/a.mkv", "a.mkv", "b.mkv", "c.mkv"]
    );
    let second = FileQuery {
        limit: 2,
        offset: 1,
        ..FileQuery::default()
    };
    assert_eq!(names(&files, &second), ["a.mkv", "b.mkv"]);
    let largest = FileQuery {
        sort: FileColumn::Size,
        descending: true,
        limit: 2,
        ..FileQuery::default()
    };
    assert_eq!(names(&files, &largest), ["a.mkv", "b.mkv"]);
    let waiting = FileQuery {
        states: vec![FileStateKind::Waiting],
        ..all.clone()
    };
    let page = files.page(&waiting);
    assert_eq!(page.total, 2);
    let states = [(FileStateKind::Waiting, 2), (FileStateKind::Skipped, 2)];
    assert_eq!(page.states, states, "the counts are of all states");
    let below = FileQuery {
        text: "SUB/".to_owned(),
        ..all.clone()
    };
    assert_eq!(names(&files, &below), ["Sub/a.mkv"]);
    let unknown = FileQuery {
        codec: Some("vc1".to_owned()),
        ..all.clone()
    };
    assert!(names(&files, &unknown).is_empty());
    let beyond = FileQuery { offset: 9, ..all };
    assert!(names(&files, &beyond).is_empty());
}

#[test]
fn a_file_takes_less_than_two_hundred_bytes() {
    let path = "A Show With A Long Name/Season 01/A Show With A Long Name S01E01.mkv".len();
    let most = size_of::<Row>() + size_of::<Uuid>() + path;
    assert!(most <= 200, "{most}");
}
