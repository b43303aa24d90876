//! Sequences of OAuth 1.0a requests, against a model.
//!
//! The invariants for any input: temporary credentials are approved and exchanged once; no request
//! is accepted twice, or with a wrong signature; nothing is valid after its revocation; no redirect
//! goes to an address that the client did not register; the server never fails. And a correct
//! request is accepted.

mod acts;
mod signing;

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::Request;
use quadrille::{
    Authentication, Scopes, Timestamp,
    form::FormWriter,
    oauth1::Credentials,
    provider::{oauth1::OAuth1, store::MemoryStore},
};

use crate::{
    block_on,
    nature::Nature,
    world::{
        Browser, CLIENTS, Consent, Is, Known, Process, SCOPES, URIS, USERS, may_redirect, pick,
        recent,
    },
};

use acts::{Act, Callback, Signed, Verifier};

const LONGEST: usize = 60;

/// The lifetime of temporary credentials, and the greatest distance of a timestamp.
const TEMPORARY: Duration = Duration::from_secs(30 * 60);
const TICKET: Duration = Duration::from_secs(15 * 60);
const WINDOW: Duration = Duration::from_secs(300);

const OUT_OF_BAND: &str = "oob";

/// The target `oauth1_sequences`.
pub fn oauth1_sequences(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let nature = Nature::new(2);
    block_on(async {
        let Ok(shares_nonces) = bool::arbitrary(&mut input) else { return };
        let mut play = Play::begin(nature, shares_nonces).await;
        for act in crate::acts(&mut input, LONGEST) {
            play.act(act).await;
        }
    });
}

struct Temporary {
    client: usize,
    number: u32,
    credentials: Credentials,
    callback: String,
    scopes: Scopes,
    expires: Timestamp,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Pending,
    Approved { verifier: String, grant: usize },
    Redeemed { verifier: String, grant: usize },
    Denied,
}

struct Page {
    temporary: usize,
    browser: usize,
    user: String,
    ticket: String,
    expires: Timestamp,
}

struct Token {
    credentials: Credentials,
    grant: usize,
}

struct Play {
    nature: Nature,
    started: Timestamp,
    process: Process,
    browsers: [Browser; 2],
    known: Known,
    temporaries: Vec<Temporary>,
    pages: Vec<Page>,
    tokens: Vec<Token>,
    /// Accepted requests.
    taken: Vec<Request<Bytes>>,
}

impl Play {
    async fn begin(nature: Nature, shares_nonces: bool) -> Self {
        let offered = OAuth1::new().allow_hmac_sha1_as_most_clients_sign();
        let offered = match shares_nonces {
            true => offered.remember_nonces_in_the_store(),
            false => offered,
        };
        let store = MemoryStore::new(nature.env());
        let process = Process::start(store, &nature, |server| server.oauth1(offered));
        let mut known = Known::new(nature.clone());
        for client in 0..CLIENTS.len() {
            known.register(&process.server, client).await;
        }
        let browser = |user| Browser {
            user: Some(Authentication::new(user, nature.now())),
            ..Browser::default()
        };
        Self {
            browsers: [browser(USERS[0]), browser(USERS[1])],
            process,
            known,
            temporaries: Vec::new(),
            pages: Vec::new(),
            tokens: Vec::new(),
            taken: Vec::new(),
            started: nature.now(),
            nature,
        }
    }

    async fn act(&mut self, act: Act) {
        match act {
            Act::Dance { client, browser, scopes, signed } => {
                self.begin_with(client.into(), Callback::Own(0), scopes, signed).await;
                self.authorize(0, browser).await;
                self.answer(0, browser, Consent::All).await;
                self.exchange(0, Verifier::Right, signed).await;
            }
            Act::Begin { client, callback, scopes, signed } => {
                self.begin_with(client, callback, scopes, signed).await;
            }
            Act::Authorize { temporary, browser } => self.authorize(temporary, browser).await,
            Act::Answer { page, browser, consent } => self.answer(page, browser, consent).await,
            Act::Exchange { temporary, verifier, signed } => {
                self.exchange(temporary, verifier, signed).await;
            }
            Act::Call { token, path, signed } => self.call(token, path, signed).await,
            Act::Revoke { token, signed } => self.revoke(token, signed).await,
            Act::Again { request } => self.send_again(request).await,
            Act::SignIn { browser, user } => {
                let user = Authentication::new(USERS[pick(&USERS, user)], self.nature.now());
                self.browsers[usize::from(browser)].user = Some(user);
            }
            Act::Wait(wait) => wait.pass(&self.nature),
            Act::Operator(act) => self.known.operate(&self.process.server, act).await,
        }
    }

    /// A request for temporary credentials.
    async fn begin_with(&mut self, client: u8, callback: Callback, scope: u8, signed: Signed) {
        let client = pick(&CLIENTS, client);
        let registration = &CLIENTS[client];
        let callback = match callback {
            Callback::OutOfBand => OUT_OF_BAND.to_owned(),
            Callback::Own(number) => match recent(registration.redirect_uris, number) {
                Some(at) => registration.redirect_uris[at].to_owned(),
                None => OUT_OF_BAND.to_owned(),
            },
            Callback::Any(number) => URIS[pick(&URIS, number)].to_owned(),
        };
        let asked = [None, None, Some(SCOPES[0]), Some(SCOPES[1]), Some(SCOPES[3])];
        let asked = asked[pick(&asked, scope)];
        let mut form = FormWriter::new();
        form.append_some("scope", asked);
        let further = [("oauth_callback", &*callback)];
        let path = "/oauth/request_token";
        let (answer, is_signed) =
            self.send(client, None, "POST", path, Some(form.finish()), &further, signed).await;

        let scopes = asked.map_or(registration.scopes(), |asked| Scopes::of([asked]));
        let may_be = callback == OUT_OF_BAND || may_redirect(registration, &callback);
        let is_right = is_signed
            .and(Is::right(may_be))
            .and(Is::right(registration.scopes().is_superset(&scopes)));
        is_right.check(answer.status == 200, &(registration.id, &callback, asked));
        if answer.status == 200 {
            let credentials = Credentials::parse(answer.response()).expect("credentials");
            self.temporaries.push(Temporary {
                client,
                number: self.known.clients[client].number,
                credentials,
                callback,
                scopes,
                expires: self.nature.now() + TEMPORARY,
                state: State::Pending,
            });
        }
    }

    /// Whether temporary credentials may still be answered, or exchanged.
    fn is_open(&self, temporary: &Temporary) -> Is {
        self.known
            .is_client(temporary.client, temporary.number)
            .and(self.known.is_current(temporary.expires, TEMPORARY))
    }

    async fn authorize(&mut self, temporary: u8, browser: bool) {
        let Some(at) = recent(&self.temporaries, temporary) else { return };
        let mut query = FormWriter::after_url("/oauth/authorize");
        query.append("oauth_token", &self.temporaries[at].credentials.token);
        let browser = usize::from(browser);
        let answer = self.browsers[browser].get(&self.process, &query.finish()).await;
        let temporary = &self.temporaries[at];
        if self.is_of_a_removed_user(browser, &answer) {
            return;
        }
        let user = self.browsers[browser].user.as_ref().expect("a user").subject.to_string();
        let may_ask = match temporary.state {
            State::Pending => Is::Right,
            // The user who approved, and the scopes.
            State::Approved { .. } => Is::Open,
            _ => Is::Wrong,
        };
        let mut may_ask = self.is_open(temporary).and(may_ask);
        if self.known.may_grant(&user) != Is::Right && may_ask == Is::Right {
            may_ask = Is::Open;
        }
        if answer.status >= 400 {
            may_ask.check(false, &temporary.state);
        } else if let Some(ticket) = answer.lines("field=ticket=").next() {
            may_ask.check(true, &temporary.state);
            self.pages.push(Page {
                temporary: at,
                browser,
                user,
                ticket: ticket.to_owned(),
                expires: temporary.expires.min(self.nature.now() + TICKET),
            });
        } else {
            may_ask.check(true, &temporary.state);
            let (client, scopes) = (temporary.client, &temporary.scopes);
            let is_remembered = self.known.is_remembered(&user, client, false, scopes);
            assert!(is_remembered, "nobody said yes");
            assert_ne!(temporary.callback, OUT_OF_BAND, "it may be carried to anybody");
            let scopes = temporary.scopes.clone();
            self.approved(at, &answer, &user, scopes);
        }
    }

    /// Whether an answer is, or may be, a refusal because the user was removed after the sign-in.
    fn is_of_a_removed_user(&self, browser: usize, answer: &crate::world::Answer) -> bool {
        let user = self.browsers[browser].user.as_ref().expect("a user");
        let counts = self.known.counts(user);
        let is_shown = answer.lines("field=ticket=").next().is_some();
        let is_approved = answer.lines("verifier=").next().is_some()
            || answer.location().is_some_and(|location| location.contains("oauth_verifier="));
        assert!(counts != Is::Wrong || !(is_shown || is_approved), "a user who was removed");
        counts != Is::Right && !is_shown && !is_approved
    }

    /// Checks an answer that approves temporary credentials.
    fn approved(&mut self, at: usize, answer: &crate::world::Answer, user: &str, scopes: Scopes) {
        let temporary = &self.temporaries[at];
        let verifier = match &*temporary.callback {
            OUT_OF_BAND => {
                assert!(answer.location().is_none());
                answer.lines("verifier=").next().expect("a verifier").to_owned()
            }
            callback => {
                let token = answer.parameter(callback, "oauth_token");
                assert_eq!(token.as_ref(), Some(&temporary.credentials.token), "{answer:?}");
                let verifier = answer.parameter(callback, "oauth_verifier");
                verifier.unwrap_or_else(|| panic!("no verifier: {answer:?}"))
            }
        };
        match &temporary.state {
            State::Pending => {
                let client = temporary.client;
                let grant = self.known.grant(client, Some(user), scopes, false);
                self.temporaries[at].state = State::Approved { verifier, grant };
            }
            State::Approved { verifier: before, .. } => assert_eq!(*before, verifier),
            state => panic!("approved though {state:?}"),
        }
    }

    async fn answer(&mut self, page: u8, browser: bool, consent: Consent) {
        let Some(at) = recent(&self.pages, page) else { return };
        let browser = usize::from(browser);
        let user = self.browsers[browser].user.as_ref().expect("a user").subject.to_string();
        let page = &self.pages[at];
        let mut form = FormWriter::new();
        form.append("ticket", &page.ticket);
        let is_yes = !matches!(consent, Consent::No);
        form.append("decision", if is_yes { "all" } else { "no" });
        let form = form.finish();
        let answer = self.browsers[browser].post(&self.process, "/oauth/consent", form).await;
        if is_yes && self.is_of_a_removed_user(browser, &answer) {
            return;
        }

        let number = page.temporary;
        let temporary = &self.temporaries[number];
        let may_answer = Is::right(page.browser == browser && page.user == user)
            .and(self.known.is_current(page.expires, TICKET))
            .and(self.is_open(temporary))
            .and(if self.pages.len() - at <= 16 { Is::Right } else { Is::Open });
        let has_effect = match &temporary.state {
            State::Pending if is_yes && self.known.may_grant(&user) != Is::Right => Is::Open,
            State::Pending => Is::Right,
            // The user of the grant identifies the consent.
            State::Approved { .. } if is_yes => Is::Open,
            State::Denied if !is_yes => Is::Open,
            _ => Is::Wrong,
        };
        let is_shown = answer.status < 400;
        may_answer.and(has_effect).check(is_shown, &(&temporary.state, is_yes));
        if !is_shown {
            return;
        }
        if is_yes {
            let (client, scopes) = (temporary.client, temporary.scopes.clone());
            let is_first = matches!(temporary.state, State::Pending);
            self.approved(number, &answer, &user, scopes.clone());
            if is_first {
                self.known.consented(&user, client, false, &scopes, &scopes);
            }
        } else {
            self.temporaries[number].state = State::Denied;
        }
    }

    async fn exchange(&mut self, temporary: u8, verifier: Verifier, signed: Signed) {
        let Some(at) = recent(&self.temporaries, temporary) else { return };
        let temporary = &self.temporaries[at];
        let (client, credentials) = (temporary.client, temporary.credentials.clone());
        let right = match &temporary.state {
            State::Approved { verifier, .. } | State::Redeemed { verifier, .. } => {
                Some(verifier.clone())
            }
            _ => None,
        };
        let verifier = match verifier {
            Verifier::Right | Verifier::RightAgain => right.clone(),
            Verifier::None => None,
            Verifier::Wrong => Some("wrong".to_owned()),
        };
        let further: Vec<_> =
            verifier.iter().map(|verifier| ("oauth_verifier", verifier.as_str())).collect();
        let path = "/oauth/access_token";
        let (answer, is_signed) =
            self.send(client, Some(&credentials), "POST", path, None, &further, signed).await;

        let temporary = &self.temporaries[at];
        let is_verified = Is::right(verifier.is_some() && verifier == right);
        let could =
            is_signed.and(is_verified).and(match self.nature.latest() < temporary.expires {
                true => Is::Right,
                false => Is::Open,
            });
        let could = could.and(self.known.is_client(temporary.client, temporary.number));
        let is_right = match &temporary.state {
            State::Approved { grant, .. } => {
                could.and(self.is_open(temporary)).and(self.known.is_alive(*grant))
            }
            _ => Is::Wrong,
        };
        is_right.check(answer.status == 200, &(&temporary.state, verifier));
        match &temporary.state {
            // Another party has a copy.
            State::Redeemed { grant, .. } => match could {
                Is::Right => self.known.revoke(*grant),
                Is::Open => self.known.maybe_revoke(*grant),
                Is::Wrong => {}
            },
            State::Approved { verifier, grant } if answer.status == 200 => {
                let (verifier, grant) = (verifier.clone(), *grant);
                let credentials = Credentials::parse(answer.response()).expect("credentials");
                self.temporaries[at].state = State::Redeemed { verifier, grant };
                self.tokens.push(Token { credentials, grant });
            }
            _ => {}
        }
    }

    async fn call(&mut self, token: u8, path: u8, signed: Signed) {
        let Some(at) = recent(&self.tokens, token) else { return };
        let (credentials, number) = (self.tokens[at].credentials.clone(), self.tokens[at].grant);
        let grant = self.known.grants[number].clone();
        let paths = ["/here/any?x=a%20b&x=", "/here/read", "/here/write"];
        let path = paths[pick(&paths, path)];
        let form = (path == paths[1]).then(|| "to=bob&amount=1".to_owned());
        let method = if form.is_some() { "POST" } else { "GET" };
        let (answer, is_signed) =
            self.send(grant.client, Some(&credentials), method, path, form, &[], signed).await;
        let is_for_this = match path {
            "/here/read" => grant.scopes.contains(SCOPES[0]),
            "/here/write" => grant.scopes.contains(SCOPES[1]),
            _ => true,
        };
        let is_right = is_signed.and(self.known.is_alive(number)).and(Is::right(is_for_this));
        is_right.check(answer.status == 200, &(path, &grant));
        if answer.status == 200 {
            let told: Vec<&str> = answer.text().split('\n').collect();
            assert_eq!(told[..2], [CLIENTS[grant.client].id, grant.user.as_deref().unwrap_or("")]);
            assert!(grant.scopes.is_superset(&Scopes::parse(told[2]).expect("scopes")));
        }
    }

    async fn revoke(&mut self, token: u8, signed: Signed) {
        let Some(at) = recent(&self.tokens, token) else { return };
        let (credentials, grant) = (self.tokens[at].credentials.clone(), self.tokens[at].grant);
        let client = self.known.grants[grant].client;
        let (answer, is_signed) =
            self.send(client, Some(&credentials), "POST", "/oauth/revoke", None, &[], signed).await;
        is_signed.and(self.known.is_alive(grant)).check(answer.status == 200, &"a revocation");
        if answer.status == 200 {
            self.known.revoke(grant);
        }
    }

    /// An earlier request, unchanged.
    async fn send_again(&mut self, request: u8) {
        let Some(at) = recent(&self.taken, request) else { return };
        let answer = self.process.send(self.taken[at].clone()).await;
        assert_ne!(answer.status, 200, "a request was let through twice");
        // A second exchange means that another party has a copy. The model does not follow its
        // effects.
        for grant in 0..self.known.grants.len() {
            self.known.maybe_revoke(grant);
        }
    }
}
