//! Every close code of docs/troubleshooting.md, provoked as a user would, and what the client sees then.

mod accept;
mod book;
mod client_tls;
mod connect;
mod first_byte;
pub mod front;
mod member_tls;
mod queue;
mod relay;
mod select;
mod shortage;

use std::collections::BTreeSet;

use pronk::proxy::CloseReason;
use rustls::AlertDescription as Alert;

use crate::namespace::in_namespace;
use front::{Provoked, Sees};

/// Makes the table, and a test of each line: the function that provokes the code, which has the code's name, what the
/// client sees, and where the test has to run.
macro_rules! codes {
    ($($file:ident::$name:ident: $sees:expr $(, $inside:ident)?;)*) => {
        const PROVOKED: &[&str] = &[$(stringify!($name)),*];

        mod each {
            use super::*;

            $(
                #[test]
                fn $name() {
                    $(
                        if !$inside(concat!("codes::each::", stringify!($name))) {
                            return;
                        }
                    )?
                    ends_as_the_book_says(&code(stringify!($name)), &$file::$name(), &$sees);
                }
            )*
        }
    };
}

codes! {
    accept::source_refused: Sees::Reset;
    accept::connection_limit: Sees::Reset;
    accept::virtual_server_disabled: Sees::Reset;
    accept::service_down_immediate: Sees::Reset;
    accept::client_connection_limit: Sees::Reset;
    accept::client_rate_limit: Sees::Reset;
    accept::rate_limit: Sees::Reset;

    client_tls::client_plaintext: Sees::Reset;
    client_tls::client_handshake_timeout: Sees::Fin;
    client_tls::client_handshake_closed: Sees::Fin;
    client_tls::client_handshake_reset: Sees::Leaves;
    client_tls::client_tls_alert: Sees::Leaves;
    client_tls::client_tls_error: Sees::Alert(Alert::ProtocolVersion);
    client_tls::client_certificate_refused: Sees::Alert(Alert::CertificateRequired);

    first_byte::client_silent: Sees::Reset;
    first_byte::client_tls_unexpected: Sees::Reset;
    first_byte::client_left_silent: Sees::Fin;
    first_byte::client_reset_silent: Sees::Leaves;

    select::no_members: Sees::Reset;
    select::no_member_up: Sees::Reset;
    select::no_member_enabled: Sees::Reset;
    select::no_member_below_limit: Sees::Reset;
    select::no_member_below_rate: Sees::Reset;
    select::too_few_members_up: Sees::Reset;

    queue::queue_full: Sees::Reset;
    queue::queue_timeout: Sees::Reset;
    queue::client_left_queue: Sees::Leaves;

    connect::member_connect_refused: Sees::Reset;
    connect::member_connect_timeout: Sees::Reset;
    connect::member_unreachable: Sees::Reset;

    shortage::proxy_out_of_descriptors: Sees::Reset;
    shortage::proxy_out_of_ports: Sees::Reset, in_namespace;
    shortage::proxy_out_of_memory: Sees::Reset;
    shortage::proxy_socket_option: Sees::Reset;

    member_tls::member_plaintext: Sees::Reset;
    member_tls::member_handshake_timeout: Sees::Reset;
    member_tls::member_handshake_closed: Sees::Reset;
    member_tls::member_handshake_reset: Sees::Reset;
    member_tls::member_tls_alert: Sees::Reset;
    member_tls::member_tls_error: Sees::Reset;
    member_tls::member_certificate_name: Sees::Reset;
    member_tls::member_certificate_expired: Sees::Reset;
    member_tls::member_certificate_untrusted: Sees::Reset;
    member_tls::member_certificate_invalid: Sees::Reset;

    relay::client_fin: Sees::Fin;
    relay::client_reset: Sees::Leaves;
    relay::client_close_notify_missing: Sees::Fin;
    relay::client_tls_broken: Sees::Alert(Alert::DecodeError);
    relay::client_sent_alert: Sees::Fin;
    relay::client_keepalive_timeout: Sees::Leaves, in_namespace;
    relay::member_fin: Sees::Fin;
    relay::member_reset: Sees::Reset;
    relay::member_close_notify_missing: Sees::Fin;
    relay::member_tls_broken: Sees::Reset;
    relay::member_sent_alert: Sees::Reset;
    relay::member_keepalive_timeout: Sees::Reset, in_namespace;
    relay::member_gone: Sees::Fin;
    relay::member_expects_tls: Sees::Fin;
    relay::member_closed_unanswered: Sees::Fin;
    relay::member_silent_to_tls: Sees::Reset;
    relay::member_silent_to_sasl: Sees::Reset;
    relay::idle_timeout: Sees::Reset;
    relay::half_closed_timeout: Sees::Reset;
    relay::service_down_reset: Sees::Reset;
    relay::service_down_drop: Sees::Leaves;
    relay::drained: Sees::Reset;
    relay::drained_in_exchange: Sees::Reset;
    relay::drain_deadline: Sees::Reset;
    relay::drain_idle: Sees::Reset;
    relay::killed: Sees::Reset;
}

#[test]
fn every_code_of_the_book_and_of_pronk_is_provoked() {
    let provoked: BTreeSet<_> = PROVOKED.iter().map(|name| code(name)).collect();
    let in_the_book: BTreeSet<_> = book::codes().into_iter().map(|row| row.code).collect();
    let of_pronk: BTreeSet<_> = CloseReason::ALL.iter().map(|reason| reason.code().to_owned()).collect();
    assert_eq!(in_the_book, provoked);
    assert_eq!(of_pronk, provoked);
}

fn code(name: &str) -> String {
    name.replace('_', "-")
}

/// The record of the connection has what the book's row says.
#[track_caller]
fn ends_as_the_book_says(code: &str, provoked: &Provoked, sees: &Sees) {
    let record =
        provoked.pronk.logged(code, |line| line["message"] == "connection closed" && line["close.code"] == code);
    let of_every_line = ["timestamp", "level", "message", "target"];
    for field in record.as_object().unwrap().keys().filter(|field| !of_every_line.contains(&field.as_str())) {
        assert!(book::has_field(field), "docs/logging.md does not tell of {field}");
    }
    let logged = |field: &str| record[format!("close.{field}")].as_str().unwrap_or_default().to_owned();
    let logged = book::Row {
        code: code.to_owned(),
        who: logged("who"),
        phase: logged("phase"),
        mechanism: logged("mechanism"),
        remedy: logged("remedy"),
    };
    let book = book::codes().into_iter().find(|row| row.code == code);
    assert_eq!(book, Some(logged), "docs/troubleshooting.md, and the log: {record}");
    assert_eq!(provoked.sees, *sees, "what the client sees; {record}");
}
