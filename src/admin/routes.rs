//! The table of routes. A new one is a row here and a function that answers it.

use axum::http::StatusCode;

use super::administration::{AdministrativeChanges, Changed, ClearQuery, SetQuery};
use super::answers::{Reloaded, Resumed, TakenOver};
use super::api::{self, ExplainQuery, MemberQuery, ReloadQuery, UpgradeQuery};
use super::connection_list::ListedConnections;
use super::connections::{KillQuery, Killed, ListQuery};
use super::drains::{DrainProgress, DrainQuery, DrainedQuery, StopProgress, StopQuery};
use super::explain::Explained;
use super::health::{HealthAnswer, ReadyQuery};
use super::metrics::metrics;
use super::names::Names;
use super::network_map::Map;
use super::observation;
use super::persistence::{Deleted, Filter, Listed};
use super::route::{Access, Route};
use super::statistics::{ResetQuery, StatisticsReset, Stats};
use super::top_clients::TopClients;
use crate::access::Role::{Admin, Operator};
use crate::inventory;

/// Returns the routes of the API.
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/map", "Returns the network map: virtual servers, pools and members, each with its status.")
            .answers::<Map>()
            .by(api::map),
        Route::get("/healthz", "Returns whether the process answers; 503 if not.")
            .access(Access::Anyone)
            .answers::<HealthAnswer>()
            .also_with(&[StatusCode::SERVICE_UNAVAILABLE])
            .by(observation::healthz),
        Route::get("/readyz", "Returns whether clients are served, by any virtual server or by one; 503 if not.")
            .access(Access::Anyone)
            .parameters::<ReadyQuery>()
            .answers::<HealthAnswer>()
            .also_with(&[StatusCode::NOT_FOUND, StatusCode::SERVICE_UNAVAILABLE])
            .by(observation::readyz),
        Route::get("/metrics", "Returns the metrics for Prometheus, or as OpenMetrics where `Accept` asks for it.")
            .access(Access::Metrics)
            .answers_text(&["text/plain", "application/openmetrics-text"])
            .by(metrics),
        Route::get("/v1/names", "Returns the names of virtual servers, pools, nodes and members.")
            .answers::<Names>()
            .by(observation::names),
        Route::get("/v1/stats", "Returns the statistics of virtual servers, pools and members.")
            .answers::<Stats>()
            .by(observation::stats),
        Route::get("/v1/certificates", "Returns the certificates in use, what is found in them, and when they expire.")
            .answers::<inventory::Snapshot>()
            .by(api::certificates),
        Route::get("/v1/explain", "Returns which member would serve a client, step by step, and which did lately.")
            .parameters::<ExplainQuery>()
            .answers::<Explained>()
            .refuses(&[StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY])
            .by(api::explain),
        Route::get("/v1/persistence", "Returns the persistence records that match all parameters.")
            .parameters::<Filter>()
            .answers::<Listed>()
            .refuses(&[StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY])
            .by(api::list_persistence),
        Route::get("/v1/administration", "Returns what administrators set over the configuration file.")
            .answers::<AdministrativeChanges>()
            .by(api::list_administration),
        Route::get("/v1/connections", "Returns the open connections that match all parameters.")
            .parameters::<ListQuery>()
            .answers::<ListedConnections>()
            .refuses(&[StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY])
            .by(api::list_connections),
        Route::get("/v1/connections/top", "Returns the clients with the most connections to each member.")
            .parameters::<ListQuery>()
            .answers::<TopClients>()
            .refuses(&[StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY])
            .by(api::top_clients),
        Route::get("/v1/drain", "Returns how far the drain of a node, a member or a virtual server is.")
            .parameters::<DrainedQuery>()
            .answers::<DrainProgress>()
            .refuses(&[StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY])
            .by(api::drain_progress),
        Route::get("/v1/stop", "Returns how far the end of the process is.")
            .answers::<StopProgress>()
            .by(api::stop_progress),
        Route::get("/v1/openapi.json", "Returns this document.").answers::<serde_json::Value>().by(api::document),
        Route::post("/v1/administration", "Sets the state or the ratio of a node, a member or a virtual server.")
            .role(Operator)
            .parameters::<SetQuery>()
            .answers::<Changed>()
            .refuses(&COMMAND)
            .by(api::administer),
        Route::post("/v1/administration/clear", "Forgets what was set of one thing or of all: the file counts again.")
            .role(Admin)
            .parameters::<ClearQuery>()
            .answers::<Changed>()
            .refuses(&COMMAND)
            .by(api::clear_administration),
        Route::post(
            "/v1/drain",
            "Takes a node, a member or a virtual server out of service, and ends what is left as asked.",
        )
        .role(Operator)
        .parameters::<DrainQuery>()
        .answers::<DrainProgress>()
        .refuses(&COMMAND)
        .by(api::drain),
        Route::post("/v1/connections/kill", "Ends the connections that match all parameters, or counts them.")
            .role(Operator)
            .parameters::<KillQuery>()
            .answers::<Killed>()
            .refuses(&[StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY])
            .by(api::kill_connections),
        Route::post("/v1/members/resume", "Lets a member come up again that a monitor with manual-resume holds down.")
            .role(Operator)
            .parameters::<MemberQuery>()
            .answers::<Resumed>()
            .refuses(&COMMAND)
            .by(api::resume),
        Route::post("/v1/stats/reset", "Has statistics begin anew, of all or of what is named.")
            .role(Operator)
            .parameters::<ResetQuery>()
            .answers::<StatisticsReset>()
            .refuses(&[StatusCode::NOT_FOUND])
            .by(observation::reset),
        Route::post("/v1/persistence/delete", "Deletes the persistence records that match all parameters.")
            .role(Operator)
            .parameters::<Filter>()
            .answers::<Deleted>()
            .refuses(&[StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY])
            .by(api::delete_persistence),
        Route::post("/v1/reload", "Reads the configuration file and applies it, or tells what would change.")
            .role(Admin)
            .parameters::<ReloadQuery>()
            .answers::<Reloaded>()
            .refuses(&[StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY])
            .by(api::reload),
        Route::post(
            "/v1/stop",
            "Stops pronk as SIGTERM does, with what drains after an upgrade, or changes how long that may take.",
        )
        .role(Admin)
        .parameters::<StopQuery>()
        .answers::<StopProgress>()
        .by(api::stop),
        Route::post("/v1/upgrade", "Has a new process take over, and answers when it serves; this one drains.")
            .role(Admin)
            .parameters::<UpgradeQuery>()
            .answers::<TakenOver>()
            .refuses(&[StatusCode::CONFLICT])
            .by(api::upgrade),
    ]
}

/// The refusals of commands that name something.
const COMMAND: [StatusCode; 3] = [StatusCode::NOT_FOUND, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];
