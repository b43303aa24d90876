//! Authorization requests, and the answers of users.

use std::time::Duration;

use quadrille::{
    Authentication, Scopes,
    form::FormWriter,
    oauth2::{AuthorizationRequest, Resources, ResponseType, pkce::Verifier},
};

use crate::world::{
    API, Answer, CLIENTS, Consent, ISSUER, Is, SCOPES, URIS, may_redirect, pick, recent,
};

use super::{
    Play,
    acts::{Ask, Uri},
    model::{Answered, Code, Page},
};

/// The lifetimes of a code and of a consent page, by the policy.
pub(super) const CODE: Duration = Duration::from_secs(60);
const PAGE: Duration = Duration::from_secs(15 * 60);

/// The number of consent pages that a browser keeps open at least.
const PAGES: usize = 16;

/// The scopes of a request, mostly those that clients may have. Half of the requests name none.
pub(super) fn scopes(choice: u8) -> Option<Scopes> {
    let of = |bits: u8| {
        let chosen = (0..SCOPES.len()).filter(|number| bits >> number & 1 == 1);
        Some(Scopes::of(chosen.map(|number| SCOPES[number])))
    };
    match choice % 8 {
        0..=3 => None,
        chosen @ 4..=6 => of(chosen - 3),
        _ => of(choice >> 3),
    }
    .filter(|scopes| !scopes.is_empty())
}

pub(super) fn verifier(number: u8) -> Verifier {
    Verifier::from_bytes(&[number; 32])
}

const PROMPTS: [&str; 8] = ["", "", "", "", "none", "login", "consent", "none consent"];

impl Play {
    pub(super) async fn ask(&mut self, ask: Ask) {
        let client = pick(&CLIENTS, ask.client);
        let registration = &CLIENTS[client];
        let sent_uri = match ask.uri {
            Uri::None => None,
            Uri::Own(number) => recent(registration.redirect_uris, number)
                .map(|at| registration.redirect_uris[at].to_owned()),
            Uri::Any(number) => Some(URIS[pick(&URIS, number)].to_owned()),
        };
        let verifier = (!ask.verifier.is_multiple_of(8)).then_some(ask.verifier % 8);
        let wanted = scopes(ask.scopes);
        let prompt = PROMPTS[pick(&PROMPTS, ask.prompt)];
        let wants_token = ask.prompt >= 192;

        let mut request = AuthorizationRequest::new(registration.id);
        request.redirect_uri = sent_uri.as_deref().map(Into::into);
        if wants_token {
            request.response_type = ResponseType::Token;
        }
        request.state = Some("a state".into());
        request.scope = wanted.clone();
        request.code_challenge = verifier.map(|number| self::verifier(number).challenge());
        if ask.for_api {
            request.resource = Resources::of([API]).expect("a URI");
        }
        let url = request.to_url(&format!("{ISSUER}/oauth/authorize")).expect("an endpoint");
        let mut url = FormWriter::after_url(url.strip_prefix(ISSUER).expect("its own"));
        url.append_some("prompt", (!prompt.is_empty()).then_some(prompt));
        let browser = usize::from(ask.browser);
        let answer = self.browsers[browser].get(&self.process, &url.finish()).await;

        let state = &self.model.known.clients[client];
        let redirect_uri = match (&sent_uri, registration.redirect_uris) {
            (Some(uri), _) => may_redirect(registration, uri).then(|| uri.clone()),
            (None, [only]) => Some((*only).to_owned()),
            (None, _) => None,
        };
        let Some(redirect_uri) = redirect_uri.filter(|_| state.lives) else {
            assert!(answer.location().is_none() && answer.status >= 400, "{ask:?}: {answer:?}");
            return;
        };
        let scopes = wanted.unwrap_or_else(|| registration.scopes());
        // Nothing binds a token.
        let needs_pkce = registration.asks_users() && !wants_token;
        let is_right = registration.asks_users()
            && (registration.has_implicit || !wants_token)
            && registration.scopes().is_superset(&scopes)
            && (verifier.is_some() || !needs_pkce)
            && prompt != "none consent";
        let page = Page {
            client,
            number: state.number,
            browser,
            user: String::new(),
            scopes,
            for_api: ask.for_api,
            redirect_uri,
            sent_uri,
            verifier,
            ticket: String::new(),
            expires: self.model.known.now() + PAGE,
            wants_token,
            answered: None,
        };
        self.asked(&answer, page, is_right, prompt);
    }

    /// Checks the outcome of a request that may be answered by a redirect.
    fn asked(&mut self, answer: &Answer, mut page: Page, is_right: bool, prompt: &str) {
        let user = self.browsers[page.browser].user.clone();
        let counts = user.as_ref().map_or(Is::Right, |user| self.model.known.counts(user));
        if answer.status == 200 {
            assert!(is_right && prompt != "none" && counts != Is::Wrong, "{page:?}");
            page.user = user.expect("somebody is asked").subject.to_string();
            assert_eq!(answer.lines("subject=").next(), Some(&*page.user));
            let shown = Scopes::of(answer.lines("scope="));
            assert!(shown.is_superset(&page.scopes) && page.scopes.is_superset(&shown));
            page.ticket = answer.lines("field=ticket=").next().expect("a ticket").to_owned();
            self.model.pages.push(page);
            return;
        }
        let location = answer.location().expect("a page or a redirect");
        if location.starts_with("/sign-in?next=") {
            assert!(is_right && prompt != "none");
            assert!(user.is_none() || prompt == "login", "{page:?}");
            return;
        }
        let parameter = |name: &str| page.parameter(answer, name);
        assert_eq!(parameter("state").as_deref(), Some("a state"), "{page:?}: {location}");
        assert_eq!(parameter("iss").as_deref(), Some(ISSUER));
        let Some(given) = page.given(answer) else {
            assert!(parameter("error").is_some(), "{location}");
            let may_grant = |user: &Authentication| self.model.known.may_grant(&user.subject);
            let is_gone = user.as_ref().is_some_and(|user| may_grant(user) != Is::Right);
            let is_dead = page.wants_token && is_gone || counts != Is::Right;
            assert!(!is_right || prompt == "none" || is_dead, "refused though right: {page:?}");
            return;
        };
        assert!(is_right && !matches!(prompt, "login" | "consent"), "{page:?}");
        assert_ne!(counts, Is::Wrong, "a user who was removed: {page:?}");
        let user = user.expect("a user who was not asked").subject.to_string();
        let registration = &CLIENTS[page.client];
        let known = &self.model.known;
        let is_remembered = known.is_remembered(&user, page.client, page.for_api, &page.scopes);
        assert!(registration.is_first_party || is_remembered, "nobody said yes: {page:?}");
        // The secret of the client protects a code.
        let is_protected = registration.is_confidential && !page.wants_token;
        let is_assured = is_protected || page.redirect_uri.starts_with("https://");
        assert!(is_assured, "any program may be there: {page:?}");
        page.user = user;
        let scopes = page.scopes.clone();
        match page.wants_token {
            true => {
                let known = &mut self.model.known;
                let grant =
                    known.grant(page.client, Some(&page.user), scopes.clone(), page.for_api);
                self.sent(answer, &page, given, grant, &scopes);
            }
            false => drop(self.granted(&page, scopes, given)),
        }
    }

    /// Records a token that was sent in a redirect.
    fn sent(&mut self, answer: &Answer, page: &Page, token: String, grant: usize, scopes: &Scopes) {
        assert_ne!(self.model.known.is_alive(grant), Is::Wrong, "a token of a dead grant");
        assert_eq!(page.parameter(answer, "token_type").as_deref(), Some("Bearer"));
        assert_eq!(page.parameter(answer, "refresh_token"), None);
        let told = page.parameter(answer, "scope").expect("a scope");
        self.held(token, &told, grant, scopes);
    }

    /// Records a code.
    fn granted(&mut self, page: &Page, scopes: Scopes, code: String) -> usize {
        assert!(self.model.codes.iter().all(|known| known.text != code), "an earlier code");
        let grant = self.model.known.grant(page.client, Some(&page.user), scopes, page.for_api);
        self.model.codes.push(Code {
            text: code,
            grant,
            redirect_uri: page.redirect_uri.clone(),
            sent_uri: page.sent_uri.clone(),
            verifier: page.verifier,
            expires: self.model.known.now() + CODE,
            is_redeemed: false,
        });
        self.model.codes.len() - 1
    }

    pub(super) async fn answer(&mut self, page: u8, browser: bool, consent: Consent) {
        let Some(at) = recent(&self.model.pages, page) else { return };
        let page = self.model.pages[at].clone();
        let browser = usize::from(browser);
        let Some(user) = self.browsers[browser].user.clone() else { return };
        let (granted, fields) = match consent {
            Consent::All => (Some(page.scopes.clone()), vec![("decision", "all")]),
            Consent::Only(bits) => {
                let chosen = scopes(bits).unwrap_or_default();
                let granted = page.scopes.intersection(&chosen);
                let mut fields = vec![("decision", "only")];
                let names = (0..SCOPES.len()).filter(|n| chosen.contains(SCOPES[*n]));
                fields.extend(names.map(|number| ("scope", SCOPES[number])));
                let is_no = granted.is_empty() && !page.scopes.is_empty();
                ((!is_no).then_some(granted), fields)
            }
            Consent::No => (None, vec![("decision", "no")]),
        };
        let mut form = FormWriter::new();
        form.append("ticket", &page.ticket);
        for (name, value) in fields {
            form.append(name, value);
        }
        let answer =
            self.browsers[browser].post(&self.process, "/oauth/consent", form.finish()).await;

        let may_answer = Is::right(page.browser == browser)
            .and(Is::right(*user.subject == *page.user))
            .and(self.model.known.is_client(page.client, page.number))
            .and(self.model.known.is_current(page.expires, PAGE))
            .and(match self.model.pages.len() - at <= PAGES {
                true => Is::Right,
                false => Is::Open,
            });
        let Some(location) = answer.location() else {
            assert!(answer.status >= 400);
            let is_answered = page.answered.is_some();
            assert!(may_answer != Is::Right || is_answered, "refused though right: {page:?}");
            return;
        };
        assert_ne!(may_answer, Is::Wrong, "taken though wrong: {page:?}: {location}");
        let parameter = |name: &str| page.parameter(&answer, name);
        assert_eq!(parameter("state").as_deref(), Some("a state"), "{page:?}: {location}");
        // The store may have removed an earlier answer when the page had expired.
        let may_be_forgotten = self.model.known.is_current(page.expires, PAGE) == Is::Open;
        let Some(given) = page.given(&answer) else {
            assert_eq!(parameter("error").as_deref(), Some("access_denied"));
            let Some(granted) = granted else {
                let is_first = matches!(page.answered, None | Some(Answered::Denied));
                assert!(may_be_forgotten || is_first, "both yes and no");
                self.model.pages[at].answered.get_or_insert(Answered::Denied);
                return;
            };
            if self.model.known.counts(&user) != Is::Right {
                // Whether the page counts as answered is not known.
                self.model.pages.remove(at);
                return;
            }
            assert!(page.wants_token, "a no for a yes: {page:?}");
            let grant = self.approved(&page, granted, may_be_forgotten);
            assert_ne!(self.model.known.is_alive(grant), Is::Right, "refused though right");
            self.model.pages[at].answered = Some(Answered::Token(grant));
            return;
        };
        let granted = granted.expect("a code for a no");
        assert_ne!(self.model.known.counts(&user), Is::Wrong, "a user who was removed: {page:?}");
        let answered = if page.wants_token {
            let grant = self.approved(&page, granted.clone(), may_be_forgotten);
            self.sent(&answer, &page, given, grant, &granted);
            Answered::Token(grant)
        } else {
            match page.answered {
                Some(Answered::Code(before)) if self.model.codes[before].text == given => {
                    assert!(!self.model.codes[before].is_redeemed, "the code was redeemed");
                    return;
                }
                Some(_) => assert!(may_be_forgotten, "answered twice: {page:?}"),
                None => {}
            }
            Answered::Code(self.granted(&page, granted.clone(), given))
        };
        self.model.pages[at].answered = Some(answered);
        let Page { user, client, for_api, scopes, .. } = &page;
        self.model.known.consented(user, *client, *for_api, scopes, &granted);
    }
    /// The grant of an answer to a page for a token: that of the first answer, if the page was
    /// answered before.
    fn approved(&mut self, page: &Page, granted: Scopes, may_be_forgotten: bool) -> usize {
        let known = &mut self.model.known;
        let before = match page.answered {
            Some(Answered::Token(before)) if !may_be_forgotten => {
                let is_same = known.grants[before].scopes == granted;
                assert!(is_same, "answered twice: {page:?}");
                return before;
            }
            Some(Answered::Token(before)) => Some(before),
            Some(_) => {
                assert!(may_be_forgotten, "answered twice: {page:?}");
                None
            }
            None => None,
        };
        let grant = known.grant(page.client, Some(&page.user), granted, page.for_api);
        // It may be the same one.
        for grant in before.into_iter().flat_map(|before| [before, grant]) {
            known.maybe_revoke(grant);
        }
        grant
    }
}

impl Page {
    /// A parameter of the redirect: of its fragment, if the request is for a token.
    fn parameter(&self, answer: &Answer, name: &str) -> Option<String> {
        match self.wants_token {
            true => answer.fragment(&self.redirect_uri, name),
            false => answer.parameter(&self.redirect_uri, name),
        }
    }

    /// The code or the token.
    fn given(&self, answer: &Answer) -> Option<String> {
        self.parameter(answer, if self.wants_token { "access_token" } else { "code" })
    }
}
