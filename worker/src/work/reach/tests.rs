use common::store::roots::Roots;

use crate::work::reach::*;

#[tokio::test]
async fn closing_ends_the_check_of_a_place_that_is_away() {
    let root = tempfile::tempdir().expect("a folder");
    let roots = Roots::new([root.path()]).expect("a folder");
    let film = Location::file(&root.path().join("film.mkv")).expect("absolute");
    let stores = Stores::new().within(roots, Vec::new());
    let reach = Reach::new(&stores, Clock::default());
    root.close().expect("removed");
    let trouble = reach.trouble(Need::read(&film), Instant::now()).await;
    assert!(trouble.is_some(), "the root is away");
    assert_eq!(reach.checks.len(), 1);
    let closing = tokio::time::timeout(Duration::from_secs(60), reach.close());
    closing.await.expect("closed");
    assert_eq!(Arc::strong_count(&reach), 1);
}
