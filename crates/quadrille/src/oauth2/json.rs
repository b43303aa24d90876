//! A writer for the flat objects of responses. `serde_json` reads; writing a fixed shape by hand is
//! faster.

/// Writes one JSON object.
pub(crate) struct JsonObject(Vec<u8>);

impl JsonObject {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.push(b'{');
        Self(out)
    }

    /// Adds a text. Names in the code need no escapes.
    pub(crate) fn string(&mut self, name: &'static str, value: &str) {
        self.known(name);
        write_string(&mut self.0, value);
    }

    pub(crate) fn number(&mut self, name: &'static str, value: u64) {
        use std::io::Write as _;
        self.known(name);
        // Writing into a Vec cannot fail.
        let _ = write!(self.0, "{value}");
    }

    pub(crate) fn value(&mut self, name: &str, value: &serde_json::Value) {
        self.next();
        write_string(&mut self.0, name);
        self.0.push(b':');
        self.0.extend_from_slice(value.to_string().as_bytes());
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }

    fn known(&mut self, name: &'static str) {
        self.next();
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn next(&mut self) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    // `any` is slower: a loop without a branch looks at many bytes at a time.
    if text.bytes().fold(false, |found, byte| found | needs_escape(byte)) {
        for byte in text.bytes() {
            match byte {
                b'"' => out.extend_from_slice(b"\\\""),
                b'\\' => out.extend_from_slice(b"\\\\"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                b'\t' => out.extend_from_slice(b"\\t"),
                control @ 0..=0x1f => {
                    out.extend_from_slice(b"\\u00");
                    out.push(b'0' + (control >> 4));
                    out.push(
                        b"0123456789abcdef".get(usize::from(control & 15)).copied().unwrap_or(b'0'),
                    );
                }
                byte => out.push(byte),
            }
        }
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

const fn needs_escape(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_read_back_as_it_was() {
        let text: String =
            (0..=0x2ff).filter_map(char::from_u32).chain(['\u{2028}', '🦀']).collect();
        let mut object = JsonObject::with_capacity(16);
        object.string("s", &text);
        object.number("n", u64::MAX);
        object.value(&text, &serde_json::json!([null, {"a": 1.5}]));
        let read: serde_json::Value = serde_json::from_slice(&object.finish()).unwrap();
        assert_eq!(read["s"], text.as_str());
        assert_eq!(read["n"], u64::MAX);
        assert_eq!(read[&text][1]["a"], 1.5);
        assert_eq!(JsonObject::with_capacity(2).finish(), b"{}");
    }
}
