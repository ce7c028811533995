//! What each user of a farm must not do, tried on a broker with the users that `producer setup` makes. Every other test of
//! a farm shows that the rights suffice: it fails if the broker refuses anything.

use async_nats::Client;
use common::names::subject;
use harness::farm::Farm;
use harness::servers::broker::TestBroker;
use harness::{paths, poll};

/// A farm with the workers `w1` and `w2`, of which none runs.
async fn farm() -> Farm {
    let farm = Farm::start().await;
    farm.broker.tries_rights();
    for worker in ["w1", "w2"] {
        farm.broker.url_for_worker(worker);
    }
    farm
}

async fn client(broker: &TestBroker, user: &str) -> Client {
    async_nats::ConnectOptions::new()
        .user_and_password(user.to_owned(), user.to_owned())
        .custom_inbox_prefix(format!("_INBOX.{user}"))
        .connect(broker.url())
        .await
        .unwrap()
}

/// The broker refuses to take messages of this user on each of these subjects.
async fn refuses_messages(farm: &Farm, user: &str, subjects: &[&str]) {
    let client = client(&farm.broker, user).await;
    for subject in subjects {
        client
            .publish((*subject).to_owned(), "{}".into())
            .await
            .unwrap();
        client.flush().await.unwrap();
        told(
            farm,
            &format!("{user}: publish"),
            "Publish Violation",
            subject,
        )
        .await;
    }
}

/// The broker refuses to give this user the messages of each of these subjects.
async fn refuses_subscriptions(farm: &Farm, user: &str, subjects: &[&str]) {
    let client = client(&farm.broker, user).await;
    for subject in subjects {
        let _messages = client.subscribe((*subject).to_owned()).await.unwrap();
        client.flush().await.unwrap();
        told(
            farm,
            &format!("{user}: subscribe"),
            "Subscription Violation",
            subject,
        )
        .await;
    }
}

async fn told(farm: &Farm, what: &str, violation: &str, subject: &str) {
    poll::until(&format!("{what} to {subject} to be refused"), async || {
        let refused = farm.broker.refused();
        let is_it =
            |line: &String| line.contains(violation) && line.contains(&format!("\"{subject}\""));
        refused.iter().any(is_it).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_worker_is_itself_alone_and_sees_no_secrets() {
    let farm = farm().await;
    let messages = [
        // another worker: its heartbeat, and the jobs that are its own
        "$KV.workers.w2",
        "$JS.API.CONSUMER.MSG.NEXT.JOBS.on_w2_p5",
        "$JS.API.CONSUMER.DELETE.JOBS.on_w2_p5",
        "$JS.API.CONSUMER.CREATE.JOBS.mine.jobs.on_w2.5.*.*",
        // a consumer without a filter in its subject could have any
        "$JS.API.CONSUMER.CREATE.JOBS.mine",
        "$JS.API.CONSUMER.DURABLE.CREATE.JOBS.mine",
        // secrets of hooks, and people's settings
        "$JS.API.DIRECT.GET.KV_hooks",
        "$JS.API.DIRECT.GET.KV_hooks.$KV.hooks.ours",
        "$JS.API.STREAM.MSG.GET.KV_hooks",
        "$JS.API.CONSUMER.CREATE.KV_hooks.mine.$KV.hooks.>",
        "$KV.hooks.ours",
        "$KV.settings.default",
        "$KV.control.worker.w2",
        "$KV.libraries.films",
        "$KV.notifications.runs",
        "$KV.autoscalers.films",
        // the settings of streams, and streams that could hold copies of others
        "$JS.API.STREAM.UPDATE.KV_workers",
        "$JS.API.STREAM.CREATE.JOBS",
        "$JS.API.STREAM.RESTORE.KV_hooks",
        "$JS.API.STREAM.SNAPSHOT.KV_hooks",
        "$JS.API.STREAM.MSG.DELETE.KV_runs",
        "$JS.API.STREAM.PURGE.KV_runs",
        "$JS.API.ACCOUNT.PURGE.$G",
        // the questions of autoscalers, and what only the server says
        "scale",
        "$SYS.REQ.SERVER.PING",
        // what people ask of workers
        "peek.w2",
        "lift.w2",
        "trash.w2",
        // the farm itself
        "$JS.API.STREAM.PURGE.JOBS",
        "$JS.API.STREAM.DELETE.JOBS",
        "$JS.API.STREAM.UPDATE.JOBS",
        "$JS.API.STREAM.CREATE.FOREIGN",
    ];
    refuses_messages(&farm, "w1", &messages).await;
    let subscriptions = [
        "owner.w2",
        "lift.w2",
        "peek.w2",
        "sample.w2",
        "trash.w2",
        "wake.on_w2",
        "jobs.>",
        "logs.>",
        "$KV.hooks.*",
        "_INBOX.w2.>",
        "_INBOX.producer.>",
        "_INBOX.>",
        ">",
    ];
    refuses_subscriptions(&farm, "w1", &subscriptions).await;
}

#[tokio::test]
async fn nobody_but_a_worker_claims_acknowledges_or_finishes() {
    let farm = farm().await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    for user in ["producer", "monitor"] {
        let dead = format!("dead.libx264.{}", job.id);
        let progress = format!("progress.{}", job.id);
        let messages = [
            "$JS.API.CONSUMER.MSG.NEXT.JOBS.libx264_p5",
            "$JS.API.CONSUMER.DELETE.JOBS.libx264_p5",
            "$JS.ACK.JOBS.libx264_p5.1.1.1.1.0",
            "$JS.ACK.hub.account.JOBS.libx264_p5.1.1.1.1.0",
            "$JS.API.CONSUMER.DURABLE.CREATE.JOBS.libx264_p5",
            "$JS.API.CONSUMER.CREATE.JOBS.mine",
            "$JS.API.CONSUMER.PAUSE.JOBS.libx264_p5",
            "$KV.workers.w1",
            "$KV.files.films.x",
            "$JS.API.STREAM.UPDATE.JOBS",
            "$JS.API.STREAM.CREATE.KV_workers",
            "$JS.API.STREAM.PURGE.KV_runs",
            "$JS.API.STREAM.DELETE.KV_runs",
            "owner.w1",
            "wake.libx264",
            "sample.w1",
            &dead,
            &progress,
            "$JS.API.STREAM.PURGE.JOBS",
            "$JS.API.STREAM.DELETE.JOBS",
            "$JS.API.STREAM.CREATE.FOREIGN",
        ];
        refuses_messages(&farm, user, &messages).await;
        let subscriptions = [
            "wake.libx264",
            "owner.w1",
            "peek.w1",
            "_INBOX.w1.>",
            "_INBOX.reader.>",
        ];
        refuses_subscriptions(&farm, user, &subscriptions).await;
    }
}

#[tokio::test]
async fn a_reader_writes_nothing_and_reads_no_secrets() {
    let farm = farm().await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    let run = subject::kv(subject::RUNS, &subject::run(&job.id));
    let pending = format!("jobs.libx264.5.{}.all", job.id);
    let event = subject::event(&job.id, "queued");
    let messages = [
        &run,
        &pending,
        &event,
        "later.x.all",
        "control.job.x",
        "$KV.control.queue.libx264",
        "$KV.settings.default",
        "$KV.libraries.films",
        "$KV.outputs.x",
        "$KV.batches.x",
        "$KV.hooks.ours",
        "lift.w1",
        "trash.w1",
        "$JS.API.CONSUMER.CREATE.JOBS.mine.jobs.libx264.5.*.*",
        "$JS.API.CONSUMER.MSG.NEXT.JOBS.libx264_p5",
        "$JS.API.STREAM.MSG.DELETE.JOBS",
        "$JS.API.STREAM.PURGE.DEAD",
        "$JS.API.STREAM.PURGE.KV_files",
        "$JS.API.STREAM.UPDATE.EVENTS",
        "$JS.API.STREAM.CREATE.FOREIGN",
        "$JS.API.STREAM.DELETE.JOBS",
        "$JS.API.CONSUMER.DELETE.JOBS.libx264_p5",
        "$JS.ACK.JOBS.libx264_p5.1.1.1.1.0",
        "$KV.plans.x",
        "$KV.files.films.x",
        "$KV.workers.w1",
        "$KV.notifications.runs",
        "$KV.autoscalers.films",
        "dead.libx264.x",
        "progress.x",
        "logs.x",
        "wake.libx264",
        "owner.w1",
        "sample.w1",
        "scale",
        "$JS.API.DIRECT.GET.KV_hooks",
        "$JS.API.DIRECT.GET.KV_hooks.$KV.hooks.ours",
        "$JS.API.STREAM.MSG.GET.KV_hooks",
        "$JS.API.CONSUMER.CREATE.KV_hooks.mine.$KV.hooks.>",
    ];
    refuses_messages(&farm, "reader", &messages).await;
    refuses_subscriptions(
        &farm,
        "reader",
        &["$KV.hooks.*", "_INBOX.monitor.>", "jobs.>"],
    )
    .await;
    assert_eq!(farm.queued().await, 0);
}
