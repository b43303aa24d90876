//! A tape as a server on this machine.

use std::{future::IntoFuture as _, io, net::Ipv4Addr};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use crate::{
    testing::{scene::json_answer, server::is_visit},
    transport::Purpose,
};

use super::{LONGEST, Tape, error::TapeError, exchange::Exchange, place::Place};

/// A tape with the URL at which it is played.
#[derive(Clone)]
struct Played {
    tape: Tape,
    base: String,
}

impl Tape {
    /// Plays the tape on this port of `127.0.0.1`, or on a free one for `0`, until the runtime ends: for
    /// an application in any language. Returns the URL of the server. Each URL on the tape keeps its path
    /// below that, also in responses, such as the endpoints and the issuer in metadata. At the
    /// authorization endpoint a browser is redirected back at once, with a code.
    ///
    /// A request that the tape lacks is answered with 404 and the [`TapeError`], which is in the log, too.
    /// None goes to the network, whatever the [mode](super::TapeMode).
    ///
    /// ```
    /// use quadrille::testing::tape;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let tape = tape!("github_user");
    /// let url = tape.listen(0).await?; // GET {url}/user
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of the socket, such as a port in use.
    pub async fn listen(&self, port: u16) -> io::Result<String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let base = format!("http://{}", listener.local_addr()?);
        let played = Played { tape: self.clone(), base: base.clone() };
        let app = Router::new().fallback(serve).with_state(played);
        tokio::spawn(axum::serve(listener, app).into_future());
        Ok(base)
    }
}

async fn serve(State(played): State<Played>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if parts.method == Method::GET && is_visit(&parts) {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        if let Some(back) = played.approved(path) {
            return back.map(Body::from);
        }
    }
    let answer = match to_bytes(body, LONGEST).await {
        Ok(body) => played.answer(&Request::from_parts(parts, body)),
        Err(_) => with_status(StatusCode::PAYLOAD_TOO_LARGE),
    };
    answer.map(Body::from)
}

impl Played {
    /// The redirect of a browser that has brought an authorization request.
    fn approved(&self, path: &str) -> Option<Response<Bytes>> {
        let places = self.places();
        let at = |place: &Place| self.tape.callback(&[&*place.origin, path].concat());
        // The origin whose metadata are on the tape names itself in the callback.
        let mut callbacks: Vec<_> =
            places.iter().filter_map(|place| Some((place, at(place)?))).collect();
        callbacks.sort_by_key(|(_, callback)| !callback.contains("&iss="));
        let callback = match callbacks.into_iter().next() {
            Some((place, callback)) => place.in_query(&callback),
            None => self.tape.callback(&[&*self.base, path].concat())?,
        };
        let mut answer = with_status(StatusCode::SEE_OTHER);
        answer.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&callback).ok()?);
        Some(answer)
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let mut told = None;
        for (place, purpose) in self.candidates(request) {
            match self.tape.play(&place.of(request), purpose, &|text| place.text(text)) {
                Ok(response) => return response,
                Err(error) => drop(told.get_or_insert(error)),
            }
        }
        let lacks = || {
            let request = format!("{} {}", request.method(), request.uri().path());
            TapeError::Lacks { path: self.tape.0.path.clone(), request, nearest: None }
        };
        let error = told.unwrap_or_else(lacks);
        tracing::warn!("{error}");
        let mut answer = json_answer(&json!({
            "error": "not_on_the_tape",
            "error_description": error.to_string(),
        }));
        *answer.status_mut() = StatusCode::NOT_FOUND;
        answer
    }

    /// The origins and the purposes that a request may have on the tape, those with its path first.
    fn candidates(&self, request: &Request<Bytes>) -> Vec<(Place, Purpose)> {
        let state = self.tape.state();
        let mut all = Vec::<(bool, Place, Purpose)>::new();
        for Exchange { request: sent, purpose, .. } in &state.exchanges {
            let Some(place) = Place::of_url(&sent.url, &self.base) else { continue };
            let is_path = Url::parse(&sent.url).is_ok_and(|url| url.path() == request.uri().path());
            if !all.iter().any(|(_, known, of)| *known == place && *of == purpose.0) {
                all.push((!is_path, place, purpose.0));
            } else if is_path
                && let Some(known) =
                    all.iter_mut().find(|(_, known, of)| *known == place && *of == purpose.0)
            {
                known.0 = false;
            }
        }
        all.sort_by_key(|(is_other, ..)| *is_other);
        all.into_iter().map(|(_, place, purpose)| (place, purpose)).collect()
    }

    /// The origins on the tape.
    fn places(&self) -> Vec<Place> {
        let state = self.tape.state();
        let mut all = Vec::new();
        for Exchange { request, .. } in &state.exchanges {
            let place = Place::of_url(&request.url, &self.base);
            all.extend(place.filter(|place| !all.contains(place)));
        }
        all
    }
}

fn with_status(status: StatusCode) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}
