//! The signatures of the clients in a sequence, and their faults.

use bytes::Bytes;
use http::{Request, Uri, header};
use quadrille::{
    Env, Secret, Timestamp,
    env::Source,
    oauth1::{Credentials, Placement, SignatureMethod, Signer},
};

use crate::world::{Answer, CLIENTS, ISSUER, Is, pick};

use super::{
    Play, WINDOW,
    acts::{Ahead, Fault, Signed},
};

const METHODS: [SignatureMethod; 4] = [
    SignatureMethod::HmacSha256,
    SignatureMethod::HmacSha1,
    SignatureMethod::HmacSha512,
    // The server does not offer this method.
    SignatureMethod::Plaintext,
];

const FORM: &str = "application/x-www-form-urlencoded";

/// A client's own clock.
struct Clock(Timestamp, Env);

impl Source for Clock {
    fn now(&self) -> Timestamp {
        self.0
    }
    fn fill(&self, bytes: &mut [u8]) {
        self.1.fill(bytes);
    }
}

impl Play {
    /// Sends a signed request. Returns whether its signature and parameters are correct.
    #[expect(clippy::too_many_arguments, reason = "all that is signed")]
    pub(super) async fn send(
        &mut self,
        client: usize,
        token: Option<&Credentials>,
        method: &str,
        path: &str,
        form: Option<String>,
        further: &[(&str, &str)],
        signed: Signed,
    ) -> (Answer, Is) {
        let mut is_right = Is::right(CLIENTS[client].oauth1.is_some())
            .and(Is::right(self.known.clients[client].lives));
        // Mostly the first method.
        let kind = if signed.method < 128 { 0 } else { pick(&METHODS, signed.method) };
        let kind = METHODS[kind];
        is_right = is_right.and(Is::right(kind != SignatureMethod::Plaintext));
        let by = match signed.fault {
            // Without a token, the changed request would be another correct one.
            Fault::OtherClient(number) if token.is_some() && pick(&CLIENTS, number) != client => {
                is_right = Is::Wrong;
                pick(&CLIENTS, number)
            }
            _ => client,
        };
        let mut wrong = |is_wrong: bool| {
            if is_wrong {
                is_right = Is::Wrong;
            }
        };
        let secret = match signed.fault {
            Fault::ClientSecret => "wrong",
            _ => CLIENTS[by].oauth1.unwrap_or("none"),
        };
        wrong(matches!(signed.fault, Fault::ClientSecret));
        let mut signer = Signer::hmac(kind, CLIENTS[by].id, &Secret::from(secret)).expect("a key");
        if let Some(token) = token {
            let is_wrong = matches!(signed.fault, Fault::TokenSecret);
            wrong(is_wrong);
            let other = Secret::from("wrong");
            signer = signer.token(&token.token, if is_wrong { &other } else { &token.secret });
        }
        let placement = match signed.placement {
            128.. if signed.placement.is_multiple_of(2) => Placement::Query,
            128.. if method == "POST" => Placement::Body,
            _ => Placement::Header,
        };
        let mut request = Request::builder().method(method).uri(format!("{ISSUER}{path}"));
        if form.is_some() {
            request = request.header(header::CONTENT_TYPE, FORM);
        }
        let request = request.body(Bytes::from(form.unwrap_or_default())).expect("a request");
        let (now, ahead) = (self.nature.now(), self.ahead(signed.ahead));
        let clock = Env::from_source(Clock(ahead, self.nature.env()));
        let request = signer.placement(placement).sign(&clock, request, further).expect("signed");
        let apart = now.since(ahead).max(ahead.since(now));
        // The comparison is in seconds.
        wrong(apart.as_secs() > WINDOW.as_secs() + 1);
        if apart.as_secs() >= WINDOW.as_secs() || ahead < self.began() {
            is_right = is_right.and(Is::Open);
        }
        let (request, is_same) = changed(request, signed.fault);
        is_right = is_right.and(is_same);
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().expect("a path").as_str();
        parts.uri = path.parse().expect("a path");
        parts.headers.insert(header::HOST, "id.example".parse().expect("a host"));
        let request = Request::from_parts(parts, body);
        let answer = self.process.send(request.clone()).await;
        // A rejected request may become valid later, by the clock or a new client.
        if answer.status == 200 {
            self.taken.push(request);
        }
        (answer, is_right)
    }

    fn ahead(&self, ahead: Ahead) -> Timestamp {
        let now = self.nature.now();
        match ahead {
            Ahead::Right | Ahead::RightAgain => now,
            Ahead::Seconds(seconds) => {
                Timestamp::from_seconds(now.seconds() + i64::from(seconds % 400))
            }
        }
    }

    /// Whether an earlier request may be rejected: the process may not have seen it, or may have
    /// forgotten it.
    fn began(&self) -> Timestamp {
        self.started.max(self.nature.latest() - WINDOW)
    }
}

/// Changes a request on its way. Returns whether it still has the same meaning.
fn changed(mut request: Request<Bytes>, fault: Fault) -> (Request<Bytes>, Is) {
    match fault {
        Fault::Path => {
            let path = request.uri().to_string().replacen("/here/any", "/here/write", 1);
            let is_other = path != request.uri().to_string();
            *request.uri_mut() = path.parse().expect("a URL");
            (request, Is::right(!is_other))
        }
        Fault::Query => {
            let url = request.uri().to_string();
            let mark = if url.contains('?') { '&' } else { '?' };
            *request.uri_mut() = format!("{url}{mark}y").parse::<Uri>().expect("a URL");
            (request, Is::Wrong)
        }
        Fault::Body => {
            let is_form = request.headers().contains_key(header::CONTENT_TYPE);
            if is_form {
                let body = [request.body(), &b"&to=mallory"[..]].concat();
                *request.body_mut() = body.into();
            }
            (request, Is::right(!is_form))
        }
        Fault::Method => {
            let other = if request.method() == "GET" { "POST" } else { "GET" };
            *request.method_mut() = other.parse().expect("a method");
            (request, Is::Wrong)
        }
        Fault::Signature(at) => {
            let Some(value) = request.headers().get(header::AUTHORIZATION) else {
                return (request, Is::Right);
            };
            let text = value.to_str().expect("ASCII").to_owned();
            let start = text.find("oauth_signature=\"").expect("a signature") + 17;
            let mut bytes = text.clone().into_bytes();
            let end = start + text[start..].find('"').expect("its end");
            let at = start + usize::from(at) % (end - start);
            // A digit of a percent-encoding is left alone.
            if !bytes[at].is_ascii_lowercase() {
                return (request, Is::Right);
            }
            bytes[at] = if bytes[at] == b'z' { b'y' } else { bytes[at] + 1 };
            let is_last = end - at < 5;
            let text = String::from_utf8(bytes).expect("ASCII");
            request.headers_mut().insert(header::AUTHORIZATION, text.parse().expect("a header"));
            // The last character of base64 has bits without a meaning.
            (request, if is_last { Is::Open } else { Is::Wrong })
        }
        _ => (request, Is::Right),
    }
}
