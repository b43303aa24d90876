//! The signature of a request, step by step.

use serde::Serialize;

use super::{
    chip::Chip,
    message::{Message, Signed},
    written::{Line, Part, Writer},
};

/// A signature, taken apart.
#[derive(Debug, Serialize)]
pub(super) struct Proof {
    method: String,
    address: String,
    parameters: Vec<Line>,
    /// The base string: method, address and parameters, encoded.
    parts: [Vec<Part>; 3],
    algorithm: &'static str,
    client_secret: Option<Chip>,
    token_secret: Option<Chip>,
    signature: Option<Chip>,
    /// Whether the request has parameters in its URL or its form, beside those of the protocol.
    own_parameters: bool,
}

impl Proof {
    /// The proof of a signed request.
    pub(super) fn of(writer: Writer<'_>, message: &Message, signed: &Signed) -> Self {
        let chip = |id| Chip::of(writer.dance, id);
        let line = |(index, field)| {
            let mark = if index == 0 { "" } else { "&" };
            writer.line(message, field, (mark, "="), false)
        };
        Self {
            method: signed.method.clone(),
            address: signed.address.clone(),
            parameters: signed.parameters.iter().enumerate().map(line).collect(),
            parts: signed.parts.each_ref().map(|part| writer.text(part)),
            algorithm: signed.algorithm,
            client_secret: signed.client_secret.and_then(chip),
            token_secret: signed.token_secret.and_then(chip),
            signature: signed.signature.and_then(chip),
            own_parameters: signed.parameters.iter().any(|field| !field.name.starts_with("oauth_")),
        }
    }
}
