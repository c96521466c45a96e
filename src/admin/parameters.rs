//! The parameters of a request, from its query; what is wrong with them is told as every refusal is.

use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::answers::ErrorBody;

/// Parameters that are known by name.
pub(super) trait Named: DeserializeOwned {
    /// In words, for requests that give others.
    const NAMES: &'static str;
}

/// The parameters of a request.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: Named, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = (StatusCode, Json<ErrorBody>);

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let refused = |code, error| Err((code, Json(ErrorBody { error })));
        let length = parts.uri.query().map_or(0, str::len);
        if length > LONGEST {
            return refused(
                StatusCode::URI_TOO_LONG,
                format!("the query has {length} bytes, and at most {LONGEST} are read"),
            );
        }
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(_) => {
                refused(StatusCode::BAD_REQUEST, format!("the parameters of {} are: {}", parts.uri.path(), T::NAMES))
            }
        }
    }
}

/// Bytes of a query: a few names of at most 255 letters, encoded.
const LONGEST: usize = 4096;
