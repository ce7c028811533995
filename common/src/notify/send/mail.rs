//! Sending a mail.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};

use super::quoted;
use crate::notify::delivery::Answer;
use crate::notify::message::Message;
use crate::notify::occurrence::Occurrence;
use crate::notify::target::{MailTarget, Security};

/// How long the server may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(9);

pub(super) async fn send(target: &MailTarget, of: &Occurrence) -> Answer {
    let mail = match compose(target, of) {
        Ok(mail) => mail,
        Err(error) => return Answer::Refused(error),
    };
    let transport = match transport(target) {
        Ok(transport) => transport,
        Err(error) => return Answer::Refused(error),
    };
    match transport.send(mail).await {
        Ok(answer) => {
            let words: Vec<&str> = answer.message().collect();
            let words = format!(
                "{} answered {}: {}",
                target.host,
                answer.code(),
                words.join(" ")
            );
            Answer::Taken(quoted(&words))
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let cause =
                cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
            let words = quoted(&format!("the mail server {}: {cause}", target.host));
            match error.is_permanent() || error.is_client() {
                true => Answer::Refused(words),
                false => Answer::Later {
                    error: words,
                    after: None,
                },
            }
        }
    }
}

fn compose(target: &MailTarget, of: &Occurrence) -> Result<Mail, String> {
    let Message { title, text, .. } = Message::of(of);
    let mailbox = |text: &String| {
        let address = text.parse::<Address>();
        address.map_err(|error| format!("'{text}' is no mail address: {error}"))
    };
    let mut mail = Mail::builder()
        .from(Mailbox::new(
            Some("ffmpeg-easy".to_owned()),
            mailbox(&target.from)?,
        ))
        .subject(title)
        // A server that gets the same message twice may know it by this.
        .message_id(Some(format!("<{}@ffmpeg-easy>", of.id)))
        .header(ContentType::TEXT_PLAIN);
    for to in &target.to {
        mail = mail.to(Mailbox::new(None, mailbox(to)?));
    }
    mail.body(format!("{text}\n"))
        .map_err(|error| error.to_string())
}

fn transport(target: &MailTarget) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let bare = target.host.trim_start_matches('[').trim_end_matches(']');
    let parameters = TlsParameters::new(bare.to_owned());
    let parameters = parameters.map_err(|error| format!("TLS cannot be set up: {error}"))?;
    let (tls, usual) = match target.security {
        Security::Tls => (Tls::Wrapper(parameters), 465),
        Security::StartTls if target.is_local() => (Tls::Opportunistic(parameters), 25),
        Security::StartTls => (Tls::Required(parameters), 587),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(bare)
        .hello_name(ClientId::Domain("ffmpeg-easy.invalid".to_owned()))
        .port(target.port.unwrap_or(usual))
        .tls(tls)
        .timeout(Some(TIMEOUT));
    if let Some((user, password)) = &target.login {
        let password = password.reveal().to_owned();
        builder = builder.credentials(Credentials::new(user.clone(), password));
    }
    Ok(builder.build())
}
