//! The userinfo endpoint (OpenID Connect Core, section 5.3).

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use serde_json::{Map, Value};

use crate::{
    RemoteAddress, Scopes,
    actor::Actor,
    guard::{
        AccessError, Refused, log,
        presented::{Ways, presented},
    },
    jose::Protected,
    provider::{
        authority,
        client::record::Client,
        error::{Error, OperatorError},
        openid::{
            details::OPENID,
            encryption,
            options::OpenId,
            pairwise,
            release::{self, Granted},
        },
        paths::EndpointPath,
        route::Route,
        server::{AuthorizationServer, Inner},
        store::AccessRecord,
        token::lookup,
        wire::Methods,
    },
};

use super::row::{self, Endpoint};

pub(super) static USERINFO: Endpoint = Endpoint {
    route: Route {
        is_offered: |inner| inner.openid.is_some(),
        describe: |_, url, metadata| {
            metadata.extra.insert("userinfo_endpoint".to_owned(), url.into());
        },
        ..Route::new("userinfo", EndpointPath::Below("/userinfo"), Methods::GET_POST)
    },
    is_for_any_origin: true,
    handler: |server, request| Box::pin(async move { answer(server.inner(), request).await }),
    refuse: row::refuse,
};

impl AuthorizationServer {
    /// The userinfo endpoint (OpenID Connect Core, section 5.3): the claims about the user of an
    /// access token with the scope `openid`, those that its client was granted. The token is in the
    /// `Authorization` header or, by POST, in a form, and is for no API of its own (RFC 8707). The
    /// response is JSON or, for a client that is registered so, a signed or encrypted JWT.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, OpenId, store::MemoryStore}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store)?.openid(OpenId::new());
    /// let request = http::Request::get("/oauth/userinfo").body(bytes::Bytes::new())?;
    /// let response = server.userinfo(request).await;
    /// assert_eq!(response.status(), 401);
    /// assert_eq!(response.headers()["www-authenticate"], r#"Bearer scope="openid""#);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn userinfo(&self, request: Request<Bytes>) -> Response<Bytes> {
        USERINFO.answer(self, request).await
    }
}

async fn answer(inner: &Inner, request: Request<Bytes>) -> Response<Bytes> {
    let answered = userinfo(inner, request).await;
    answered.unwrap_or_else(|error| Refused::new(error, None, Scopes::of([OPENID])).to_response())
}

async fn userinfo(inner: &Inner, request: Request<Bytes>) -> Result<Response<Bytes>, AccessError> {
    let openid = inner.openid.as_ref().ok_or(AccessError::Unknown)?;
    let (parts, body) = request.into_parts();
    let ways = Ways { form: true, query: false };
    let unknown = |error: &AccessError| log::at_api(error, &parts);
    let token = presented(&parts, Some(Ok(&body)), ways).inspect_err(unknown)?;
    let token = token.ok_or(AccessError::Missing)?;
    let (record, client) = facts(inner, &token).await.inspect_err(unknown)?;
    let subject = decide(&record).inspect_err(|error| {
        let (scopes, from) = (record.grant.scopes.as_str(), RemoteAddress::of(&parts.extensions));
        let needed = (*error == AccessError::InsufficientScope).then_some(OPENID);
        log::token(error, &record.grant.client, ("scope", scopes), needed, from);
    })?;
    let told = tell(inner, openid, &client, &record, subject).await;
    told.map_err(AccessError::unavailable)?.ok_or(AccessError::Unknown)
}

/// The valid token of a request, and its client.
async fn facts(
    inner: &Inner,
    token: &str,
) -> Result<(Arc<AccessRecord>, Arc<Client>), AccessError> {
    let reference = lookup::access_reference(inner, token).ok_or(AccessError::Unknown)?;
    let record = lookup::access(inner, &reference).await.map_err(AccessError::unavailable)?;
    let record = authority::decide(record, inner.now())?;
    let client = async {
        let issuer = inner.issuer_id().await?;
        Ok::<_, Error>(inner.store.client(issuer, &record.grant.client).await?)
    };
    let client = client.await.map_err(AccessError::unavailable)?.ok_or(AccessError::Unknown)?;
    Ok((record, client))
}

/// Decides whether a valid token is one for this endpoint, and returns its user.
fn decide(record: &AccessRecord) -> Result<&Arc<str>, AccessError> {
    if !record.grant.resources.is_empty() {
        return Err(AccessError::OtherAudience);
    }
    if record.binding.is_some() {
        return Err(AccessError::Unproven);
    }
    match &record.grant.actor {
        Actor::User(subject) if record.grant.scopes.contains(OPENID) => Ok(subject),
        // A client that acts for itself has no user whom it could learn about.
        Actor::User(_) | Actor::Client(_) => Err(AccessError::InsufficientScope),
    }
}

/// The response (section 5.3.2); `None` if the user is gone.
async fn tell(
    inner: &Inner,
    openid: &OpenId,
    client: &Arc<Client>,
    record: &AccessRecord,
    subject: &Arc<str>,
) -> Result<Option<Response<Bytes>>, Error> {
    let none = BTreeMap::new();
    let details = record.grant.openid();
    let by_name = details.map_or(&none, |details| &details.claims.userinfo);
    let locales = details.map_or(&[][..], |details| &details.claims_locales);
    let granted = Granted { scopes: &record.grant.scopes, claims: by_name, locales };
    let Some(known) = release::claims(openid, client, subject, granted).await? else {
        return Ok(None);
    };
    let told = pairwise::subject(openid.pairwise.as_ref(), client, subject)?;
    let mut claims = Map::from_iter([("sub".to_owned(), Value::from(&*told))]);
    claims.extend(known);
    let encryption = client.openid.userinfo_encrypted_response;
    let (kind, body) = match (client.openid.userinfo_signed_response_alg, encryption) {
        (None, None) => ("application/json", Value::Object(claims).to_string()),
        (None, Some(encryption)) => {
            let claims = Value::Object(claims).to_string();
            ("application/jwt", encryption::of_claims(inner, client, encryption, &claims).await?)
        }
        (Some(algorithm), encryption) => {
            claims.insert("iss".to_owned(), inner.issuer.as_str().into());
            claims.insert("aud".to_owned(), (*client.id).into());
            let key = inner.signing.key_for(Some(algorithm), inner.now())?;
            let payload = Value::Object(claims).to_string();
            let signed = key.sign(&Protected::plain(), payload.as_bytes());
            let signed = signed.map_err(OperatorError::Sign)?;
            ("application/jwt", encryption::of_token(inner, client, encryption, signed).await?)
        }
    };
    let mut response = Response::new(Bytes::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(Some(response))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Binding, Timestamp,
        oauth2::Resources,
        provider::store::{Grant, RowId},
    };

    #[test]
    fn only_an_unbound_token_of_a_user_with_openid_and_no_other_audience_is_accepted() {
        let token = |actor, scopes: &str, resources, binding| AccessRecord {
            row: RowId(1),
            hash: [0; 32],
            grant: Grant {
                id: RowId(1),
                client: "web".into(),
                actor,
                scopes: Scopes::parse(scopes).unwrap(),
                resources: Resources::parse(resources).unwrap(),
                authentication: None,
                details: None,
            },
            expires: Timestamp::from_seconds(100),
            binding,
            exchange: None,
        };
        let ada = || Actor::User("ada".into());
        let key = Some(Binding::Jwk([7; 32]));
        use AccessError as E;
        for (token, error) in [
            (token(ada(), "openid email", "", None), None),
            (token(ada(), "email", "", None), Some(E::InsufficientScope)),
            (token(Actor::Client("web".into()), "openid", "", None), Some(E::InsufficientScope)),
            (token(ada(), "openid", "https://api.example", None), Some(E::OtherAudience)),
            (token(ada(), "openid", "", key), Some(E::Unproven)),
        ] {
            assert_eq!(decide(&token).err(), error, "{token:?}");
        }
    }
}
