//! A browser.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, header};
use quadrille::Authentication;

use super::{
    answer::Answer,
    process::{Process, SignedIn},
};

/// A browser with cookies. It belongs to a user.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) jar: BTreeMap<String, String>,
    pub(crate) user: Option<Authentication>,
}

impl Browser {
    pub(crate) async fn get(&mut self, process: &Process, path: &str) -> Answer {
        self.send(process, Request::get(path).body(Bytes::new()).expect("a path")).await
    }

    pub(crate) async fn post(&mut self, process: &Process, path: &str, form: String) -> Answer {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form));
        self.send(process, request.expect("a path")).await
    }

    pub(crate) async fn send(&mut self, process: &Process, mut request: Request<Bytes>) -> Answer {
        let cookies: Vec<String> = self.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
        if !cookies.is_empty() {
            let cookies = cookies.join("; ").try_into().expect("cookies");
            request.headers_mut().insert(header::COOKIE, cookies);
        }
        request.extensions_mut().insert(SignedIn(self.user.clone()));
        let answer = process.send(request).await;
        for cookie in answer.response().headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("ASCII");
            let (pair, attributes) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            if attributes.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}
