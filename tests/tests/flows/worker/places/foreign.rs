//! Jobs that ask for files that are not the farm's.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use common::broker::PreviewError;
use common::farm::preview::{JobFile, Preview, PreviewKind};
use common::farm::queue::Lane;
use common::job::run::Run;
use common::names::location::Location;
use common::wire;
use jiff::Timestamp;
use serde_json::json;

use super::{Place, url};

#[tokio::test]
async fn a_job_outside_all_roots_is_declined_with_a_reason() {
    let place = Place::new().await;
    let keys = place.path("home/.ssh/authorized_keys");
    let (out, home) = (url(&place.path("out")), url(&place.path("home")));
    place.others_were_looked_at().await;
    let mut declined = Vec::new();
    for output in [
        url(&keys),
        format!("{home}/new/deep/er/x.mkv"),
        format!("{out}/../home/.ssh/authorized_keys"),
        format!("{out}/..%2fhome/.ssh/authorized_keys"),
        format!("{out}/%2e%2e/home//.ssh/./authorized_keys"),
        format!("{out}-beside/x.mkv"),
    ] {
        let job = place.job(&keys);
        place.enqueue_raw(&job, &output).await;
        declined.push(job.id);
    }
    let reads = place.job_of(&keys, &place.path("out/read.mkv"));
    place.farm.enqueue(&reads).await;
    declined.push(reads.id);
    place.others_were_looked_at().await;
    for job in &declined {
        assert!(place.farm.run(job).await.is_none(), "nobody takes it");
    }
    let why = place.why(&declined[0]).await;
    let advice = format!(
        "may not read or write there: give it --root {}",
        place.path("home/.ssh").display()
    );
    assert!(why.contains(&advice), "{why}");
    assert!(place.why(&reads.id).await.contains(&advice));
    assert_eq!(place.authorized_keys(), "mine");
    assert!(!place.path("home/new").exists() && !place.path("out-beside").exists());

    let told = place.farm.producer(["workers", "--json"]).await.succeeded();
    let roots = &told.json()[0]["places"]["roots"];
    assert_eq!(*roots, json!([url(&place.path("in")), out]));
    // A person who submits such jobs gets a warning.
    let source = place.path("in/src.mp4");
    let enqueue = ["enqueue", source.to_str().unwrap(), "-o", "home/films"];
    let warned = place
        .farm
        .producer(enqueue.into_iter().chain(["--encoder", "libx264"]))
        .await;
    let advice = format!("--root {}", place.path("home/films").display());
    assert!(warned.stderr.contains(&advice), "{}", warned.stderr);
}

#[tokio::test]
async fn an_output_that_is_the_input_by_another_name_is_refused() {
    let place = Place::new().await;
    let source = fs::read(place.path("in/src.mp4")).unwrap();
    fs::hard_link(place.path("in/src.mp4"), place.path("out/hard.mkv")).unwrap();
    symlink(place.path("in/src.mp4"), place.path("out/soft.mkv")).unwrap();
    symlink("../in", place.path("out/folder")).unwrap();
    place.others_were_looked_at().await;
    let base = url(place.farm.folder());
    for output in [
        format!("{base}/in/%73rc.mp4"),
        format!("{base}/in/./src.mp4"),
        format!("{base}//in//src.mp4"),
        format!("{base}/in/x/..%2fsrc.mp4?a=b"),
        format!("{base}/out/hard.mkv"),
        format!("{base}/out/soft.mkv"),
        format!("{base}/out/folder/src.mp4"),
    ] {
        let job = place.job(&place.path("out/any.mkv"));
        place.enqueue_raw(&job, &output).await;
        let why = place.failed(&job.id).await;
        assert_eq!(why, "the output is the input itself", "{output}");
    }
    assert_eq!(fs::read(place.path("in/src.mp4")).unwrap(), source);
}

#[tokio::test]
async fn a_preview_shows_no_foreign_file_and_reveals_nothing_about_it() {
    let place = Place::new().await;
    place.others_were_looked_at().await;
    let foreign = place.path("home/private.mp4");
    fs::copy(place.path("in/src.mp4"), &foreign).unwrap();
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o600)).unwrap();
    let size = fs::metadata(&foreign).unwrap().len();

    // A forged run, whose output would be the foreign file.
    let made_up = place.job(&foreign);
    let lane = Lane::from_consumer("libx264_p5").unwrap();
    let worker = "w".parse().unwrap();
    let run = Run::first(made_up.clone(), &lane, 1, worker, Timestamp::now());
    let mut report = common::testing::report("w", "libx264", 1, 1.0);
    report.output_size = size;
    let run = run.complete(report, Timestamp::now());
    let runs = place.farm.view.jetstream().get_key_value("runs").await;
    let key = format!("{}.all", made_up.id);
    runs.unwrap().put(key, wire::encode(&run)).await.unwrap();
    // Jobs whose inputs would be foreign files: one with a guessed size, one of a missing file.
    let mut guessed = place.job_of(&foreign, &place.path("out/a.mkv"));
    guessed.input.size = 1;
    let mut missing = place.job_of(&foreign, &place.path("out/b.mkv"));
    missing.input.location = Location::file(&place.path("home/none.mp4")).unwrap();

    let mut answers = Vec::new();
    for (job, side) in [
        (&made_up, JobFile::Output),
        (&guessed, JobFile::Input),
        (&missing, JobFile::Input),
    ] {
        if side == JobFile::Input {
            place.farm.enqueue(job).await;
        }
        for what in [PreviewKind::Info, PreviewKind::Still(0.0)] {
            let preview = Preview {
                job: job.id,
                side,
                what,
            };
            let seen = place
                .farm
                .view
                .preview(&"w".parse().unwrap(), &preview)
                .await;
            let Err(PreviewError::Refused(why)) = seen else {
                panic!("it was shown: {seen:?}");
            };
            answers.push(why);
        }
    }
    for why in answers {
        assert!(why.contains("lies in no place"), "{why}");
        assert!(!why.contains(&size.to_string()), "{why}");
    }
}

#[tokio::test]
async fn links_that_lead_out_are_neither_read_nor_written_through() {
    let place = Place::new().await;
    let secret = place.path("home/secret.mp4");
    fs::copy(place.path("in/src.mp4"), &secret).unwrap();
    let before = fs::read(&secret).unwrap();
    symlink(&secret, place.path("in/link.mp4")).unwrap();
    symlink("../home", place.path("out/led")).unwrap();
    symlink(&secret, place.path("out/taken.mkv")).unwrap();
    symlink("src.mp4", place.path("in/near.mp4")).unwrap();

    let reads = place.job_of(&place.path("in/link.mp4"), &place.path("out/a.mkv"));
    let writes = place.job(&place.path("out/led/new/b.mkv"));
    for job in [&reads, &writes] {
        place.farm.enqueue(job).await;
        let why = place.failed(&job.id).await;
        assert!(why.contains("leads out of the folders"), "{why}");
    }
    assert!(!place.path("home/new").exists());

    // A link in the place of the output counts as an existing output, whatever its target is.
    let mut spares = place.job(&place.path("out/taken.mkv"));
    spares.replace = false;
    place.farm.enqueue(&spares).await;
    let why = place.failed(&spares.id).await;
    assert!(why.contains("left as it is"), "{why}");
    assert!(place.path("out/taken.mkv").is_symlink());
    let replaces = place.job(&place.path("out/taken.mkv"));
    place.farm.enqueue(&replaces).await;
    place.farm.completed(&replaces.id).await;
    assert!(!place.path("out/taken.mkv").is_symlink());
    assert_eq!(fs::read(&secret).unwrap(), before);

    let near = place.job_of(&place.path("in/near.mp4"), &place.path("out/near.mkv"));
    place.farm.enqueue(&near).await;
    place.farm.completed(&near.id).await;
}

#[tokio::test]
async fn a_copy_to_another_disk_follows_no_planted_link() {
    let shm = tempfile::tempdir_in("/dev/shm").unwrap();
    let place = Place::with(&[shm.path()]).await;
    let victim = place.path("home/victim");
    fs::write(&victim, "precious").unwrap();
    let job = place.job(&shm.path().join("sub/a.mkv"));
    fs::create_dir(shm.path().join("sub")).unwrap();
    for attempt in 0..4 {
        let planted = format!("sub/.ffmpeg-easy-{}-{attempt}", job.id);
        symlink(&victim, shm.path().join(planted)).unwrap();
    }
    place.farm.enqueue(&job).await;
    place.farm.completed(&job.id).await;
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    let output = fs::symlink_metadata(shm.path().join("sub/a.mkv")).unwrap();
    assert!(output.is_file() && output.len() > 1000);
    let left: Vec<_> = fs::read_dir(shm.path().join("sub")).unwrap().collect();
    assert_eq!(left.len(), 5, "the output and what was planted: {left:?}");
}
