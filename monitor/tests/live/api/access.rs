//! The rights of readers, operators and strangers.

use monitor::access::{Role, people};
use serde_json::{Value, json};

use crate::Monitor;
use crate::client::{get, send};

/// A monitor with the passwords `look` and `steer`.
pub(crate) async fn locked() -> (Monitor, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let lines = [(Role::Reader, "look"), (Role::Operator, "steer")]
        .map(|(role, password)| people::password_line(role, None, password).expect("hashed"));
    std::fs::write(file.path(), lines.join("\n")).expect("written");
    let path = file.path().to_str().expect("plain").to_owned();
    (Monitor::start_with(&["--access", &path]).await, file)
}

/// Logs in; returns the header with the session.
async fn log_in(monitor: &Monitor, password: &str) -> String {
    let body = json!({ "password": password });
    let answer = send(&monitor.address, "POST", "/api/v1/session", "", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let cookie = answer
        .head
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .expect("a cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let (session, _) = cookie.split_once(';').expect("attributes");
    format!("Cookie: {session}\r\n")
}

/// Operations that are open to all: logging in and out, and the checks for tools that supervise the monitor.
const OPEN: [(&str, &str); 5] = [
    ("DELETE", "/api/v1/session"),
    ("GET", "/api/v1/session"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("POST", "/api/v1/session"),
];

/// Read requests that are too long for a GET. They change nothing, so readers may send them.
const QUESTIONS: [&str; 3] = ["/api/v1/forecast", "/api/v1/jobs/fit", "/api/v1/plan"];

/// An operation of the OpenAPI document.
struct Operation {
    method: String,
    /// With the names in it filled in.
    path: String,
    /// The role that it needs, as the document says.
    role: Value,
}

/// Every operation: first those that the document declares open to all, then the others.
async fn operations(monitor: &Monitor) -> [Vec<Operation>; 2] {
    let document = get(&monitor.address, "/api/v1/openapi.json", "").await;
    let document: Value = document.json();
    let mut found = [Vec::new(), Vec::new()];
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let path = path
            .replace("{job}", "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab")
            .replace("{batch}", "01890a5d-ac96-774b-bcce-b302099a8057")
            .replace("{target}", "queue.libx265")
            .replace("{preset}", "small-av1")
            .replace("{hook}", "ours")
            .replace("{library}", "films")
            .replace("{worker}", "atelier");
        assert!(
            !path.contains('{'),
            "{path} has a name that this test does not know"
        );
        for (method, operation) in methods.as_object().expect("methods") {
            let is_open = operation["security"] == json!([{}]);
            found[usize::from(!is_open)].push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                role: operation["x-role"].clone(),
            });
        }
    }
    found[0].sort_by(|a, b| (&a.method, &a.path).cmp(&(&b.method, &b.path)));
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_requires_a_password_and_every_change_an_operator() {
    let (monitor, _file) = locked().await;
    let reader = log_in(&monitor, "look").await;
    let operator = log_in(&monitor, "steer").await;
    let [open, guarded] = operations(&monitor).await;
    let open: Vec<(&str, &str)> = open
        .iter()
        .map(|operation| (operation.method.as_str(), operation.path.as_str()))
        .collect();
    assert_eq!(open, OPEN);
    let mut changes = 0;
    for Operation { method, path, role } in &guarded {
        let nobody = send(&monitor.address, method, path, "", &json!({})).await;
        assert_eq!(nobody.status, 401, "{method} {path}: {}", nobody.body);
        let forged = "Cookie: farm_session=0123456789abcdef\r\n";
        let forged = send(&monitor.address, method, path, forged, &json!({})).await;
        assert_eq!(forged.status, 401, "{method} {path}: {}", forged.body);
        if method != "GET" {
            changes += 1;
            let reading = send(&monitor.address, method, path, &reader, &json!({})).await;
            let is_refused = reading.status == 403;
            assert_eq!(is_refused, role == "operator", "{method} {path}: {role}");
            let is_question = QUESTIONS.contains(&path.as_str());
            assert_eq!(
                is_refused, !is_question,
                "{method} {path}: {}",
                reading.body
            );
            let elsewhere = format!("{operator}Sec-Fetch-Site: cross-site\r\n");
            let foreign = send(&monitor.address, method, path, &elsewhere, &json!({})).await;
            assert_eq!(foreign.status, 403, "{method} {path}: {}", foreign.body);
            // An operator's request succeeds, or is refused for its empty body.
            let steering = send(&monitor.address, method, path, &operator, &json!({})).await;
            // The route is there, but the farm keeps no such library.
            let no_library =
                steering.status == 404 && steering.body.contains("there is no library");
            assert!(
                no_library || !matches!(steering.status, 401 | 403 | 404 | 405),
                "{method} {path}: {}",
                steering.body
            );
        }
    }
    assert!(changes >= 6, "{changes}");
    let role = |path: &str| {
        let operation = guarded.iter().find(|operation| operation.path == path);
        operation.map(|operation| operation.role.clone())
    };
    assert_eq!(role("/metrics"), Some(json!("reader")));
    assert_eq!(role("/api/v1/activity"), Some(json!("operator")));
    let activity = get(&monitor.address, "/api/v1/activity", &reader).await;
    assert_eq!(activity.status, 403, "{}", activity.body);
    for open in ["/", "/healthz", "/readyz", "/api/v1/openapi.json"] {
        assert_eq!(get(&monitor.address, open, "").await.status, 200, "{open}");
    }
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_a_session_until_it_is_ended() {
    let (monitor, _file) = locked().await;
    let address = &monitor.address;
    let wrong = json!({ "password": "guess" });
    let wrong = send(address, "POST", "/api/v1/session", "", &wrong).await;
    assert_eq!(wrong.status, 401);
    assert!(!wrong.head.contains("set-cookie"), "{}", wrong.head);
    let standing = get(address, "/api/v1/session", "").await.json();
    let expected = json!({ "role": null, "name": null, "locked": true, "asks_names": false });
    assert_eq!(standing, expected);

    let reader = log_in(&monitor, "look").await;
    let standing = get(address, "/api/v1/session", &reader).await.json();
    assert_eq!(standing["role"], "reader");
    assert_eq!(get(address, "/api/v1/state", &reader).await.status, 200);
    let ended = send(address, "DELETE", "/api/v1/session", &reader, &json!({})).await;
    assert_eq!(ended.status, 204);
    assert_eq!(get(address, "/api/v1/state", &reader).await.status, 401);

    // Programs send the password with every request.
    let bearer = "Authorization: Bearer look\r\n";
    let metrics = get(address, "/metrics", bearer).await;
    assert_eq!(metrics.status, 200);
    assert!(
        metrics.body.contains("ffmpeg_easy_broker_up 1\n"),
        "{}",
        metrics.body
    );
    let wrong = "Authorization: Bearer guess\r\n";
    assert_eq!(get(address, "/metrics", wrong).await.status, 401);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_others_reach_nothing() {
    let monitor = Monitor::start_with(&["--host", "farm.example"]).await;
    let address = &monitor.address;
    // A name of somebody's own that resolves to this machine.
    for host in ["evil.example", "evil.example:80", "localhost.evil.example"] {
        let answer = get(address, "/api/v1/state", &format!("Host: {host}\r\n")).await;
        assert_eq!(answer.status, 421, "{host}");
    }
    for host in ["farm.example", "localhost:8080", address.as_str()] {
        let answer = get(address, "/api/v1/state", &format!("Host: {host}\r\n")).await;
        assert_eq!(answer.status, 200, "{host}");
    }
    let order = json!({ "paused": true });
    for foreign in [
        "Host: localhost\r\nOrigin: http://evil.example\r\n",
        "Host: localhost\r\nOrigin: null\r\n",
        "Host: localhost\r\nSec-Fetch-Site: same-site\r\n",
    ] {
        let path = "/api/v1/pauses/queue.libx265";
        let answer = send(address, "PUT", path, foreign, &order).await;
        assert_eq!(answer.status, 403, "{foreign}");
    }
    let controls = get(address, "/api/v1/controls", "").await.json();
    assert_eq!(controls, json!([]));
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_required_beyond_loopback() {
    let server = crate::server::Server::start();
    let mut monitor = tokio::process::Command::new(env!("CARGO_BIN_EXE_monitor"))
        .args(["--listen", "0.0.0.0:0", "--nats", &server.url()])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it runs");
    let stderr = monitor.stderr.take().expect("piped");
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(stderr));
    let (mut password, mut port) = (None, None);
    while password.is_none() || port.is_none() {
        let line = tokio::time::timeout(std::time::Duration::from_secs(20), lines.next_line());
        let line = line.await.expect("in time").expect("text").expect("a line");
        let last = line.rsplit(' ').next().unwrap_or_default().to_owned();
        if line.contains("its password is") {
            password = Some(last);
        } else if let Some((_, end)) = line.rsplit_once("http://0.0.0.0:") {
            port = Some(end.to_owned());
        }
    }
    let address = format!("127.0.0.1:{}", port.expect("found"));
    assert_eq!(get(&address, "/api/v1/state", "").await.status, 401);
    let bearer = format!("Authorization: Bearer {}\r\n", password.expect("found"));
    assert_eq!(get(&address, "/api/v1/state", &bearer).await.status, 200);
}
