//! The response mode: the part of the redirect URI that has the answer (OAuth 2.0 Multiple Response
//! Type Encoding Practices).

use crate::{
    form::Params,
    oauth2::{ResponseMode, ResponseType},
};

/// The response modes in which a server answers that offers these response types (OAuth 2.0
/// Multiple Response Type Encoding Practices, section 2.1).
pub(crate) fn response_modes(offered: &[ResponseType]) -> impl Iterator<Item = ResponseMode> {
    let has_token = |it: &ResponseType| it.has_token();
    let query = (!offered.iter().all(has_token)).then_some(ResponseMode::Query);
    let fragment = offered.iter().any(has_token).then_some(ResponseMode::Fragment);
    query.into_iter().chain(fragment)
}

/// The response mode of a request, also of an invalid one, and `false` if that is not what the
/// request names: then it is the default of the response type. A response with a token is never in
/// a query (OAuth 2.0 Multiple Response Type Encoding Practices, section 3).
pub(super) fn response_mode(params: &Params<'_>, offered: &[ResponseType]) -> (ResponseMode, bool) {
    let mut types = params.many("response_type").map(ResponseMode::default_of);
    let default = match types.any(|mode| mode == ResponseMode::Fragment) {
        true => ResponseMode::Fragment,
        false => ResponseMode::Query,
    };
    let named = match params.one("response_mode") {
        Ok(None) => return (default, true),
        Ok(Some(name)) => response_modes(offered).find(|mode| mode.as_str() == name),
        Err(_) => None,
    };
    match (named, default) {
        (Some(ResponseMode::Query), ResponseMode::Fragment) | (None, _) => (default, false),
        (Some(mode), _) => (mode, true),
    }
}
