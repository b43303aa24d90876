//! The account of the user of a request.

use std::sync::Arc;

use crate::{
    consumer::{
        account::Owner,
        call::api::Api,
        cookies::Jar,
        error::{NotLinkedReason, OperatorError, Result},
        login::{Login, registered::Registered},
        refresh::held::{Held, Wanted, not_linked},
        service::Service,
    },
    scope::ScopeRequirement,
};

use super::{Linked, forget};

impl Login {
    /// The account of the user of a request, for programs without axum: in axum, a handler takes
    /// [`Linked`]. The token is valid, or is refreshed now. Send [`Jar::close`]'s cookies with the
    /// response.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use quadrille::{Error, GitHub, Login, Owner, Result, consumer::Jar};
    ///
    /// async fn home(login: &Login, headers: &HeaderMap) -> Result<String> {
    ///     let jar = Jar::new(headers);
    ///     match login.linked_in_request::<GitHub>(&jar, &Owner::NOBODY).await {
    ///         Ok(github) => Ok(format!("You are number {}", github.subject())),
    ///         Err(Error::NotLinked(who)) => Ok(format!("Log in: {}", who.login_url)),
    ///         Err(error) => Err(error),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotLinked`](crate::Error::NotLinked), [`OperatorError::ServiceNotAdded`], and those
    /// of the storage and of a refresh.
    pub async fn linked_in_request<S: Service>(
        &self,
        jar: &Jar,
        owner: &Owner,
    ) -> Result<Linked<S>> {
        let unknown = || OperatorError::ServiceNotAdded { service: S::SPEC.name.into() };
        let registered = self.by_type::<S>()?.ok_or_else(unknown)?;
        self.linked_with(jar, &registered, owner, &Wanted::default()).await
    }

    pub(crate) async fn linked_with<S, Scope: ScopeRequirement>(
        &self,
        jar: &Jar,
        registered: &Arc<Registered>,
        owner: &Owner,
        wanted: &Wanted,
    ) -> Result<Linked<S, Scope>> {
        let missing = |reason| {
            let scopes = Scope::names().join(" ");
            not_linked(self, registered, wanted, reason, &scopes)
        };
        let Some(stored) = self.load(Some(jar), &registered.name, owner).await? else {
            return Err(missing(NotLinkedReason::Missing));
        };
        self.look_for_ended().await?;
        if self.has_ended_account(&stored) {
            forget(self, Some(jar), &stored.account).await?;
            return Err(missing(NotLinkedReason::Missing));
        }
        if !Scope::is_met(&stored.token.scopes) {
            return Err(missing(NotLinkedReason::ScopeMissing));
        }
        let is_usable = self.is_usable(&stored, None, None);
        let held = Held::new(self, registered, stored, Some(jar.clone()), wanted.clone());
        if !is_usable {
            // A refresh is rare, and would make the future of each request larger.
            Box::pin(held.usable(None, None)).await?;
        }
        Ok(Linked::new(Api::new(held)))
    }
}
