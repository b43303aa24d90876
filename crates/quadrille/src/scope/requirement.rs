//! Single scopes as types, and the requirements of handlers.

use super::set::Scopes;

/// One scope as a type, so that a handler's signature names it. Made by [`scopes!`](crate::scopes).
///
/// ```
/// use quadrille::{Scope, scopes};
///
/// scopes! {
///     pub Photos = "photos:read", "See your photos";
/// }
/// assert_eq!(Photos::NAME, "photos:read");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scope",
    label = "a type that `scopes!` made is wanted here",
    note = "declare it: `scopes! {{ Photos = \"photos:read\", \"See your photos\"; }}`"
)]
pub trait Scope: Send + Sync + 'static {
    /// The name in messages.
    const NAME: &'static str;
    /// A description for the user on the consent page.
    const DESCRIPTION: &'static str;
}

/// The requirement of a handler: a [`Scope`], a tuple of requirements (all), [`Any`] of a tuple
/// (one), or `()` (any valid token). `(Photos, Any<(Print, Upload)>)` is `Photos` and one of the
/// others.
///
/// ```
/// use quadrille::{Scopes, scope::{Any, ScopeRequirement}, scopes};
///
/// scopes! {
///     Photos = "photos:read", "See your photos";
///     Upload = "photos:write", "Add photos of yours";
/// }
///
/// let granted = Scopes::parse("photos:read")?;
/// assert!(Photos::is_met(&granted));
/// assert!(!<(Photos, Upload)>::is_met(&granted));
/// assert!(Any::<(Photos, Upload)>::is_met(&granted));
/// assert!(!<(Upload, Any<(Photos, Upload)>)>::is_met(&granted));
/// assert!(<()>::is_met(&Scopes::EMPTY));
/// # Ok::<(), quadrille::scope::InvalidScope>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which scopes are required",
    label = "a scope, a tuple of scopes, `Any` of a tuple, or `()` is wanted here",
    note = "`Photos` is one scope, `(Photos, Upload)` is both, `Any<(Photos, Upload)>` is one of \
            them, `()` is none",
    note = "scopes are types that `scopes!` makes: \
            `scopes! {{ Photos = \"photos:read\", \"See your photos\"; }}`"
)]
pub trait ScopeRequirement: Send + Sync + 'static {
    /// Whether `granted` suffices.
    fn is_met(granted: &Scopes) -> bool;
    /// The scopes to request, for a challenge (RFC 6750, section 3).
    fn names() -> Vec<&'static str>;
}

/// A requirement met by one of the scopes in the tuple `T`: `Any<(Read, Write)>`. A challenge names
/// the first one, so that a client does not request more than it needs.
///
/// ```
/// use quadrille::{Scopes, scope::{Any, ScopeRequirement}, scopes};
///
/// scopes! {
///     pub Read = "read", "See your photos";
///     pub Write = "write", "Change your photos";
/// }
/// let granted = Scopes::of(["write"]);
/// assert!(<Any<(Read, Write)>>::is_met(&granted));
/// assert!(!<(Read, Write)>::is_met(&granted));
/// assert_eq!(<Any<(Read, Write)>>::names(), ["read"]);
/// ```
#[derive(Debug)]
pub struct Any<T>(std::marker::PhantomData<fn() -> T>);

impl ScopeRequirement for () {
    fn is_met(_: &Scopes) -> bool {
        true
    }
    fn names() -> Vec<&'static str> {
        Vec::new()
    }
}

#[diagnostic::do_not_recommend]
impl<S: Scope> ScopeRequirement for S {
    fn is_met(granted: &Scopes) -> bool {
        granted.contains(S::NAME)
    }
    fn names() -> Vec<&'static str> {
        vec![S::NAME]
    }
}

macro_rules! tuples {
    ($first:ident $(, $name:ident)*) => {
        tuples! { @impl $first; $first $(, $name)* }
    };
    (@impl $first:ident; $($name:ident),+) => {
        impl<$($name: ScopeRequirement),+> ScopeRequirement for ($($name,)+) {
            fn is_met(granted: &Scopes) -> bool {
                $($name::is_met(granted))&&+
            }
            fn names() -> Vec<&'static str> {
                [$($name::names()),+].concat()
            }
        }
        impl<$($name: ScopeRequirement),+> ScopeRequirement for Any<($($name,)+)> {
            fn is_met(granted: &Scopes) -> bool {
                $($name::is_met(granted))||+
            }
            fn names() -> Vec<&'static str> {
                $first::names()
            }
        }
    };
}
tuples!(A);
tuples!(A, B);
tuples!(A, B, C);
tuples!(A, B, C, D);
tuples!(A, B, C, D, E);
tuples!(A, B, C, D, E, F);

/// Declares scopes as types, with their descriptions on a consent page.
///
/// ```
/// use quadrille::{Scope, scopes};
///
/// scopes! {
///     /// Reading photos.
///     pub Photos = "photos:read", "See your photos";
///     pub Upload = "photos:write", "Add photos of yours";
/// }
/// assert_eq!(Photos::NAME, "photos:read");
/// assert_eq!(Upload::DESCRIPTION, "Add photos of yours");
/// ```
#[macro_export]
macro_rules! scopes {
    ($($(#[$meta:meta])* $visibility:vis $type:ident = $name:literal, $description:literal;)+) => {
        $(
            $(#[$meta])*
            #[doc = concat!("The scope `", $name, "`: ", $description, ".")]
            #[derive(Clone, Copy, Debug)]
            $visibility struct $type;

            impl $crate::Scope for $type {
                const NAME: &'static str = $name;
                const DESCRIPTION: &'static str = $description;
            }
        )+
    };
}
