//! The values of statements.

/// A value of a statement, whose type the kind of database chooses.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Number(Option<i64>),
    Flag(Option<bool>),
    Bytes(Option<Vec<u8>>),
    /// A text that is compared byte for byte and indexed: an id, a subject or an issuer.
    Key(Option<Vec<u8>>),
    /// An actor: a letter and a [`Value::Key`].
    Actor(Option<Vec<u8>>),
    Text(Option<String>),
}

impl Value {
    /// The text of a key that is written. One that is looked for may be plain bytes.
    pub(super) fn key(text: &str) -> Self {
        Self::Key(Some(text.as_bytes().to_vec()))
    }

    pub(super) fn actor(text: impl Into<String>) -> Self {
        Self::Actor(Some(text.into().into_bytes()))
    }
}

/// Conversions of types, and of options of them.
macro_rules! from {
    ($($kind:ident: $type:ty, |$value:ident| $owned:expr;)+) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                Self::$kind(Some($owned))
            }
        }

        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::$kind(value.map(|$value| $owned))
            }
        }
    )+};
}

from! {
    Number: i64, |number| number;
    Flag: bool, |flag| flag;
    Bytes: &[u8], |bytes| bytes.to_vec();
    Bytes: &[u8; 16], |bytes| bytes.to_vec();
    Bytes: &[u8; 32], |bytes| bytes.to_vec();
    Bytes: Vec<u8>, |bytes| bytes;
    Text: &str, |text| text.to_owned();
    Text: String, |text| text;
}

/// The values of a statement, in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub struct Values(pub(super) Vec<Value>);

impl Values {
    pub(super) fn push(&mut self, value: impl Into<Value>) {
        self.0.push(value.into());
    }

    pub(super) fn extend(&mut self, values: Self) {
        self.0.extend(values.0);
    }
}

/// The values of a statement, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        $crate::provider::values::Values(vec![
            $($crate::provider::values::Value::from($value)),*
        ])
    };
}
pub(super) use values;
