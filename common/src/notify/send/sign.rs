//! The signature of a message, as Standard Webhooks has it: receivers check it with any library for that.

use base64::prelude::{BASE64_STANDARD, Engine};
use ring::hmac;

use crate::notify::hook::signing_key;
use crate::notify::secret::Secret;

/// The header `webhook-signature`: `v1,` and the Base64 of the HMAC-SHA256 of `ID.SECONDS.BODY`. `None` for a secret
/// that no hook can have.
pub(super) fn signature(secret: &Secret, id: &str, seconds: i64, body: &str) -> Option<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &signing_key(secret)?);
    let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
    Some(format!("v1,{}", BASE64_STANDARD.encode(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification of Standard Webhooks.
    #[test]
    fn the_signature_is_the_one_of_the_specification() {
        let secret = Secret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = r#"{"test": 2432232314}"#;
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(
            signed.as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }
}
