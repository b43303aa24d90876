//! The code and the status of each mistake of the application.

use http::StatusCode;

use super::{operator::OperatorError, storage::StorageError};

impl OperatorError {
    /// The stable code, for logs, help pages and clients.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::VariableMissing { .. } => "variable_missing",
            Self::SettingMissing { .. } => "setting_missing",
            Self::SettingUnknown { .. } => "setting_unknown",
            Self::SectionUnknown { .. } => "section_unknown",
            Self::SettingMalformed { .. } => "setting_malformed",
            Self::SettingRefused { error, .. } => error.code(),
            Self::KeyRing(_) => "keys_malformed",
            Self::PublicUrlMalformed => "public_url_malformed",
            Self::PublicUrlInsecure => "public_url_insecure",
            Self::MountMalformed => "mount_malformed",
            Self::EndpointMalformed { .. } => "endpoint_malformed",
            Self::BaseMalformed { .. } => "base_malformed",
            Self::ResourceMalformed { .. } => "resource_malformed",
            Self::MemberMalformed { .. } => "member_malformed",
            Self::ParameterReserved { .. } => "parameter_reserved",
            Self::JsonCallbackMalformed { .. } => "json_callback_malformed",
            Self::OpenerMalformed => "opener_malformed",
            Self::ClockLeewayTooLong => "clock_leeway_too_long",
            Self::DataTooLarge { .. } => "data_too_large",
            Self::SecretMalformed { .. } => "secret_malformed",
            Self::SecretNotMade { .. } => "secret_not_made",
            Self::CredentialMismatch { .. } => "credential_mismatch",
            Self::ClientKeysMissing { .. } => "client_keys_missing",
            Self::SigningKeyUnusable { .. } => "signing_key_unusable",
            Self::NotOutOfBand { .. } => "not_out_of_band",
            Self::NotOpenId { .. } => "not_openid",
            Self::RequestObjectUnusable { .. } => "request_object_unusable",
            Self::ServiceNameMalformed { .. } => "service_name_malformed",
            Self::ServiceRepeated { .. } => "service_repeated",
            Self::NoDeviceFlow { .. } => "no_device_flow",
            Self::NotForPrograms { .. } => "not_for_programs",
            Self::LoopbackPortMissing { .. } => "loopback_port_missing",
            Self::LoopbackPathMalformed => "loopback_path_malformed",
            Self::LoopbackListen { .. } => "loopback_listen",
            Self::NoServices => "no_services",
            Self::ClientIdMalformed { .. } => "client_id_malformed",
            Self::ScopeMalformed { .. } => "scope_malformed",
            Self::SecretMissing { .. } => "secret_missing",
            Self::ServiceNotAdded { .. } => "service_not_added",
            Self::NestedElsewhere { .. } => "nested_elsewhere",
            Self::ServiceUnknown { .. } => "service_unknown",
            Self::TenantLookup { .. } => "tenant_lookup_failed",
            Self::ServiceMismatch { .. } => "service_mismatch",
            Self::NotAttached => "not_attached",
            Self::RoutesMissing => "routes_missing",
            Self::EphemeralKeys => "ephemeral_keys",
            Self::KeyUnknown => "key_unknown",
            Self::CookieTooLarge { .. } => "cookie_too_large",
            Self::AnswerHasLeft => "answer_has_left",
            Self::OutsideRequest => "outside_request",
            Self::StorageInBrowser { .. } => "storage_in_browser",
            Self::DomainMalformed { .. } => "domain_malformed",
            Self::Storage(_) => "storage_failed",
            Self::ForeignOrigin => "foreign_origin",
            Self::CallMalformed => "call_malformed",
            Self::TokenSecretMissing => "token_secret_missing",
            Self::HttpClient => "http_client",
            Self::Io(_) => "io",
        }
    }

    /// The status of the response to the user.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::ServiceUnknown { .. } | Self::NotOpenId { .. } => StatusCode::NOT_FOUND,
            error if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether a later attempt may succeed.
    pub(crate) const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Storage(StorageError::Unavailable | StorageError::Unwritable)
                | Self::TenantLookup { .. }
        )
    }
}
