//! `compose.yaml`: Compose reads it, every service is locked down, and no secret stands in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use harness::paths;

/// The services as Compose understands the file, each as its lines without indentation; nothing where there is no Compose.
fn services() -> Option<BTreeMap<String, Vec<String>>> {
    let programs: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
    let found = programs.iter().find(|words| {
        let ran = Command::new(words[0])
            .args(&words[1..])
            .arg("version")
            .output();
        ran.is_ok_and(|ran| ran.status.success())
    })?;
    let ran = Command::new(found[0])
        .args(&found[1..])
        .args(["--file", "compose.yaml", "--profile", "nvidia"])
        .args(["--profile", "intel", "--profile", "tools", "config"])
        .current_dir(paths::repository())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");

    let mut services: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut inside = false;
    let mut service = String::new();
    for line in String::from_utf8(ran.stdout).unwrap().lines() {
        let depth = line.len() - line.trim_start().len();
        let text = line.trim_start();
        match depth {
            0 => inside = text == "services:",
            2 if inside && text.ends_with(':') => {
                text.trim_end_matches(':').clone_into(&mut service)
            }
            _ if inside => services
                .entry(service.clone())
                .or_default()
                .push(text.to_owned()),
            _ => {}
        }
    }
    Some(services)
}

#[test]
fn every_service_is_locked_down_and_told_no_secret() {
    let Some(services) = services() else {
        return eprintln!("skipped: there is no Compose on this machine");
    };
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "autoscaler",
            "keys",
            "monitor",
            "nats",
            "producer",
            "setup",
            "store",
            "worker",
            "worker-intel",
            "worker-nvidia"
        ]
    );
    for (name, lines) in &services {
        let has = |wanted: &str| lines.iter().any(|line| line == wanted);
        for wanted in [
            "read_only: true",
            "user: 10001:10001",
            "- no-new-privileges:true",
            "- ALL",
        ] {
            assert!(has(wanted), "{name}: {wanted}");
        }
        let forbidden = [
            "SECRET",
            "PASSWORD",
            "NKEY",
            "docker.sock",
            "privileged: true",
        ];
        for line in lines {
            assert!(
                !forbidden.iter().any(|word| line.contains(word)),
                "{name}: {line}"
            );
        }
        let publishes = has("ports:");
        assert!(
            !publishes || lines.iter().any(|line| line.contains("127.0.0.1")),
            "{name} is published to this machine alone"
        );
    }
    // Each service has the farm file of its own role, and nobody changes one.
    for (name, volume) in [
        ("worker", "worker:/farm:ro"),
        ("monitor", "monitor:/farm:ro"),
        ("producer", "producer:/farm:ro"),
    ] {
        let text = services[name].join("\n");
        let (source, target) = volume.split_once(':').unwrap();
        let target = target.trim_end_matches(":ro");
        assert!(
            text.contains(&format!("- {volume}"))
                || (text.contains(&format!("source: {source}"))
                    && text.contains(&format!("target: {target}"))),
            "{name}: {text}"
        );
    }
}

#[test]
fn the_images_that_compose_builds_are_targets_of_the_dockerfile() {
    let compose = fs::read_to_string(paths::repository().join("compose.yaml")).unwrap();
    let dockerfile = fs::read_to_string(paths::repository().join("Dockerfile")).unwrap();
    let targets: Vec<&str> = compose
        .lines()
        .filter_map(|line| line.split_once("target: ")?.1.strip_suffix(" }"))
        .collect();
    assert_eq!(targets.len(), 8, "{targets:?}");
    for target in targets {
        let stage = format!(" AS {target}\n");
        assert_eq!(dockerfile.matches(&stage).count(), 1, "{target}");
    }
}

#[test]
fn scripts_of_the_images_are_shell() {
    for script in ["setup", "worker-pool"] {
        let path = paths::repository().join("deploy/containers").join(script);
        let ran = Command::new("sh").arg("-n").arg(&path).output().unwrap();
        assert!(ran.status.success(), "{script}: {ran:?}");
    }
}

/// The script with its folders below another one, as this machine has none of the container's.
fn keys_below(folder: &Path) -> Output {
    let script = paths::repository().join("deploy/containers/setup");
    let mut script = fs::read_to_string(script).unwrap();
    for name in VOLUMES {
        fs::create_dir_all(folder.join(name)).unwrap();
        let below = format!("{}/{name}/", folder.display());
        script = script.replace(&format!("/{name}/"), &below);
    }
    script = script.replace("/var/lib/nats", &folder.join("jobs").display().to_string());
    fs::create_dir_all(folder.join("farm/broker")).unwrap();
    let programs = paths::program("producer");
    let programs = programs.parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap();
    Command::new("sh")
        .args(["-c", &script, "setup", "keys"])
        .env("PATH", format!("{programs}:{path}"))
        .env("HOME", folder)
        .env("FARM", folder.join("farm/farm.toml"))
        .env_remove("NATS_URL")
        .env_remove("STORE_URL")
        .output()
        .unwrap()
}

/// The volumes of the services that have something to know.
const VOLUMES: [&str; 5] = ["farm", "worker", "monitor", "producer", "store"];

#[test]
fn each_service_gets_its_own_keys_once() {
    let folder = paths::test_folder();
    let ran = keys_below(folder.path());
    assert!(ran.status.success(), "{ran:?}");
    let file = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let kept = ["worker", "monitor", "producer"].map(|name| file(&format!("{name}/farm.toml")));
    let holds = |text: &str| {
        let table: toml::Table = text.parse().unwrap();
        let sections = [
            ("worker", "worker"),
            ("monitor", "monitor"),
            ("broker", "producer"),
        ];
        let has = |section: &str| {
            table
                .get(section)
                .is_some_and(|of| of.get("nkey").is_some())
        };
        let keys = sections.iter().filter(|(section, _)| has(section));
        keys.map(|(_, program)| *program).collect::<Vec<_>>()
    };
    for (name, text) in ["worker", "monitor", "producer"].iter().zip(&kept) {
        assert_eq!(holds(text), [*name], "{text}");
        assert!(text.contains("tls://nats:4222"), "{text}");
    }
    assert!(file("monitor/access").starts_with("operator "));
    let again = keys_below(folder.path());
    assert!(again.status.success(), "{again:?}");
    assert_eq!(file("worker/farm.toml"), kept[0]);
}
