//! The manifests for Kubernetes: valid, sound in what they say together, and asking the monitor what it answers.

use std::process::Command;

use harness::farm::Farm;
use harness::programs::monitor::TestMonitor;
use harness::{paths, poll};
use serde_json::Value;

use crate::steer::{held_worker, pending};

/// The checked manifests.
fn manifests() -> Value {
    let checked = Command::new(paths::repository().join("deploy/kubernetes/check"))
        .arg("--json")
        .env("CARGO_TARGET_DIR", paths::target())
        .output()
        .expect("python runs");
    let words = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{words}");
    serde_json::from_slice(&checked.stdout).expect("JSON")
}

fn of_kind<'a>(manifests: &'a Value, kind: &str) -> Vec<&'a Value> {
    let documents = manifests["documents"].as_array().expect("a list");
    documents
        .iter()
        .filter(|document| document["kind"] == kind)
        .collect()
}

fn container(pod: &Value) -> &Value {
    &pod["spec"]["containers"][0]
}

fn variable<'a>(container: &'a Value, name: &str) -> &'a str {
    let all = container["env"].as_array().expect("a list");
    let found = all.iter().find(|variable| variable["name"] == name);
    found
        .and_then(|found| found["value"].as_str())
        .unwrap_or("")
}

/// The parameter of an address.
fn parameter<'a>(url: &'a str, name: &str) -> &'a str {
    let (_, query) = url.split_once('?').expect("parameters");
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or("")
}

#[test]
fn the_manifests_are_valid_and_say_what_the_farm_needs() {
    let manifests = manifests();
    let classes = of_kind(&manifests, "ScaledJob");
    assert!(classes.len() >= 3);
    for class in &classes {
        let name = class["metadata"]["name"].as_str().expect("a name");
        let spec = &class["spec"];
        // By default, KEDA deletes running jobs on every change.
        assert_eq!(spec["rollout"]["strategy"], "gradual", "{name}");
        assert_eq!(spec["scalingStrategy"]["strategy"], "default", "{name}");
        assert_eq!(spec["minReplicaCount"], 0, "{name}");
        let job = &spec["jobTargetRef"];
        assert_eq!(job["backoffLimit"], 0, "{name}");
        let pod = &job["template"];
        let worker = container(pod);
        let trigger = &spec["triggers"][0]["metadata"];
        let url = trigger["url"].as_str().expect("an address");
        // A worker takes what it is started for, and its name is that of its pod, which begins with the job's.
        assert_eq!(
            parameter(url, "queue"),
            variable(worker, "WORKER_ONLY"),
            "{name}"
        );
        assert_eq!(parameter(url, "prefix"), format!("{name}-"));
        assert_eq!(
            trigger["targetValue"],
            variable(worker, "WORKER_MAX_JOBS"),
            "{name}"
        );
        assert_eq!(worker["args"][0], "--exit-when-idle", "{name}");
        let drain = variable(worker, "WORKER_DRAIN_TIMEOUT");
        let minutes: u64 = drain.trim_end_matches('m').parse().expect("minutes");
        let grace = pod["spec"]["terminationGracePeriodSeconds"].as_u64();
        assert!(
            grace > Some(60 * minutes),
            "{name}: {grace:?} s for {drain}"
        );
        assert_eq!(pod["spec"]["restartPolicy"], "Never", "{name}");
        assert_is_confined(pod, name);
    }
    let monitors = of_kind(&manifests, "Deployment");
    assert_is_confined(&monitors[0]["spec"]["template"], "monitor");
    let jetstream = &manifests["nats"]["config"]["jetstream"];
    assert_eq!(jetstream["merge"]["sync_interval"], "always");
    assert_eq!(manifests["nats"]["config"]["cluster"]["replicas"], 3);
    let settings = of_kind(&manifests, "ConfigMap");
    assert_eq!(settings[0]["data"]["NATS_REPLICAS"], "3");
}

fn assert_is_confined(pod: &Value, name: &str) {
    let of_pod = &pod["spec"]["securityContext"];
    assert_eq!(of_pod["runAsNonRoot"], true, "{name}");
    assert_eq!(of_pod["seccompProfile"]["type"], "RuntimeDefault", "{name}");
    assert_eq!(pod["spec"]["automountServiceAccountToken"], false, "{name}");
    let of_container = &container(pod)["securityContext"];
    assert_eq!(of_container["readOnlyRootFilesystem"], true, "{name}");
    assert_eq!(of_container["allowPrivilegeEscalation"], false, "{name}");
    assert_eq!(of_container["capabilities"]["drop"][0], "ALL", "{name}");
    assert!(
        container(pod)["resources"]["limits"]["memory"].is_string(),
        "{name}"
    );
}

/// What KEDA makes of a trigger: it asks the address with the token, and takes the number at the place in the answer.
async fn asked(monitor: &TestMonitor, trigger: &Value, password: &str) -> Option<f64> {
    let url = trigger["url"].as_str()?;
    let (_, rest) = url.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let answer = reqwest::Client::new()
        .get(format!("{}/{path}", monitor.url()))
        .header("host", host)
        .bearer_auth(password)
        .send()
        .await
        .ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let answer: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
    answer[trigger["valueLocation"].as_str()?].as_f64()
}

#[tokio::test]
async fn the_triggers_get_their_numbers_from_a_monitor_as_it_is_deployed() {
    let manifests = manifests();
    let trigger = |name: &str| {
        let classes = of_kind(&manifests, "ScaledJob");
        let class = classes
            .into_iter()
            .find(|class| class["metadata"]["name"] == name);
        class.expect("it is there")["spec"]["triggers"][0]["metadata"].clone()
    };
    let farm = Farm::start().await;
    let deployed = container(&of_kind(&manifests, "Deployment")[0]["spec"]["template"]).clone();
    // The password of a reader, as the guide says.
    let access = farm.folder().join("access.txt");
    let line = Command::new("sh")
        .args([
            "-c",
            "printf %s \"$1\" | \"$2\" password reader > \"$3\"",
            "sh",
            "a reader's password",
        ])
        .arg(paths::program("monitor"))
        .arg(&access)
        .status();
    assert!(line.expect("it runs").success());
    let options = [
        "--access",
        access.to_str().expect("text"),
        "--host",
        variable(&deployed, "MONITOR_HOSTS"),
    ];
    let monitor = TestMonitor::start_with(&farm, farm.url(), &options).await;
    let cpu = trigger("worker-cpu");
    assert_eq!(asked(&monitor, &cpu, "another password").await, None);
    let wanted = async |class: &Value, number: f64| {
        let what = format!("{number} workers to be wanted");
        poll::until(&what, async || {
            let asked = asked(&monitor, class, "a reader's password").await?;
            (asked == number).then_some(())
        })
        .await;
    };
    wanted(&cpu, 0.0).await;
    let first = pending(&farm, "h264.mp4", "libx264").await;
    pending(&farm, "vp9.webm", "libx265").await;
    pending(&farm, "hevc.mkv", "hevc_nvenc").await;
    wanted(&cpu, 2.0).await;
    wanted(&trigger("worker-nvidia"), 1.0).await;
    wanted(&trigger("worker-intel"), 0.0).await;
    // The pod of a job has the job's name, and KEDA takes the pods that run from the number: what runs is in it.
    let (worker, ffmpeg) = held_worker(&farm, "worker-cpu-x7k2p-9xqzt").await;
    farm.encoding(&first.id, &worker).await;
    wanted(&cpu, 2.0).await;
    ffmpeg.release();
    wanted(&cpu, 1.0).await;
}
