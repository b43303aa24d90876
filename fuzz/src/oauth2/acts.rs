//! What can happen in a sequence.

use arbitrary::Arbitrary;

use crate::world::{Consent, Operator, Wait};

#[derive(Arbitrary, Clone, Debug)]
pub(super) enum Act {
    /// A request, a yes and the redemption of the code, all of them right.
    Dance {
        client: u8,
        browser: bool,
        scopes: u8,
    },
    Ask(Ask),
    Answer {
        page: u8,
        browser: bool,
        consent: Consent,
    },
    Redeem(Redeem),
    Refresh(Refresh),
    ForItself {
        client: u8,
        scopes: u8,
    },
    Revoke {
        token: Token,
        by: Presented,
    },
    Introspect {
        token: Token,
        by: Presented,
    },
    Call {
        token: Token,
        path: u8,
    },
    SignIn {
        browser: bool,
        user: u8,
    },
    SignOut {
        browser: bool,
    },
    Wait(Wait),
    Operator(Operator),
    RevokeToken(Token),
}

/// A request to the authorization endpoint.
#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Ask {
    pub(super) client: u8,
    pub(super) browser: bool,
    pub(super) uri: Uri,
    pub(super) scopes: u8,
    /// The number of the verifier; none where it is a multiple of eight.
    pub(super) verifier: u8,
    pub(super) prompt: u8,
    pub(super) for_api: bool,
}

/// A redirect URI.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Uri {
    None,
    Own(u8),
    Any(u8),
}

#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Redeem {
    pub(super) code: u8,
    pub(super) by: Presented,
    pub(super) uri: Alike,
    pub(super) verifier: Alike,
}

/// Whether something is repeated as it was asked with.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Alike {
    Same,
    SameAgain,
    None,
    Other(u8),
}

#[derive(Arbitrary, Clone, Debug)]
pub(super) struct Refresh {
    pub(super) token: u8,
    pub(super) by: Presented,
    pub(super) scopes: u8,
}

/// How a client authenticates.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Presented {
    /// As the owner of what is presented, with its newest secret.
    Owner,
    OwnerAgain,
    /// As its owner, with an earlier secret.
    OwnerBefore(u8),
    /// As its owner, with a wrong secret.
    Wrong,
    Nothing,
    /// As another client, with that one's newest secret.
    Other(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Token {
    Access(u8),
    Refresh(u8),
    Code(u8),
}
