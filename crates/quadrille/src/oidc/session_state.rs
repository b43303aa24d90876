//! The session state (OpenID Connect Session Management, section 3.2).

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};

/// The session state of an authorization response (`session_state`, OpenID Connect Session Management,
/// section 2): the state of a browser at the provider, as one client knows it. It is a salted hash of
/// the `client_id`, of the origin of the redirect URI (RFC 6454, section 6.1) and of the state of the
/// browser, followed by the salt. The frame of the provider computes it again; for the client it is
/// opaque.
///
/// ```
/// use quadrille::oidc::session_state;
///
/// let state = session_state("s6BhdRkqt3", "https://app.example", "mqEobQ", &[7; 16]);
/// assert!(state.ends_with(".07070707070707070707070707070707"));
/// assert_ne!(session_state("other", "https://app.example", "mqEobQ", &[7; 16]), state);
/// ```
pub fn session_state(
    client_id: &str,
    origin: &str,
    browser_state: &str,
    salt: &[u8; 16],
) -> String {
    let salt = hex(salt);
    let hashed = [client_id, origin, browser_state, &salt].join(" ");
    format!("{}.{salt}", hex(digest(&SHA256, hashed.as_bytes()).as_ref()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_the_hash_that_other_programs_compute() {
        // printf %s 's6BhdRkqt3 https://app.example mqEobQ 000102030405060708090a0b0c0d0e0f' | sha256sum
        let salt = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(
            session_state("s6BhdRkqt3", "https://app.example", "mqEobQ", &salt),
            "c1ccbc973bea0b586d826fcae855f7093921d8394cffcf68be3bca33b8afef6c\
             .000102030405060708090a0b0c0d0e0f"
        );
    }

    #[test]
    fn another_client_origin_browser_state_or_salt_has_another_state() {
        let state = session_state("app", "https://app.example", "a", &[0; 16]);
        for other in [
            session_state("web", "https://app.example", "a", &[0; 16]),
            session_state("app", "https://app.example:444", "a", &[0; 16]),
            session_state("app", "https://app.example", "b", &[0; 16]),
            session_state("app", "https://app.example", "a", &[1; 16]),
        ] {
            assert_ne!(other, state);
            assert!(!other.contains(' '));
        }
    }
}
