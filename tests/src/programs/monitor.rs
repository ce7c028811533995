//! The monitor, started as a person starts it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

pub use reqwest::Method;

use crate::farm::Farm;
use crate::process::Daemon;
use crate::{paths, poll, programs};

/// A running monitor.
pub struct TestMonitor {
    pub process: Daemon,
    url: String,
}

impl TestMonitor {
    /// Starts a monitor of the farm and waits until it is healthy.
    pub async fn start(farm: &Farm) -> Self {
        Self::start_on(farm, &farm.broker.url_for("monitor")).await
    }

    /// As `start`, with another address of the broker, e.g. that of another user.
    pub async fn start_on(farm: &Farm, nats: &str) -> Self {
        Self::start_with(farm, nats, &[]).await
    }

    /// The same with more options.
    pub async fn start_with(farm: &Farm, nats: &str, options: &[&str]) -> Self {
        Self::start_program(&paths::program("monitor"), farm, nats, options).await
    }

    /// The same with a program that may be of another build.
    pub async fn start_program(program: &Path, farm: &Farm, nats: &str, options: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        let mut command = programs::at_home(program, farm.folder());
        command
            .args(["--nats", nats, "--listen"])
            .arg(format!("127.0.0.1:{port}"))
            .args(options);
        let process = Daemon::start("monitor", command, &farm.folder().join("monitor.log"));
        let monitor = Self {
            process,
            url: format!("http://127.0.0.1:{port}"),
        };
        poll::until("the monitor to be healthy", async || {
            monitor.get("/healthz").await
        })
        .await;
        monitor
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The body of a successful answer; `None` if the answer is an error.
    pub async fn get(&self, path: &str) -> Option<String> {
        let (status, text) = self.ask(path, Duration::from_secs(5)).await?;
        (200..300).contains(&status).then_some(text)
    }

    /// The status and the body of a refused request.
    pub async fn refusal(&self, path: &str) -> (u16, String) {
        let answer = self.ask(path, poll::PATIENCE).await;
        answer.expect("an answer of the monitor's")
    }

    /// The status and the body of the answer to a DELETE request.
    pub async fn delete(&self, path: &str) -> (u16, String) {
        self.send(Method::DELETE, path, &serde_json::Value::Null)
            .await
    }

    /// The answer to a request with a JSON body: status and text.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: &serde_json::Value,
    ) -> (u16, String) {
        let request = reqwest::Client::new()
            .request(method, format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = request.timeout(poll::PATIENCE).send().await;
        let answer = answer.expect("an answer of the monitor's");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("words"))
    }

    async fn ask(&self, path: &str, patience: Duration) -> Option<(u16, String)> {
        let answer = reqwest::Client::new()
            .get(format!("{}{path}", self.url))
            .timeout(patience)
            .send()
            .await
            .ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }
}
