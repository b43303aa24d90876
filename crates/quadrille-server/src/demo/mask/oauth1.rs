//! What OAuth 1.0a writes differently: its header, the secrets that it signs with, the base string.

use url::form_urlencoded;

use super::{Masker, plain};
use crate::demo::{
    message::{Field, Piece, Signed},
    value::{Kind, ValueId},
};

impl Masker {
    /// Remembers which secret a client signs with: not the secret, but that there is one.
    pub(in crate::demo) fn introduce(&mut self, client_id: &str, client_secret: &str) {
        if let Piece::Masked(secret) = self.masked(Kind::ClientSecret, client_secret) {
            self.client_secrets.insert(client_id.to_owned(), secret);
        }
    }

    /// A form, which may bring a token and the secret that goes with it (RFC 5849, sections 2.1 and
    /// 2.3).
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

    /// A base string (RFC 5849, section 3.4.1), taken apart.
    pub(in crate::demo) fn signed(
        &mut self,
        base_string: &str,
        signature: Option<ValueId>,
    ) -> Option<Signed> {
        let mut parts = base_string.splitn(3, '&');
        let (method, address, parameters) = (parts.next()?, parts.next()?, parts.next()?);
        let mut fields = Vec::new();
        let mut written = Vec::new();
        // Encoded on their own first, and once more with all the others.
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
        let text = |name: &str| {
            let field = fields.iter().find(|field| field.name == name)?;
            match field.value.first() {
                Some(Piece::Plain(text)) => Some(text.clone()),
                _ => None,
            }
        };
        let token = fields.iter().find(|field| field.name == "oauth_token").and_then(masked);
        Some(Signed {
            method: decoded(method),
            address: decoded(address),
            parts: [vec![plain(method)], vec![plain(address)], written],
            algorithm: text("oauth_signature_method").unwrap_or_default(),
            client_secret: text("oauth_consumer_key")
                .and_then(|client| self.client_secrets.get(&client).copied()),
            token_secret: token.and_then(|token| self.token_secrets.get(&token).copied()),
            signature,
            parameters: fields,
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
        Piece::Plain(text) => plain(&encoded(&encoded(text))),
        Piece::Masked(id) => Piece::Masked(*id),
    }
}

/// RFC 5849, section 3.6.
fn encoded(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                all.push(char::from(byte));
            }
            _ => all.push_str(&format!("%{byte:02X}")),
        }
    }
    all
}

/// The way back. A form's `+` and `&` mean nothing here.
fn decoded(text: &str) -> String {
    let guarded = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(guarded.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
