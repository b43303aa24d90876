//! The response mode: where the answer is (OAuth 2.0 Multiple Response Type Encoding Practices; OAuth
//! 2.0 Form Post Response Mode).

use crate::{
    form::Params,
    oauth2::{ResponseMode, ResponseType},
};

/// The response modes in which a server answers that offers these response types (OAuth 2.0
/// Multiple Response Type Encoding Practices, section 2.1), and with forms if it
/// sends those.
pub(crate) fn response_modes(
    offered: &[ResponseType],
    has_form: bool,
) -> impl Iterator<Item = ResponseMode> {
    let is_direct = |it: &ResponseType| it.has_any_token();
    let query = (!offered.iter().all(is_direct)).then_some(ResponseMode::Query);
    let fragment = offered.iter().any(is_direct).then_some(ResponseMode::Fragment);
    let form = (has_form && !offered.is_empty()).then_some(ResponseMode::FormPost);
    query.into_iter().chain(fragment).chain(form)
}

/// The response mode of a request, also of an invalid one, and `false` if that is not what the
/// request names: then it is the default of the response type. A response with a token is never in
/// a query (OAuth 2.0 Multiple Response Type Encoding Practices, section 3).
pub(super) fn response_mode(
    params: &Params<'_>,
    offered: &[ResponseType],
    has_form: bool,
) -> (ResponseMode, bool) {
    let mut types = params.many("response_type").map(ResponseMode::default_of);
    let default = match types.any(|mode| mode == ResponseMode::Fragment) {
        true => ResponseMode::Fragment,
        false => ResponseMode::Query,
    };
    let named = match params.one("response_mode") {
        Ok(None) => return (default, true),
        Ok(Some(name)) => response_modes(offered, has_form).find(|mode| mode.as_str() == name),
        Err(_) => None,
    };
    match (named, default) {
        (Some(ResponseMode::Query), ResponseMode::Fragment) | (None, _) => (default, false),
        (Some(mode), _) => (mode, true),
    }
}
