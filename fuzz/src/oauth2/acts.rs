//! The actions of a sequence.

use arbitrary::Arbitrary;

use crate::world::{Consent, Operator, Wait};

#[derive(Arbitrary, Clone, Debug)]
pub(super) enum Act {
    /// A request, a consent and the redemption of the code, all of them correct.
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
    /// The number of the verifier. A multiple of eight means none.
    pub(super) verifier: u8,
    /// The number of the prompt. From 192 on, the request is for a token.
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

/// Whether a parameter is repeated with the value of the authorization request.
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

/// The authentication of a client.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Presented {
    /// The owner of the presented value, with its newest secret.
    Owner,
    OwnerAgain,
    /// The owner, with an earlier secret.
    OwnerBefore(u8),
    /// The owner, with a wrong secret.
    Wrong,
    Nothing,
    /// Another client, with its newest secret.
    Other(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Token {
    Access(u8),
    Refresh(u8),
    Code(u8),
}
