//! Encrypted connections.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use harness::poll;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Program;

/// Makes a certificate for `localhost`, and writes it and its key.
fn certificate(certificate: &Path, key: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    std::fs::write(key, made.signing_key.serialize_pem()).expect("written");
    std::fs::write(certificate, made.cert.pem()).expect("written");
    made.cert.der().clone()
}

/// The answer to a request of somebody who trusts this certificate alone.
async fn ask(
    address: &str,
    trusted: &CertificateDer<'static>,
    request: &str,
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the usual ones")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_encrypts_and_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [file, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let first = certificate(&file, &key);
    let [file_text, key_text] = [&file, &key].map(|path| path.to_str().expect("plain"));
    let program = Program::start(&["--tls-cert", file_text, "--tls-key", key_text]).await;
    program.logged("the page is at https://").await;

    let body = r#"{"name":"anna","password":"steer the farm"}"#;
    let length = body.len();
    let login = format!(
        "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let answer = ask(&program.address, &first, &login)
        .await
        .expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("; Secure"), "{answer}");
    // Nothing is answered unencrypted.
    let mut plain = TcpStream::connect(&program.address)
        .await
        .expect("it listens");
    plain
        .write_all(b"GET /healthz HTTP/1.0\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), plain.read_to_end(&mut answer));
    assert!(ended.await.is_ok(), "it is left open");
    assert!(
        !answer.starts_with(b"HTTP"),
        "{}",
        String::from_utf8_lossy(&answer)
    );

    let healthy = "GET /healthz HTTP/1.0\r\n\r\n";
    let second = certificate(&file, &key);
    poll::until("the new certificate", async || {
        ask(&program.address, &second, healthy).await.ok()
    })
    .await;
    assert!(ask(&program.address, &first, healthy).await.is_err());
    // A broken file is said, and the certificate from before stays in use.
    std::fs::write(&file, "rubbish").expect("written");
    program.logged("cannot be used").await;
    let answer = ask(&program.address, &second, healthy)
        .await
        .expect("an answer");
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unencrypted_address_on_the_network_is_warned_of() {
    for (more, warns) in [
        ("", true),
        ("--plain-http", false),
        ("--proxy=10.0.0.1", false),
    ] {
        let listen = ["--listen", "0.0.0.0:0"];
        let options: Vec<&str> = listen
            .into_iter()
            .chain((!more.is_empty()).then_some(more))
            .collect();
        let program = Program::start(&options).await;
        let port = program.address.rsplit(':').next().expect("a port");
        let healthy = crate::client::get(&format!("127.0.0.1:{port}"), "/readyz", "").await;
        assert_eq!(healthy.status, 200);
        let log = program.daemon.log();
        assert_eq!(log.contains("unencrypted"), warns, "{more}: {log}");
    }
}
