//! Requests to the endpoints that clients call, and to the API.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use quadrille::{Scopes, form::FormWriter};

use crate::world::{Answer, CLIENTS, Is, SCOPES, URIS, pick, recent};

use super::{
    Play,
    acts::{Alike, Presented, Redeem, Refresh, Token},
    asking::{CODE, scopes, verifier},
    model::{self, Access, Family},
};

/// The lifetimes of tokens, and the time in which a refresh token may be repeated, by the policy.
const ACCESS: Duration = Duration::from_secs(3600);
const IDLE: Duration = Duration::from_secs(20 * 24 * 3600);
const TOTAL: Duration = Duration::from_secs(60 * 24 * 3600);
const REPEAT: Duration = Duration::from_secs(30);

const PATHS: [&str; 4] = ["/here/any", "/here/read", "/here/write", "/there/any"];

impl Play {
    /// Posts a form as a client.
    async fn post(
        &self,
        path: &str,
        client: usize,
        secret: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Answer {
        let mut form = FormWriter::new();
        for (name, value) in fields {
            form.append(name, value);
        }
        form.append("client_id", CLIENTS[client].id);
        form.append_some("client_secret", secret);
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form.finish()));
        self.process.send(request.expect("a path")).await
    }

    pub(super) async fn redeem(&mut self, act: Redeem) {
        let Some(at) = recent(&self.model.codes, act.code) else { return };
        let code = self.model.codes[at].clone();
        let owner = self.model.known.grants[code.grant].client;
        let (client, secret, is_client) = self.model.presented(act.by, owner);
        let uri = match act.uri {
            Alike::Same | Alike::SameAgain => code.sent_uri.clone(),
            Alike::None => None,
            Alike::Other(number) => Some(URIS[pick(&URIS, number)].to_owned()),
        };
        let presented = match act.verifier {
            Alike::Same | Alike::SameAgain => code.verifier,
            Alike::None => None,
            Alike::Other(number) => Some(number % 8),
        };
        let verifier = presented.map(verifier);
        let mut fields = vec![("grant_type", "authorization_code"), ("code", &*code.text)];
        fields.extend(uri.as_deref().map(|uri| ("redirect_uri", uri)));
        fields.extend(verifier.as_ref().map(|verifier| ("code_verifier", verifier.expose())));
        let answer = self.post("/oauth/token", client, secret.as_deref(), &fields).await;

        let is_uri = match (&code.sent_uri, &uri) {
            (Some(sent), Some(uri)) => uri == sent,
            // The verifier takes its place (OAuth 2.1, section 4.1.3).
            (Some(_), None) => code.verifier.is_some(),
            (None, None) => true,
            (None, Some(uri)) => *uri == code.redirect_uri,
        };
        let could =
            is_client.and(Is::right(client == owner && is_uri && presented == code.verifier));
        let is_right = could
            .and(Is::right(!code.is_redeemed))
            .and(self.model.known.is_current(code.expires, CODE))
            .and(self.model.known.is_alive(code.grant));
        is_right.check(answer.status == 200, &(&act, &code));
        if answer.status != 200 {
            if code.is_redeemed {
                // Another party has a copy.
                match could.and(self.model.known.is_current(code.expires, CODE)) {
                    Is::Right => self.model.known.revoke(code.grant),
                    _ if could != Is::Wrong => self.model.known.maybe_revoke(code.grant),
                    _ => {}
                }
            }
            return;
        }
        self.model.codes[at].is_redeemed = true;
        let now = self.model.known.now();
        let granted = self.model.known.grants[code.grant].scopes.clone();
        self.issued(&answer, code.grant, &granted);
        self.model.families.push(Family {
            grant: code.grant,
            generation: 0,
            rotated: now,
            expires: now + IDLE,
            ends: now + TOTAL,
        });
        let text = answer.member("refresh_token").expect("a refresh token");
        self.refreshable(text, self.model.families.len() - 1, 0);
    }

    /// Records an access token.
    fn issued(&mut self, answer: &Answer, grant: usize, scopes: &Scopes) {
        let text = answer.member("access_token").expect("a token");
        self.held(text, &answer.member("scope").expect("a scope"), grant, scopes);
    }

    /// Records an access token, of which the client was told these scopes.
    pub(super) fn held(&mut self, text: String, told: &str, grant: usize, scopes: &Scopes) {
        let told = Scopes::parse(told).expect("scopes");
        let is_same = told.is_superset(scopes) && scopes.is_superset(&told);
        assert!(is_same, "{scopes:?} became {told:?}");
        assert!(self.model.access.iter().all(|known| known.text != text), "an earlier token");
        let expires = self.model.known.now() + ACCESS;
        self.model.access.push(Access { text, grant, scopes: scopes.clone(), expires });
    }

    fn refreshable(&mut self, text: String, family: usize, generation: usize) {
        assert!(self.model.refresh.iter().all(|known| known.text != text), "an earlier token");
        let successor = None;
        self.model.refresh.push(model::Refresh { text, family, generation, successor });
    }

    pub(super) async fn refresh(&mut self, act: Refresh) {
        let Some(at) = recent(&self.model.refresh, act.token) else { return };
        let token = self.model.refresh[at].clone();
        let family = self.model.families[token.family].clone();
        let grant = self.model.known.grants[family.grant].clone();
        let (client, secret, is_client) = self.model.presented(act.by, grant.client);
        let wanted = scopes(act.scopes);
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", &*token.text)];
        fields.extend(wanted.as_ref().map(|scopes| ("scope", scopes.as_str())));
        let answer = self.post("/oauth/token", client, secret.as_deref(), &fields).await;

        let now = self.model.known.now();
        // Scopes outside the grant are left out.
        let scopes = wanted.map_or(grant.scopes.clone(), |it| it.intersection(&grant.scopes));
        let could = is_client
            .and(Is::right(client == grant.client))
            .and(self.model.is_known(token.family))
            .and(self.model.known.is_before(family.expires.min(family.ends)));
        let is_within = !scopes.is_empty();
        let turns = if token.generation == family.generation {
            Is::Right
        } else if token.generation + 1 != family.generation {
            Is::Wrong
        } else if now < family.rotated {
            // The clock went back.
            Is::Open
        } else {
            Is::right(now.since(family.rotated) < REPEAT)
        };
        let is_right = could.and(Is::right(is_within)).and(turns);
        is_right.check(answer.status == 200, &(&act, &token, &family));
        if answer.status != 200 {
            if turns != Is::Right && is_within {
                match could.and(if turns == Is::Open { Is::Open } else { Is::Right }) {
                    Is::Right => self.model.known.revoke(family.grant),
                    Is::Open => self.model.known.maybe_revoke(family.grant),
                    Is::Wrong => {}
                }
            }
            return;
        }
        self.issued(&answer, family.grant, &scopes);
        let successor = answer.member("refresh_token").expect("a refresh token");
        if let Some(known) = &token.successor {
            assert_eq!(*known, successor, "two successors");
            return;
        }
        self.model.refresh[at].successor = Some(successor.clone());
        self.model.families[token.family] = Family {
            generation: token.generation + 1,
            rotated: now,
            expires: family.ends.min(now + IDLE),
            ..family
        };
        self.refreshable(successor, token.family, token.generation + 1);
    }

    pub(super) async fn for_itself(&mut self, client: u8, wanted: u8) {
        let client = pick(&CLIENTS, client);
        let (_, secret, is_client) = self.model.presented(Presented::Owner, client);
        let wanted = scopes(wanted);
        let mut fields = vec![("grant_type", "client_credentials")];
        fields.extend(wanted.as_ref().map(|scopes| ("scope", scopes.as_str())));
        let answer = self.post("/oauth/token", client, secret.as_deref(), &fields).await;

        let registration = &CLIENTS[client];
        let scopes = wanted.unwrap_or_else(|| registration.scopes());
        let is_machine = !registration.asks_users() && !registration.is_api;
        let is_right = is_machine && registration.scopes().is_superset(&scopes);
        let is_right = is_client.and(Is::right(is_right));
        is_right.check(answer.status == 200, &registration.id);
        if answer.status == 200 {
            let grant = self.model.known.grant(client, None, scopes.clone(), false);
            self.issued(&answer, grant, &scopes);
        }
    }

    pub(super) async fn revoke(&mut self, token: Token, by: Presented) {
        let Some((text, grant)) = self.model.token(token) else { return };
        let owner = self.model.known.grants[grant].client;
        let (client, secret, is_client) = self.model.presented(by, owner);
        let fields = [("token", &*text)];
        let answer = self.post("/oauth/revoke", client, secret.as_deref(), &fields).await;
        is_client.check(answer.status == 200, &(token, by));
        if answer.status == 200 {
            self.model.token_revoked(token, Some(client));
        }
    }

    pub(super) async fn introspect(&mut self, token: Token, by: Presented) {
        let Some((text, grant)) = self.model.token(token) else { return };
        let grant = self.model.known.grants[grant].clone();
        let (client, secret, is_client) = self.model.presented(by, grant.client);
        let fields = [("token", &*text)];
        let answer = self.post("/oauth/introspect", client, secret.as_deref(), &fields).await;
        let may_ask = is_client.and(Is::right(CLIENTS[client].is_confidential));
        may_ask.check(answer.status == 200, &(token, by));
        if answer.status != 200 {
            return;
        }
        let told = answer.json();
        let is_api = CLIENTS[client].is_api && grant.for_api;
        let is_theirs = client == grant.client;
        let (is_active, scopes) = match token {
            Token::Access(number) => {
                let access = &self.model.access[recent(&self.model.access, number).expect("it")];
                (self.model.is_valid(access).and(Is::right(is_theirs || is_api)), &access.scopes)
            }
            Token::Refresh(number) => {
                let at = recent(&self.model.refresh, number).expect("it");
                let token = &self.model.refresh[at];
                let family = &self.model.families[token.family];
                let is_current = Is::right(token.generation == family.generation);
                let is_active = is_current
                    .and(self.model.is_known(token.family))
                    .and(self.model.known.is_before(family.expires.min(family.ends)))
                    .and(Is::right(is_theirs));
                (is_active, &grant.scopes)
            }
            Token::Code(_) => (Is::Wrong, &grant.scopes),
        };
        is_active.check(told["active"] == true, &(token, by, &told));
        if told["active"] == true {
            let told = Scopes::parse(told["scope"].as_str().unwrap_or("")).expect("scopes");
            assert!(scopes.is_superset(&told), "{scopes:?} became {told:?}");
        }
    }

    pub(super) async fn call(&mut self, token: Token, path: u8) {
        let Some((text, grant)) = self.model.token(token) else { return };
        let grant = &self.model.known.grants[grant];
        let path = PATHS[pick(&PATHS, path)];
        let request = Request::get(path).header("authorization", format!("Bearer {text}"));
        let answer = self.process.send(request.body(Bytes::new()).expect("a token")).await;
        let Token::Access(number) = token else {
            assert_eq!(answer.status, 401, "{token:?}");
            return;
        };
        let access = &self.model.access[recent(&self.model.access, number).expect("it")];
        let is_for_this = match path {
            "/there/any" => grant.for_api,
            "/here/read" => !grant.for_api && access.scopes.contains(SCOPES[0]),
            "/here/write" => !grant.for_api && access.scopes.contains(SCOPES[1]),
            _ => !grant.for_api,
        };
        let is_right = self.model.is_valid(access).and(Is::right(is_for_this));
        is_right.check(answer.status == 200, &(path, access, grant));
        if answer.status == 200 {
            let told: Vec<&str> = answer.text().split('\n').collect();
            let user = grant.user.as_deref().unwrap_or("");
            assert_eq!(told[..2], [CLIENTS[grant.client].id, user]);
            assert!(access.scopes.is_superset(&Scopes::parse(told[2]).expect("scopes")));
        }
    }
}
