//! The authorization endpoint: a request is read and checked.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response};

use crate::{
    form::{FormError, FormWriter, Params},
    probe,
    provider::{
        client::document::admission,
        error::{ClientError, Error},
        oauth1,
        openid::{hint, request_object::resolve::resolve},
        server::Inner,
        wire::ToClient,
    },
};

use super::{
    next::Sent,
    request::{self, Asked, Offer, OpenIdOffer, Unasked},
    since,
};

/// The reason why a request is not read, by the answer to it.
pub(super) enum Failed {
    Page(Error),
    Redirect(ToClient),
    Warn(ToClient),
    Probed(Response<Bytes>),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Page(error)
    }
}

impl From<Unasked> for Failed {
    fn from(unasked: Unasked) -> Self {
        match unasked {
            Unasked::Page(error) => Self::Page(error.into()),
            Unasked::Redirect(to) => Self::Redirect(to),
            Unasked::Warn(to) => Self::Warn(to),
        }
    }
}

impl From<ClientError> for Failed {
    fn from(error: ClientError) -> Self {
        Self::Page(error.into())
    }
}

/// The result of reading and checking a request.
pub(super) struct Read {
    pub(super) asked: Asked,
    pub(super) since: Option<Sent>,
    /// `true` if the request was in a request object.
    pub(super) has_object: bool,
}

/// Reads and checks a request. `seen` becomes its parameters, with those of its object in the place of
/// others, for the log.
pub(super) async fn read<'r>(
    inner: &Arc<Inner>,
    request: &'r Request<Bytes>,
    seen: &mut Option<Params<'r>>,
) -> Result<Read, Failed> {
    if let Some(response) = probe::probed(request.method(), request.headers()) {
        return Err(Failed::Probed(response));
    }
    let params = parameters(request).map_err(|error| ClientError::Request(error.into()))?;
    let since = since::found(inner, &params, request);
    if inner.oauth1.is_offered() && params.many("oauth_token").next().is_some() {
        let asked = oauth1::authorize::asked(inner, &params).await?;
        return Ok(Read { asked, since, has_object: false });
    }
    let id = request::client_id(&params)?;
    let from = inner.address_of(request.extensions());
    let client = admission::client_that_asks(inner, id, from).await?;
    // A request object that was valid when the user was sent to sign in still is.
    let began = since.map_or_else(|| inner.now(), |since| since.at);
    let (params, object) = resolve(inner, params, client.as_ref(), from, began).await;
    let params = &*seen.insert(params);
    let has_object = object.is_read();
    let asker = client.as_ref().map(|client| &*client.id);
    let offer = Offer {
        response_types: &inner.response_types(),
        scopes: inner.scopes.known(),
        resources: &inner.resources,
        policy: &inner.policy,
        rule: inner.redirect_rule.as_deref(),
        openid: inner.openid.as_ref().map(|openid| OpenIdOffer {
            offered: openid,
            hint: hint::sent(inner, params, asker),
            object,
        }),
    };
    let asked = request::check(params, client, &offer)?;
    Ok(Read { asked, since, has_object })
}

/// The URL of the same request by GET, without a note. Most requests need none.
pub(super) fn same(inner: &Inner, request: &Request<Bytes>) -> Result<FormWriter, FormError> {
    Ok(since::same(inner, &parameters(request)?))
}

fn parameters(request: &Request<Bytes>) -> Result<Params<'_>, FormError> {
    if request.method() == Method::POST {
        Params::of_body(request)
    } else {
        Params::of_query(request)
    }
}
