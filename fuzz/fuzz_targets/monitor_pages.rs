//! Any bytes as what a monitor's question is answered with: Thrift, SASL, status lines, and pages of the web UI.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pronk::impala::{Metrics, Question, Role, backend_role, coordinators};

fuzz_target!(|bytes: &[u8]| {
    for question in [Question::Hs2Info, Question::BeeswaxPing, Question::SaslStart, Question::HttpOptions] {
        let _ = question.answer(bytes);
    }
    let _ = (Role::parse(bytes), backend_role(bytes, &["n1:25000".to_owned()]), Metrics::parse(bytes, "hiveserver2"));
    for coordinator in coordinators(bytes).unwrap_or_default() {
        assert!(coordinator.host.len() <= 253, "{coordinator:?}");
    }
});
