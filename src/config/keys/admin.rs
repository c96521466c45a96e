//! The keys of the admin API.

use serde_json::{Value as Json, json};

use super::declare::settings;
use super::key::Key;
use super::kind::{Destination, Flag, Kind, Networks, Optional, Path, Written, Wrong};
use super::section::Section;
use super::setting::Setting;
use super::virtual_server::CLIENT_SSL_PROFILE;
use crate::config::diagnostic::Severity;
use crate::config::fields::Fields;
use crate::model::{Admin, VirtualServer, overlap};

pub(in crate::config) const ADMIN: Section = Section {
    name: "section `admin`",
    doc: "Administration of a running pronk over the network, and the log of who changed what. The admin socket is always \
          there; these keys change nothing of it.",
    list: |keys| const { &AdminKeys }.list(keys),
};

settings!(
    AdminKeys = Admin {
        listen: Key::new(
            "listen",
            Optional(Destination),
            "`address:port` of the API. Without it, the API is served on the admin socket alone. Without `client-ssl` the \
             address must be one of loopback.",
        ),
        client_ssl: Key::new(
            "client-ssl",
            CLIENT_SSL_PROFILE,
            "The client-ssl profile whose certificate the API shows. With `peer-cert-mode: require` its clients need a \
             certificate besides their token.",
        )
        .default("none"),
        tokens_file: Key::new(
            "tokens-file",
            Optional(Path),
            "The file of the tokens, which `pronk admin token create` writes. It holds hashes, and must not be readable by \
             all users. It is read at each reload.",
        ),
        source: Key::new(
            "source",
            Networks,
            "Networks that clients of the API may come from; without any, all are let in. Others get no answer.",
        ),
        metrics_without_token: Key::new(
            "metrics-without-token",
            Flag,
            "Whether `/metrics` is answered over the network without a token.",
        )
        .default("false"),
        audit_log: Key::new(
            "audit-log",
            Optional(Path),
            "The file to which every change is appended: who, what, when, why, and what came of it. Without it, these \
             records are in the log.",
        ),
    }
);

/// The map of these keys, which is read once profiles are known.
#[derive(Clone, Copy)]
pub(super) struct AdminMap;

impl Kind for AdminMap {
    type Value = ();

    fn describe(&self) -> String {
        "a map".into()
    }

    fn schema(&self) -> Json {
        json!({ "$ref": "#/$defs/admin" })
    }

    fn read(&self, _: Written<'_>) -> Result<(), Wrong> {
        Ok(())
    }

    fn absent(&self) {}

    fn tell(&self, (): &()) -> String {
        String::new()
    }
}

/// Notes what does not fit together in the admin API.
pub(in crate::config) fn check<'a>(
    admin: &Admin,
    virtual_servers: impl Iterator<Item = &'a VirtualServer>,
    fields: &Fields<'_>,
) {
    let (listen, tokens_file, client_ssl) = (AdminKeys::listen(), AdminKeys::tokens_file(), AdminKeys::client_ssl());
    if let Some(profile) = admin.client_ssl.as_ref().filter(|it| it.cert_key_chain.is_empty())
        && fields.context.is_good_entry("profiles", profile.name.as_str())
    {
        let help = "make a profile with `defaults-from` and a `cert-key-chain`".to_owned();
        let message = format!("client-ssl profile `{}` has no certificate", profile.name);
        fields.error(fields.place(client_ssl), message, Some(help));
    }
    let Some(address) = admin.listen.filter(|_| fields.is_good(listen)) else {
        let unused = [tokens_file, client_ssl, AdminKeys::source(), AdminKeys::metrics_without_token()];
        if let Some(key) = unused.into_iter().find(|key| fields.has(key) && !fields.has(listen)) {
            let message = format!("`{key}` has no effect without `listen`");
            fields.report(
                Severity::Warning,
                fields.place(key),
                message,
                Some("write where the API listens".to_owned()),
            );
        }
        return;
    };
    if admin.tokens_file.is_none() && fields.is_good(tokens_file) {
        let help = "write `tokens-file`, and make a token with `pronk admin token create`".to_owned();
        fields.error(fields.place(listen), "the admin API listens and has no `tokens-file`", Some(help));
    }
    if admin.client_ssl.is_none() && fields.is_good(client_ssl) && !address.ip().is_loopback() {
        let message = format!("the admin API would send tokens over the network in plaintext, on {address}");
        let help = "name a `client-ssl` profile, or listen on 127.0.0.1 or [::1]".to_owned();
        fields.error(fields.place(listen), message, Some(help));
    }
    for other in virtual_servers.filter(|other| overlap(address, other.destination)) {
        let message = format!("virtual server `{}` listens on {}, too", other.name, other.destination);
        fields.error(fields.place(listen), message, Some("choose another port".to_owned()));
    }
}
