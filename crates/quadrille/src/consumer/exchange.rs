//! One request to an endpoint of a service's, in a login or a refresh.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, header};

use crate::{
    error::{Error, NetworkFault, Result},
    transport::Purpose,
};

use super::{
    api::USER_AGENT,
    login::{Login, Ready},
};

/// What an endpoint may answer at most.
const ANSWER_LIMIT: usize = 256 * 1024;
/// How long an endpoint may take.
const DEADLINE: Duration = Duration::from_secs(10);

impl Login {
    /// Sends a request once, and reads the answer whole.
    pub(crate) async fn ask_endpoint(
        &self,
        ready: &Ready,
        service: &Arc<str>,
        request: Request<Bytes>,
        purpose: Purpose,
    ) -> Result<Response<Bytes>> {
        let (mut parts, body) = request.into_parts();
        parts.headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        let request = Request::from_parts(parts, body.into());
        let asking = async {
            let answer = ready
                .http
                .send(request, purpose)
                .await
                .map_err(|fault| Error::Network { service: Arc::clone(service), fault })?;
            let (parts, body) = answer.into_parts();
            let body = body.collect(ANSWER_LIMIT).await.map_err(|error| error.at(service))?;
            Ok(Response::from_parts(parts, body))
        };
        tokio::time::timeout(DEADLINE, asking).await.unwrap_or_else(|_| {
            Err(Error::Network { service: Arc::clone(service), fault: NetworkFault::TimedOut })
        })
    }
}
