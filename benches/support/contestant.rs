//! Who takes part in a comparison, and which program that is.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use super::running;

/// Who takes part. All have one thread, TLS 1.3, the same certificate, the same member, and write a line per connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    Pronk,
    /// Another build of it, to compare with.
    Before,
    /// pronk without a line for each connection, and without anybody who reads its metrics.
    Unobserved,
    Haproxy,
    /// With what its manual offers for this work: splicing, large buffers, and the cipher that costs least.
    HaproxyTuned,
    Nginx,
    /// No proxy, but the least that one can do: [`super::bare`] and [`super::bare_loop`].
    Bare,
}

impl Contestant {
    /// Those whose programs are here and whose names contain one of some parts, which commas separate.
    pub fn present(parts: &str) -> Vec<Self> {
        if is_observed() {
            return vec![Self::Pronk, Self::Unobserved];
        }
        let mut all = vec![Self::Pronk];
        all.extend(env::var_os("PRONK_BEFORE").map(|_| Self::Before));
        for peers in [&[Self::Haproxy, Self::HaproxyTuned][..], &[Self::Nginx]] {
            match peers[0].is_here() {
                Ok(()) => all.extend(peers),
                Err(why) => println!("{} is not here ({why}), so pronk is not compared with it", peers[0]),
            }
        }
        all.retain(|contestant| contestant.is_named_by(parts));
        assert!(!all.is_empty(), "no contestant's name contains any of {parts}");
        all
    }

    /// Returns whether its name contains one of some parts, which commas separate.
    pub fn is_named_by(self, parts: &str) -> bool {
        parts.split(',').any(|part| self.to_string().contains(part))
    }

    fn is_here(self) -> Result<(), String> {
        Command::new(self.program()).arg("-v").output().map_err(|error| error.to_string())?;
        let module = (self == Self::Nginx).then(nginx_module);
        match module {
            Some(module) if !module.is_file() => Err(format!("its module {} is missing", module.display())),
            _ => Ok(()),
        }
    }

    /// `PRONK_BIN`, `HAPROXY_BIN` and `NGINX_BIN` put other builds in their places, and `PRONK_BEFORE` is one more.
    pub fn program(self) -> PathBuf {
        let or = |variable: &str, otherwise: &str| env::var_os(variable).unwrap_or_else(|| otherwise.into()).into();
        match self {
            Self::Pronk | Self::Unobserved => running::program(),
            Self::Before => or("PRONK_BEFORE", env!("CARGO_BIN_EXE_pronk")),
            Self::Haproxy | Self::HaproxyTuned => or("HAPROXY_BIN", "haproxy"),
            Self::Nginx => or("NGINX_BIN", "nginx"),
            Self::Bare => env::current_exe().unwrap(),
        }
    }

    pub fn version(self) -> String {
        if self == Self::Bare {
            return "an epoll loop, splice(2), and rustls with large buffers: no choice, no limits, no log".to_owned();
        }
        let flag = if matches!(self, Self::Pronk | Self::Before | Self::Unobserved) { "--version" } else { "-v" };
        let output = Command::new(self.program()).arg(flag).output().unwrap();
        // nginx says it on the other one.
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&said).lines().next().unwrap_or("says no version").to_owned()
    }
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pronk => "pronk",
            Self::Before => "before",
            Self::Unobserved => "unobserved",
            Self::Haproxy => "haproxy",
            Self::HaproxyTuned => "haproxy-tuned",
            Self::Nginx => "nginx",
            Self::Bare => "bare",
        })
    }
}

/// Whether pronk is compared with itself, to see what it costs to be observed (`BENCH_OBSERVED`).
pub fn is_observed() -> bool {
    env::var_os("BENCH_OBSERVED").is_some()
}

/// Debian's module for TCP; `NGINX_MODULE` is another's.
pub fn nginx_module() -> PathBuf {
    env::var_os("NGINX_MODULE").unwrap_or_else(|| "/usr/lib/nginx/modules/ngx_stream_module.so".into()).into()
}
