//! Which workers may help with sample encodes: those that would make the very same file of a sample.

use common::farm::card::Capabilities;
use common::farm::worker::{Heartbeat, WorkerStatus};
use common::farm::worker_name::WorkerName;
use common::job::input::Input;
use common::recipe::Metric;
use common::recipe::encoder::{Encoder, EncoderKind};

/// The most helpers of a search.
const MOST: usize = 7;

/// What a helper must have.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) me: &'a WorkerName,
    pub(crate) card: &'a Capabilities,
    pub(crate) encoder: &'a Encoder,
    pub(crate) metric: Metric,
    pub(crate) input: &'a Input,
}

impl Wanted<'_> {
    /// The helpers among the live workers.
    ///
    /// An encoder in software makes the same file wherever the same build of ffmpeg runs. One in hardware depends on
    /// the device and its driver, of which the card tells nothing.
    pub(crate) fn among(self, workers: &[Heartbeat]) -> Vec<WorkerName> {
        if self.encoder.kind() != EncoderKind::Software {
            return Vec::new();
        }
        let able = workers.iter().filter(|worker| self.is_able(worker));
        able.map(|worker| worker.name.clone()).take(MOST).collect()
    }

    fn is_able(self, worker: &Heartbeat) -> bool {
        let Self { input, card, .. } = self;
        worker.name != *self.me
            && worker.status == WorkerStatus::Ready
            && worker.running.len() < worker.slots as usize
            && worker.card.ffmpeg.build == card.ffmpeg.build
            && worker.card.proof(self.encoder).is_some()
            && worker.card.metrics.contains(&self.metric)
            && worker.places.admit(&input.location)
            && worker.terms.admit(input.size)
            && !worker
                .away
                .iter()
                .any(|away| !away.only_writing && input.location.is_below(&away.place))
    }
}

#[cfg(test)]
mod tests {
    use common::farm::worker::Away;
    use common::recipe::Choice;
    use common::testing;
    use jiff::Timestamp;

    use super::*;

    fn worker(name: &str) -> Heartbeat {
        let mut worker = testing::heartbeat(name, &["libx264", "h264_nvenc"]);
        worker.card.metrics = vec![Metric::Vmaf, Metric::Ssim];
        worker
    }

    fn helpers(workers: &[Heartbeat], encoder: &str, metric: Metric) -> Vec<String> {
        let encoder = encoder.parse().expect("an encoder");
        let me = worker("me");
        let job = testing::job(Choice::Encoder("libx264".parse().expect("a name")), 1000);
        let wanted = Wanted {
            me: &me.name,
            card: &me.card,
            encoder: &encoder,
            metric,
            input: &job.input,
        };
        let names = wanted.among(workers);
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_helper_has_the_same_ffmpeg_and_a_free_slot() {
        let mut other = worker("other-build");
        other.card.ffmpeg.build = "1".repeat(16);
        let mut full = worker("full");
        full.running = vec![testing::job(Choice::Encoder("a".parse().expect("a name")), 1).id];
        let mut resting = worker("resting");
        resting.status = WorkerStatus::Draining;
        let mut blind = worker("blind");
        blind.card.metrics = vec![Metric::Ssim];
        let mut foreign = worker("foreign");
        foreign.places.buckets = vec!["s3://other/".parse().expect("a place")];
        let mut away = worker("away");
        away.away = vec![Away {
            place: "s3://media/".parse().expect("a place"),
            since: Timestamp::UNIX_EPOCH,
            error: "403".to_owned(),
            only_writing: false,
        }];
        let mut small = worker("small");
        small.terms.max_size = Some(999);
        let unlike = [
            other,
            full,
            resting,
            blind,
            foreign,
            away,
            small,
            worker("me"),
        ];
        assert!(helpers(&unlike, "libx264", Metric::Vmaf).is_empty());
        let alike = [worker("a"), worker("b")];
        assert_eq!(helpers(&alike, "libx264", Metric::Vmaf), ["a", "b"]);
        assert!(helpers(&alike, "libx264", Metric::Xpsnr).is_empty());
        assert!(helpers(&alike, "libx265", Metric::Vmaf).is_empty());
    }

    #[test]
    fn hardware_has_no_helpers() {
        assert!(helpers(&[worker("a")], "h264_nvenc", Metric::Vmaf).is_empty());
    }
}
