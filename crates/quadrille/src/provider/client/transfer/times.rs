//! The times of a line. They are seconds, as `client_id_issued_at` and `client_secret_expires_at` are (RFC
//! 7591, section 3.2.1); those of a record are milliseconds.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::error::LineError;

/// The times, each by the members that lead to it, which are objects or lists of them.
const TIMES: [&[&str]; 6] = [
    &["created"],
    &["secrets", "created"],
    &["secrets", "expires"],
    &["oauth1", "keys", "expires"],
    &["registration", "changed"],
    &["registration", "unused_until"],
];

/// The seconds from 1970 to the year 9999. In milliseconds, times after 1978 are above.
const SECONDS: RangeInclusive<i64> = 0..=253_402_300_799;

/// Turns the times of a record into those of a line.
pub(super) fn of_line(record: &mut Map<String, Value>) {
    for path in TIMES {
        each(record, path, &mut |time| {
            if let Some(millis) = time.as_i64() {
                *time = millis.div_euclid(1000).into();
            }
        });
    }
}

/// Turns the times of a line into those of a record.
///
/// # Errors
/// [`LineError::Time`] or [`LineError::Milliseconds`].
pub(super) fn of_record(line: &mut Map<String, Value>) -> Result<(), LineError> {
    for path in TIMES {
        let mut wrong = None;
        each(line, path, &mut |time| match time.as_i64() {
            Some(seconds) if SECONDS.contains(&seconds) => *time = (seconds * 1000).into(),
            // What is no number is told by the type of the member.
            None if !time.is_number() => {}
            number => wrong = Some(number),
        });
        let is_millis = |number: i64| SECONDS.contains(&(number / 1000)) && number > 0;
        match wrong {
            None => {}
            Some(Some(number)) if is_millis(number) => {
                return Err(LineError::Milliseconds(path.join(".")));
            }
            Some(_) => return Err(LineError::Time(path.join("."))),
        }
    }
    Ok(())
}

/// Does `work` at every place of a path.
fn each(object: &mut Map<String, Value>, path: &[&str], work: &mut dyn FnMut(&mut Value)) {
    let Some((name, rest)) = path.split_first() else { return };
    let Some(value) = object.get_mut(*name) else { return };
    if rest.is_empty() {
        return work(value);
    }
    let inner = match value {
        Value::Array(items) => items.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    inner.iter_mut().filter_map(Value::as_object_mut).for_each(|object| each(object, rest, work));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(line: Value) -> Result<Value, String> {
        let Value::Object(mut line) = line else { panic!() };
        of_record(&mut line).map(|()| Value::Object(line)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_time_of_a_line_is_in_seconds() {
        let line = json!({
            "created": 7,
            "secrets": [{ "created": 8, "expires": null }, { "expires": 9 }],
            "oauth1": { "keys": [{ "expires": 10 }] },
            "registration": { "changed": 11, "unused_until": 12 },
            "lifetimes": { "code": 60 },
        });
        let record = read(line.clone()).unwrap();
        assert_eq!(record["created"], 7000);
        assert_eq!(record["secrets"][1]["expires"], 9000);
        assert_eq!(record["lifetimes"]["code"], 60);
        let Value::Object(mut back) = record else { panic!() };
        back.insert("created".to_owned(), 7999.into());
        of_line(&mut back);
        assert_eq!(Value::Object(back), line);
    }

    #[test]
    fn times_out_of_range_and_those_in_milliseconds_are_refused() {
        for (line, said) in [
            (json!({ "created": -1 }), "created is no time in seconds since 1970"),
            (json!({ "created": i64::MAX }), "created is no time in seconds since 1970"),
            (json!({ "created": u64::MAX }), "created is no time in seconds since 1970"),
            (json!({ "created": 1.5 }), "created is no time in seconds since 1970"),
            (
                json!({ "created": 1_796_057_576_311_i64 }),
                "created is in milliseconds: times are seconds since 1970",
            ),
            (
                json!({ "secrets": [{ "expires": 253_402_300_800_i64 }] }),
                "secrets.expires is in milliseconds: times are seconds since 1970",
            ),
        ] {
            assert_eq!(read(line.clone()), Err(said.to_owned()), "{line}");
        }
        assert!(read(json!({ "created": 253_402_300_799_i64 })).is_ok());
    }
}
