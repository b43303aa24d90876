//! Access without a guard, for unit tests of handlers.

use std::sync::Arc;

use http::Extensions;
use serde_json::Map;

use crate::{
    Scopes, Timestamp,
    actor::{Actor, Authentication},
    oauth2::Resources,
    scope::{ScopeRequirement, ScopeTree},
};

use super::{
    access::Access,
    refused::{Manner, Place, Refused},
    told::Told,
    verdict::Guarded,
    verified::Verified,
};

impl<S: ScopeRequirement> Access<S> {
    /// The access of this actor through the client `test-client`, with these scopes, separated by
    /// spaces: for a unit test that calls a handler without a router. The token never expires.
    ///
    /// ```
    /// use quadrille::{Actor, guard::Access, scopes};
    ///
    /// scopes! { Photos = "photos:read", "See your photos"; }
    ///
    /// async fn list(access: Access<Photos>) -> String {
    ///     format!("the photos of {}", access.user().map_or("nobody", |user| user))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let access = Access::test(Actor::User("ada".into()), "photos:read")?;
    /// assert_eq!(list(access).await, "the photos of ada");
    ///
    /// let refused = Access::<Photos>::test(Actor::User("ada".into()), "profile").unwrap_err();
    /// assert_eq!(refused.to_response().status(), 403);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Refused`] if the handler needs other scopes.
    pub fn test(actor: Actor, scopes: &str) -> Result<Self, Refused> {
        let client = match &actor {
            Actor::Client(client) => Arc::clone(client),
            Actor::User(_) => "test-client".into(),
        };
        let authentication = match &actor {
            Actor::User(subject) => {
                let at = Timestamp::from_seconds(0);
                Some(Arc::new(Authentication::new(subject.as_ref(), at)))
            }
            Actor::Client(_) => None,
        };
        let scopes = Scopes::of(scopes.split_ascii_whitespace());
        let facts = Told {
            client,
            actor,
            scopes,
            audience: Resources::EMPTY,
            authentication,
            expires: Timestamp::NEVER,
            binding: None,
            act: None,
            data: Map::new(),
        };
        let manner = Manner {
            origins: vec!["https://api.example".into()],
            metadata: None,
            offers_oauth1: false,
            scope_tree: ScopeTree::new(),
            page: None,
        };
        let place = Place {
            manner: Arc::new(manner),
            origin: 0,
            at: Timestamp::from_seconds(0),
            from: None,
        };
        let mut extensions = Extensions::new();
        let verdict = Ok(Some(Verified::new(Arc::new(facts))));
        extensions.insert(Guarded { place, verdict });
        Self::of(&extensions)
    }
}
