//! A job that kills every worker that runs it, among jobs that do no harm.

use std::time::Duration;

use common::farm::queue::{Lane, Priority};
use common::job::Job;
use futures::future::join_all;

use crate::farm::Farm;
use crate::faults::stand_in::{Fault, StandIn};
use crate::outside::audit::{Acknowledged, Auditor, Findings, OutputPlace, Tally};
use crate::outside::media::Media;
use crate::programs::{Worker, WorkerSetup};
use crate::{outside, paths};

/// How long the farm may take for one job.
const EACH: Duration = Duration::from_secs(2);
/// How much longer the farm may take for the attempts of the poison job.
const BESIDES: Duration = Duration::from_secs(90);
/// How often a worker that runs the poison job is looked for.
const CHECK: Duration = Duration::from_millis(20);

/// The farm after the poison job and the good jobs have ended.
pub struct Poisoned {
    /// The farm as it is now.
    pub farm: Farm,
    /// The poison job.
    pub job: Job,
    /// How many workers the poison job has killed.
    pub deaths: u32,
    /// How the jobs ended, the poison job included.
    pub tally: Tally,
    /// Broken promises.
    pub findings: Findings,
}

/// Enqueues one poison job in the middle of `good` good ones, for one worker of two slots for each name. A worker is
/// killed whenever the poison job encodes on it, and is started again as by a supervisor.
pub async fn among(good: usize, names: &[&str]) -> Poisoned {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Poison("poison".to_owned()));
    let films = farm.folder().join("films");
    std::fs::create_dir(&films).expect("a test's folder can be written");
    let film = films.join("film.webm");
    std::fs::copy(paths::media("odd-size.webm"), &film).expect("a test's folder can be written");
    let frames = Media::of(&film).frames();
    let mut jobs = Vec::new();
    let mut all = Vec::new();
    for number in 0..=good {
        let name = if number == good / 2 {
            "poison".to_owned()
        } else {
            format!("film-{number}")
        };
        let input = films.join(format!("{name}.webm"));
        std::fs::hard_link(&film, &input).expect("a test's folder can be written");
        let job = farm.job(&input, "libx264");
        all.push(Acknowledged {
            id: job.id.to_string(),
            output: format!("{name}.mkv"),
            frames,
        });
        let lane = Lane {
            priority: Priority::default(),
            queue: job.recipe.queue(),
        };
        jobs.push((job, lane));
    }
    farm.view
        .enqueue(&jobs, |_| {})
        .await
        .expect("the broker takes them");
    let (job, _) = jobs.swap_remove(good / 2);

    let setup = |name: &str| {
        farm.worker(name)
            .encoders("libx264")
            .ffmpeg(&ffmpeg)
            .option("--max-jobs", "2")
    };
    let mut supervised: Vec<Supervised<_>> = Vec::new();
    for name in names {
        supervised.push(Supervised {
            worker: farm.join(setup(name)).await,
            setup: move || setup(name),
            deaths: 0,
        });
    }
    let auditor = Auditor::connect(farm.url()).await;
    let place = OutputPlace::Folder(farm.out());
    let scratch = farm.scratch();
    let patience = BESIDES + EACH * u32::try_from(good).unwrap_or(u32::MAX);
    let supervising = join_all(
        supervised
            .iter_mut()
            .map(|supervised| supervised.watch(&farm)),
    );
    let (tally, findings) = tokio::select! {
        looked = auditor.inspect_when_quiet(patience, &all, &place, &scratch) => looked,
        _ = supervising => unreachable!("they watch for ever"),
    };
    let deaths = supervised.iter().map(|supervised| supervised.deaths).sum();
    drop(supervised);
    Poisoned {
        farm,
        job,
        deaths,
        tally,
        findings,
    }
}

struct Supervised<F> {
    worker: Worker,
    setup: F,
    deaths: u32,
}

impl<F: Fn() -> WorkerSetup> Supervised<F> {
    async fn watch(&mut self, farm: &Farm) {
        let scratch = farm.scratch_of(&self.worker.name);
        loop {
            tokio::time::sleep(CHECK).await;
            let is_poisoned = outside::encodes_in(&scratch)
                .iter()
                .any(|process| process.command.contains("poison.webm"));
            if is_poisoned {
                self.worker.process.kill();
                self.deaths += 1;
                self.worker = farm.join((self.setup)()).await;
            }
        }
    }
}
