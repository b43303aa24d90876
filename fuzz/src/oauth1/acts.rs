//! The actions of a sequence.

use arbitrary::Arbitrary;

use crate::world::{Consent, Operator, Wait};

#[derive(Arbitrary, Clone, Debug)]
pub(super) enum Act {
    /// From temporary credentials to token credentials.
    Dance {
        client: bool,
        browser: bool,
        scopes: u8,
        signed: Signed,
    },
    Begin {
        client: u8,
        callback: Callback,
        scopes: u8,
        signed: Signed,
    },
    Authorize {
        temporary: u8,
        browser: bool,
    },
    Answer {
        page: u8,
        browser: bool,
        consent: Consent,
    },
    Exchange {
        temporary: u8,
        verifier: Verifier,
        signed: Signed,
    },
    Call {
        token: u8,
        path: u8,
        signed: Signed,
    },
    Revoke {
        token: u8,
        signed: Signed,
    },
    Again {
        request: u8,
    },
    SignIn {
        browser: bool,
        user: u8,
    },
    Wait(Wait),
    Operator(Operator),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Callback {
    OutOfBand,
    Own(u8),
    Any(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Verifier {
    Right,
    RightAgain,
    None,
    Wrong,
}

/// The signature of a request.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) struct Signed {
    pub(super) method: u8,
    pub(super) placement: u8,
    pub(super) fault: Fault,
    /// The offset of the client's clock.
    pub(super) ahead: Ahead,
}

/// The fault of the request, mostly none.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Fault {
    None,
    NoneAgain,
    NoneEither,
    ClientSecret,
    TokenSecret,
    /// Another client signs, with its own secret.
    OtherClient(u8),
    /// A byte of the signature is changed.
    Signature(u8),
    Path,
    Method,
    Query,
    Body,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Ahead {
    Right,
    RightAgain,
    Seconds(i16),
}
