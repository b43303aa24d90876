//! The parts of OAuth 1.0a that differ: the header, the secrets that sign, the base string.

use quadrille::oauth1::{SignedRequest, percent_encode};
use url::form_urlencoded;

use super::{Masker, plain};
use crate::{
    message::{Field, Piece, Signed},
    value::{Kind, ValueId},
};

impl Masker {
    /// Registers the secret that a client signs with, as a masked value.
    pub(crate) fn introduce(&mut self, client_id: &str, client_secret: &str) {
        if let Piece::Masked(secret) = self.masked(Kind::ClientSecret, client_secret) {
            self.client_secrets.insert(client_id.to_owned(), secret);
        }
    }

    /// The fields of a form that may have a token and its secret (RFC 5849, sections 2.1 and 2.3).
    pub(super) fn credentials(&mut self, text: &str, kind: fn(&str) -> Kind) -> Vec<Field> {
        let fields = self.form(text, kind);
        let find = |name| fields.iter().find(|field| field.name == name).and_then(masked);
        if let (Some(token), Some(secret)) = (find("oauth_token"), find("oauth_token_secret")) {
            self.token_secrets.insert(token, secret);
        }
        fields
    }

    /// The parameters of an `Authorization: OAuth` header (RFC 5849, section 3.5.1).
    pub(super) fn quoted(&mut self, parameters: &str) -> Vec<Field> {
        let parameters = parameters.split(',').filter_map(|one| one.trim().split_once('='));
        parameters
            .map(|(name, value)| self.named(&decoded(name), &decoded(value.trim_matches('"'))))
            .collect()
    }

    /// The signed parts of a request (RFC 5849, section 3.4.1). `signature` is the one in the
    /// request.
    pub(crate) fn signed(
        &mut self,
        request: &SignedRequest<'_>,
        origin: &str,
        signature: Option<ValueId>,
    ) -> Option<Signed> {
        let base_string = request.base_string(origin);
        let mut parts = base_string.splitn(3, '&');
        let (method, address, parameters) = (parts.next()?, parts.next()?, parts.next()?);
        let mut fields = Vec::new();
        let mut written = Vec::new();
        // Each parameter is encoded by itself, and all of them together once more.
        for (index, pair) in parameters.split("%26").filter(|pair| !pair.is_empty()).enumerate() {
            let (name, value) = pair.split_once("%3D")?;
            let field = self.named(&decoded(&decoded(name)), &decoded(&decoded(value)));
            let mark = if index == 0 { "" } else { "%26" };
            written.push(plain(&format!("{mark}{name}%3D")));
            if masked(&field).is_some() {
                written.extend(field.value.iter().map(twice_encoded));
            } else {
                written.push(plain(value));
            }
            fields.push(field);
        }
        let token = fields.iter().find(|field| field.name == "oauth_token").and_then(masked);
        Some(Signed {
            method: decoded(method),
            address: decoded(address),
            parts: [vec![plain(method)], vec![plain(address)], written],
            parameters: fields,
            algorithm: request.method().as_str(),
            client_secret: self.client_secrets.get(request.client()).copied(),
            token_secret: token.and_then(|token| self.token_secrets.get(&token).copied()),
            signature,
        })
    }
}

fn masked(field: &Field) -> Option<ValueId> {
    field.value.iter().find_map(|piece| match piece {
        Piece::Masked(id) => Some(*id),
        Piece::Plain(_) => None,
    })
}

fn twice_encoded(piece: &Piece) -> Piece {
    match piece {
        Piece::Plain(text) => plain(&percent_encode(&percent_encode(text))),
        Piece::Masked(id) => Piece::Masked(*id),
    }
}

/// The inverse of [`percent_encode`]. A form's `+` and `&` have no meaning here.
fn decoded(text: &str) -> String {
    let guarded = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(guarded.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
