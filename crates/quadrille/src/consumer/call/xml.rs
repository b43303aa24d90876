//! XML into the application's types.

use quick_xml::{Reader, events::Event};
use serde::de::DeserializeOwned;

/// The depth of elements. Reading is recursive, and a service must not exhaust the stack.
const DEEPEST: usize = 100;

/// Reads a document; `None` if it is not one of a `T`, or too deep. Entities of its own are
/// not expanded.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    is_flat(text).then(|| quick_xml::de::from_str(text).ok())?
}

fn is_flat(text: &str) -> bool {
    let (mut reader, mut depth) = (Reader::from_str(text), 0_usize);
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) if depth == DEEPEST => return false,
            Ok(Event::Start(_)) => depth += 1,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_documents_and_entities_of_their_own_are_refused() {
        let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(read::<serde_json::Value>(&nested(100)).is_some());
        assert!(read::<serde_json::Value>(&nested(101)).is_none());
        assert!(read::<serde_json::Value>(&"<a>".repeat(1_000_000)).is_none());
        let own = "<!DOCTYPE a [<!ENTITY x \"boom\">]><a><b>&x;</b></a>";
        #[derive(serde::Deserialize)]
        struct A {
            #[serde(rename = "b")]
            _b: String,
        }
        assert!(read::<A>(own).is_none());
    }
}
