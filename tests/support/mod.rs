//! What integration tests share.

#![allow(dead_code, unused_imports, reason = "each test program uses a part of it")]

pub mod ca;
pub mod crl;
pub mod lb;
pub mod peers;
pub mod port;
pub mod tls;
