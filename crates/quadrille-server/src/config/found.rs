//! The values found for the settings, and how each is taken.

use std::{collections::BTreeMap, time::Duration};

use toml::Value;

use super::{
    effective::Effective,
    error::{ConfigError, Origin},
    keys::KEYS,
    shown,
    value::{self, Expected},
};

/// The values found for each setting. The value with the highest precedence comes first.
#[derive(Default)]
pub(super) struct Found {
    pub(super) values: BTreeMap<&'static str, (Origin, Value)>,
    pub(super) effective: Vec<Effective>,
}

impl Found {
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        default: Duration,
    ) -> Result<Duration, ConfigError> {
        self.or(key, value::duration, |duration| shown::duration(*duration), default)
    }

    /// A switch, `false` by default.
    pub(super) fn switch(&mut self, key: &'static str) -> Result<bool, ConfigError> {
        self.or(key, value::switch, ToString::to_string, false)
    }

    pub(super) fn or<T>(
        &mut self,
        key: &'static str,
        parse: fn(&Value) -> Result<T, Expected>,
        show: impl Fn(&T) -> String,
        default: T,
    ) -> Result<T, ConfigError> {
        if let Some(value) = self.take(key, parse, &show)? {
            return Ok(value);
        }
        self.note(key, show(&default), Origin::Default, None);
        Ok(default)
    }

    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        parse: fn(&Value) -> Result<T, Expected>,
        show: impl Fn(&T) -> String,
        absent: &str,
    ) -> Result<Option<T>, ConfigError> {
        let value = self.take(key, parse, show)?;
        if value.is_none() {
            self.note(key, format!("({absent})"), Origin::Default, None);
        }
        Ok(value)
    }

    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        parse: fn(&Value) -> Result<T, Expected>,
        show: impl Fn(&T) -> String,
    ) -> Result<Option<T>, ConfigError> {
        let Some((origin, raw)) = self.values.remove(key) else { return Ok(None) };
        let is_for_files = !KEYS.iter().any(|known| known.name == key && known.secret);
        match parse(&raw) {
            Ok(value) => {
                self.note(key, show(&value), origin, Some(raw).filter(|_| is_for_files));
                Ok(Some(value))
            }
            Err(expected) => Err(ConfigError::Invalid { origin, key, expected }),
        }
    }

    /// `true` if a setting that was taken has another origin than its default.
    pub(super) fn is_set(&self, key: &str) -> bool {
        let is_set = |setting: &Effective| setting.key == key && setting.origin != Origin::Default;
        self.effective.iter().any(is_set)
    }

    /// Keeps a value that was taken out of files, since it has a password.
    pub(super) fn keep_out_of_files(&mut self, key: &str) {
        let known = self.effective.iter_mut().find(|setting| setting.key == key);
        if let Some(setting) = known {
            setting.given = None;
        }
    }

    pub(super) fn note(
        &mut self,
        key: &'static str,
        value: String,
        origin: Origin,
        given: Option<Value>,
    ) {
        let about = KEYS.iter().find(|known| known.name == key).map_or("", |known| known.about);
        self.effective.push(Effective { key, value, given, origin, about });
    }
}
