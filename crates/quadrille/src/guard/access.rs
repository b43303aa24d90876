//! The permissions of a request, by its access token.

use std::{fmt, marker::PhantomData, sync::Arc};

use http::{Extensions, request::Parts};
use serde_json::{Map, Value};

use crate::{
    Scopes, Timestamp,
    actor::{Act, Actor, Authentication},
    oauth2::Resources,
    scope::ScopeRequirement,
};

#[cfg(feature = "axum")]
use super::lazy::Lazy;
use super::{
    error::AccessError,
    log,
    options::Guard,
    refused::{Place, Refused},
    step_up::StepUp,
    verdict::Guarded,
    verified::Verified,
};

/// A request with a valid access token, or signed with valid OAuth 1.0a credentials, that has the
/// scopes the handler needs: a scope, a tuple (all of them), `Any<(A, B)>` (one of them), a tuple
/// with such a choice in it, or `()` (any token).
///
/// With the feature `axum` it is an extractor, and answers every other request with the challenges
/// of RFC 6750. `Option<Access<S>>` is `None` only for a request without credentials; invalid ones
/// are still refused. Elsewhere [`Access::of`] reads the verdict of a [`Guard`](super::Guard). The
/// layer of `attach` alone checks nothing until a handler or middleware takes an `Access`.
///
/// ```
/// use quadrille::{guard::Access, scopes};
///
/// scopes! { Photos = "photos:read", "See your photos"; }
///
/// async fn list(access: Access<Photos>) -> String {
///     format!("the photos of {:?}", access.user())
/// }
/// ```
pub struct Access<S: ScopeRequirement = ()> {
    token: Verified,
    place: Place,
    required: PhantomData<fn() -> S>,
}

impl<S: ScopeRequirement> Access<S> {
    /// Reads the verdict of the guard in front of a service.
    ///
    /// # Errors
    /// [`Refused`], which becomes the answer.
    pub fn of(extensions: &Extensions) -> Result<Self, Refused> {
        match Self::find(extensions)? {
            Some(access) => Ok(access),
            None => Err(refused::<S>(extensions, AccessError::Missing)),
        }
    }

    /// [`Access::of`] where a token is optional: `None` for a request without one.
    ///
    /// # Errors
    /// [`Refused`] if the token is invalid or insufficient.
    pub fn find(extensions: &Extensions) -> Result<Option<Self>, Refused> {
        let Some(Guarded { place, verdict }) = guarded(extensions) else {
            #[cfg(feature = "axum")]
            if extensions.get::<Lazy>().is_some() {
                return Err(refused::<S>(extensions, AccessError::NotChecked));
            }
            return Err(refused::<S>(extensions, AccessError::NoGuard));
        };
        match verdict {
            Ok(None) => Ok(None),
            Ok(Some(token)) => {
                let access =
                    Self { token: token.clone(), place: place.clone(), required: PhantomData };
                if S::is_met(token.scopes()) || S::is_met(&access.effective()) {
                    return Ok(Some(access));
                }
                Err(access.insufficient(Scopes::of(S::names())))
            }
            Err(error) => Err(refused::<S>(extensions, error.clone())),
        }
    }

    /// Requires scopes that are known only when the request is handled, those of an album, for
    /// example.
    ///
    /// ```
    /// use quadrille::{Scopes, guard::{Access, Refused}};
    ///
    /// async fn album(access: Access, album: &str) -> Result<String, Refused> {
    ///     access.require(&Scopes::of([&*format!("album:{album}")]))?;
    ///     Ok(format!("the album {album} of {:?}", access.user()))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Refused`], whose challenge names these scopes and those of the handler.
    pub fn require(&self, scopes: &Scopes) -> Result<(), Refused> {
        if self.scopes().is_superset(scopes) || self.effective().is_superset(scopes) {
            return Ok(());
        }
        Err(self.insufficient(Scopes::of(S::names()).union(scopes)))
    }

    /// Requires an authentication of the user that is strong or recent enough (RFC 9470).
    /// [`StepUp`] has an example.
    ///
    /// # Errors
    /// [`Refused`], whose challenge tells the client what to request of the authorization server. A
    /// client that acts for itself has no user, and is refused likewise.
    pub fn require_authentication(&self, step_up: &StepUp) -> Result<(), Refused> {
        let by = self.authentication().map(|by| &**by);
        if step_up.is_met(by, self.place.at) {
            return Ok(());
        }
        let acr = by.and_then(|by| by.acr.as_deref()).unwrap_or("");
        let (error, from) = (AccessError::InsufficientAuthentication, self.place.from);
        let needed = step_up.classes();
        let needed = Some(&*needed).filter(|classes| !classes.is_empty());
        log::token(&error, self.client(), ("acr", acr), needed, from);
        let required = self.scopes().union(&Scopes::of(S::names()));
        Err(Refused::of_authentication(self.place.clone(), required, step_up.clone()))
    }

    /// The scopes of the token, and those that they imply.
    fn effective(&self) -> Scopes {
        self.place.manner.scope_tree.expand(self.scopes())
    }

    fn insufficient(&self, required: Scopes) -> Refused {
        let (error, from) = (AccessError::InsufficientScope, self.place.from);
        let needed = Some(required.as_str());
        log::token(&error, self.client(), ("scope", self.scopes().as_str()), needed, from);
        Refused::new(error, Some(self.place.clone()), required)
    }

    /// The actor: a user through the client, or the client itself.
    pub fn actor(&self) -> &Actor {
        self.token.actor()
    }

    /// The user for whom the client acts; `None` if it acts for itself.
    pub fn user(&self) -> Option<&Arc<str>> {
        match self.actor() {
            Actor::User(subject) => Some(subject),
            Actor::Client(_) => None,
        }
    }

    /// The `client_id`.
    pub fn client(&self) -> &Arc<str> {
        self.token.client()
    }

    /// The scopes of the token (RFC 6749, section 3.3).
    pub fn scopes(&self) -> &Scopes {
        self.token.scopes()
    }

    /// The APIs that the token is for (RFC 8707); empty for the server's own.
    pub fn audience(&self) -> &Resources {
        self.token.audience()
    }

    /// The user's authentication; `None` if the client acts for itself.
    pub fn authentication(&self) -> Option<&Arc<Authentication>> {
        self.token.authentication()
    }

    /// The party that acts for the user, if the token was delegated to it, and those before it (RFC
    /// 8693, section 4.1). [`client`](Self::client) has exchanged the token.
    ///
    /// ```
    /// use quadrille::guard::Access;
    ///
    /// fn written_by(access: &Access) -> String {
    ///     match access.act() {
    ///         Some(act) => format!("{} for {:?}", act.sub, access.user()),
    ///         None => format!("{:?}", access.user()),
    ///     }
    /// }
    /// ```
    pub fn act(&self) -> Option<&Act> {
        self.token.act()
    }

    /// The data that the issuer keeps with the grant, if there is any: which album the user chose
    /// (`By::data`), for example. Of an issuer elsewhere, the members that no specification defines.
    ///
    /// ```
    /// use quadrille::guard::Access;
    ///
    /// async fn photos(access: Access) -> String {
    ///     let album = access.data().and_then(|data| data.get("album"));
    ///     format!("the album {album:?} of {:?}", access.user())
    /// }
    /// ```
    pub fn data(&self) -> Option<&Map<String, Value>> {
        self.token.data()
    }

    /// The expiry of the token: [`Timestamp::NEVER`] for most credentials of OAuth 1.0a.
    pub fn expires(&self) -> Timestamp {
        self.token.expires()
    }
}

impl Guard {
    /// The access of a request that comes through no layer: in a framework without tower. `body`
    /// matters as in [`check`](Self::check).
    ///
    /// ```
    /// use quadrille::{guard::{Guard, Refused}, scopes};
    ///
    /// scopes! { Photos = "photos:read", "See your photos"; }
    ///
    /// async fn list(guard: &Guard, request: http::Request<()>) -> Result<String, Refused> {
    ///     let (parts, ()) = request.into_parts();
    ///     let access = guard.access::<Photos>(&parts, b"").await?;
    ///     Ok(format!("the photos of {:?}", access.user()))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Refused`], which becomes the answer.
    pub async fn access<S: ScopeRequirement>(
        &self,
        parts: &Parts,
        body: &[u8],
    ) -> Result<Access<S>, Refused> {
        let mut extensions = Extensions::new();
        extensions.insert(self.judge(parts, body).await);
        Access::of(&extensions)
    }
}

impl<S: ScopeRequirement> Clone for Access<S> {
    fn clone(&self) -> Self {
        Self { token: self.token.clone(), place: self.place.clone(), required: PhantomData }
    }
}

impl<S: ScopeRequirement> fmt::Debug for Access<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("actor", self.actor())
            .field("client", self.client())
            .field("scopes", self.scopes())
            .finish_non_exhaustive()
    }
}

/// The verdict of the guard in front of the handler or, without one, of that which checks when a
/// handler asks.
fn guarded(extensions: &Extensions) -> Option<&Guarded> {
    let in_front = extensions.get();
    #[cfg(feature = "axum")]
    let in_front = in_front.or_else(|| extensions.get::<Lazy>()?.verdict.as_ref());
    in_front
}

fn refused<S: ScopeRequirement>(extensions: &Extensions, error: AccessError) -> Refused {
    if matches!(error, AccessError::NoGuard | AccessError::NotChecked) {
        tracing::error!("{error}");
    }
    let place = guarded(extensions).map(|guarded| guarded.place.clone());
    Refused::new(error, place, Scopes::of(S::names()))
}
