//! The recording of an exchange.

use bytes::Bytes;
use http::{Request, Response};

use crate::transport::{Purpose, SendError};

use super::{
    State, Tape, TapeError,
    exchange::{Exchange, Named, Received, Sent},
    file,
    left::Left,
};

impl Tape {
    /// Writes an exchange, without its secrets. Those that became known by it are replaced in the exchanges
    /// before, too, and one that still contains a secret is taken off the tape.
    pub(super) fn record(
        &self,
        request: &Request<Bytes>,
        response: &Response<Bytes>,
        purpose: Purpose,
    ) -> Result<(), TapeError> {
        let state = &mut *self.state();
        let sent = Sent::of(request, purpose, &mut state.secrets);
        let received = Received::of(response, purpose, &mut state.secrets);
        let mut new = Exchange { purpose: Named(purpose), request: sent, response: received };
        new.replace_known(&state.secrets);
        let before = state.exchanges.len();
        let mut first = before;
        if state.searched != state.secrets.count() {
            state.searched = state.secrets.count();
            state.exchanges.iter_mut().for_each(|old| old.replace_known(&state.secrets));
            first = 0;
        }
        state.exchanges.push(new);
        state.plays.push(1);
        let mut fault = None;
        loop {
            let searched = state.exchanges.get(first..).unwrap_or_default();
            let new = searched.len().saturating_sub(1);
            let Some((number, left)) = file::secret_left(searched, &state.secrets, new) else {
                break;
            };
            first += number - 1;
            let taken = self.take_off(state, first, left);
            fault.get_or_insert(taken);
        }
        let written = match state.exchanges.is_empty() {
            // The file of an older recording stays, unless this one has written it.
            true if before == 0 => Ok(()),
            true => file::remove(&self.0.path),
            false => file::write(&self.0.path, &state.exchanges, &state.secrets),
        };
        fault.map_or(written, Err)
    }

    /// Takes the exchange at this place off the tape.
    fn take_off(&self, state: &mut State, at: usize, left: Left) -> TapeError {
        let taken = state.exchanges.remove(at);
        state.plays.remove(at);
        let text = taken.request.to_string();
        // The text of the request is shown only if it is not what contains the secret.
        let request = match left.member == "request.url" || state.secrets.needles().are_in(&text) {
            true => taken.request.method,
            false => text,
        };
        let (path, exchange, member) = (self.0.path.clone(), at + 1, left.member);
        match left.unclear {
            Some(name) => TapeError::Unclear { path, request, exchange, member, name },
            None => TapeError::SecretLeft { path, request, exchange, member },
        }
    }

    /// The fault of a request with a placeholder as its credentials.
    pub(super) fn placeholder(&self, request: &Request<Bytes>, purpose: Purpose) -> TapeError {
        let state = self.state();
        let request = Sent::of(request, purpose, &mut state.secrets.comparing()).to_string();
        TapeError::Placeholder { path: self.0.path.clone(), request, variable: state.unset.clone() }
    }

    /// The fault of a request that the tape lacks, and that the network does not answer.
    pub(super) fn unreached(&self, fault: Box<TapeError>, error: &SendError) -> SendError {
        let cause = match &error.cause {
            Some(cause) => format!("{}: {cause}", error.reason),
            None => error.reason.to_string(),
        };
        let fault = TapeError::Unreached { fault, cause };
        self.state().errors.push(fault.clone());
        SendError::new(error.reason, fault)
    }
}
