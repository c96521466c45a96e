//! What each side of an exchange must see. It follows from the plan alone, and is the same for every proxy and for a
//! client that is connected to the member itself.
//!
//! Of a sender's end, the reader sees:
//!
//! | the sender's end | a reader with TLS | a reader without |
//! |---|---|---|
//! | FIN (close_notify and FIN) | a clean end after all bytes | the same |
//! | FIN without close_notify | FIN without close_notify, after all bytes | FIN, after all bytes |
//! | RST | RST, after a part of the bytes; after all of them if they were delivered before | the same |
//! | FIN, then RST | a clean end after all bytes, or RST as above | the same |
//! | close(2), while the reader sends | a clean end, or RST, after all bytes | the same |
//! | killed | FIN without close_notify after all bytes, or RST after a part | FIN after all bytes, or RST after a part |
//!
//! A plain sender that is killed ends with FIN, and FIN is a clean end. A reader that leaves first sees a part of the
//! bytes and no end. A side whose peer does not leave can send everything; one that sends without end to a peer that
//! leaves is refused.

use super::plan::{Amount, Finish, Mode, Plan, Side};
use super::sight::{End, Sight};

/// An end that a reader may see, and the bytes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    pub end: Ending,
    pub bytes: Bytes,
}

/// An end of [`End`], or none because the reader left before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    None,
    Clean,
    NotifyThenReset,
    Truncated,
    Reset,
}

/// How many of the sender's bytes come before an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes {
    All,
    Part,
}

/// Returns what a reader may see of the other side's end.
pub fn allowed(plan: &Plan, reader: Side) -> Vec<Allowed> {
    use Bytes::{All, Part};
    let sender = reader.other();
    let has_tls = plan.tls(reader).is_some();
    let part_unless = |delivered| if delivered { All } else { Part };
    // FIN of a sender that has TLS and says no close_notify.
    let bare_fin = if plan.tls(sender).is_some() && has_tls { Ending::Truncated } else { Ending::Clean };
    let mut ends = match plan.script(sender).finish {
        Finish::Fin => vec![(Ending::Clean, All)],
        Finish::Truncate => vec![(bare_fin, All)],
        Finish::Reset { delivered } => vec![(Ending::Reset, part_unless(delivered))],
        Finish::FinThenReset { delivered } => {
            vec![(Ending::Clean, All), (Ending::NotifyThenReset, All), (Ending::Reset, part_unless(delivered))]
        }
        Finish::Close => vec![(Ending::Clean, All), (Ending::NotifyThenReset, All), (Ending::Reset, All)],
        Finish::Kill => vec![(bare_fin, All), (Ending::Reset, Part)],
    };
    if plan.script(reader).finish.leaves() {
        ends.push((Ending::None, Part));
    }
    ends.into_iter().map(|(end, bytes)| Allowed { end, bytes }).collect()
}

/// What becomes of the bytes that a side sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// All are taken, and the end too.
    Taken,
    /// Some may be refused.
    MayBeRefused,
    /// Some are refused.
    Refused,
}

/// Returns what becomes of the bytes that a side sends.
pub fn sending(plan: &Plan, sender: Side) -> Sending {
    let to_one_who_leaves = plan.script(sender.other()).finish.leaves();
    match plan.script(sender).bytes {
        Amount::UntilRefused => Sending::Refused,
        Amount::Bytes(_) if to_one_who_leaves => Sending::MayBeRefused,
        Amount::Bytes(_) => Sending::Taken,
    }
}

/// Returns whether the member may never see the client: one that left before it received a byte may have been gone
/// before there was a member for it.
pub fn member_may_miss(plan: &Plan, client: &Sight) -> bool {
    plan.client.finish.leaves() && client.received == 0
}

/// Returns what a side has seen that it should not have, given what the other has sent.
pub fn differences(plan: &Plan, reader: Side, saw: &Sight, other: &Sight) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(at) = saw.wrong_byte {
        wrong.push(format!("byte {at} is not what was sent"));
    }
    let allowed = allowed(plan, reader);
    let is_allowed = |it: &Allowed| {
        let bytes = match it.bytes {
            Bytes::All if !other.undelivered => saw.received == other.sent,
            Bytes::All | Bytes::Part => saw.received <= other.sent,
        };
        ending(saw.end.as_ref()) == Some(it.end) && bytes
    };
    if !allowed.iter().any(is_allowed) {
        let allowed: Vec<_> = allowed.iter().map(|it| it.describe(other.sent)).collect();
        wrong.push(format!("should have received {}", allowed.join(", or ")));
    }
    match (sending(plan, reader), &saw.refused) {
        (Sending::Taken, Some(_)) => wrong.push("should have been able to send everything".to_owned()),
        (Sending::Refused, None) if !saw.left => wrong.push("should have been refused".to_owned()),
        _ => {}
    }
    wrong
}

/// Returns what a side has seen that it should not have, where the end of a drain has ended the connection: nobody can
/// tell a pause in an answer from its end, so every reader sees a reset.
pub fn differences_at_drain(saw: &Sight) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(at) = saw.wrong_byte {
        wrong.push(format!("byte {at} is not what was sent"));
    }
    if saw.end != Some(End::Reset) {
        wrong.push("should have seen a reset".to_owned());
    }
    wrong
}

fn ending(end: Option<&End>) -> Option<Ending> {
    Some(match end {
        None => Ending::None,
        Some(End::Clean) => Ending::Clean,
        Some(End::NotifyThenReset) => Ending::NotifyThenReset,
        Some(End::Truncated) => Ending::Truncated,
        Some(End::Reset) => Ending::Reset,
        Some(End::Other(_)) => return None,
    })
}

impl Allowed {
    fn describe(self, sent: u64) -> String {
        let bytes = match self.bytes {
            Bytes::All => format!("all {sent} bytes"),
            Bytes::Part => format!("up to {sent} bytes"),
        };
        let end = match self.end {
            Ending::None => "no end",
            Ending::Clean => "a clean end",
            Ending::NotifyThenReset => "close_notify, then RST",
            Ending::Truncated => "FIN without close_notify",
            Ending::Reset => "RST",
        };
        format!("{bytes} and {end}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Script, Tls};
    use super::*;

    /// A member that ends so, and a client that reads.
    fn plan(finish: Finish, client_tls: bool, member_tls: bool) -> Plan {
        Plan {
            number: 0,
            mode: Mode::Plain,
            client_tls: client_tls.then_some(Tls::V13),
            member_tls: member_tls.then_some(Tls::V12),
            client: Script::sending(10),
            member: Script::sending(100).ending_with(finish),
        }
    }

    #[test]
    fn the_table_of_ends() {
        use Bytes::{All, Part};
        use Ending::{Clean, NotifyThenReset, Reset, Truncated};
        const DELIVERED: bool = true;
        let table: &[Row] = &[
            (Finish::Fin, &EVERY_MODE, &[(Clean, All)]),
            (Finish::Truncate, &[(true, true)], &[(Truncated, All)]),
            (Finish::Truncate, &[(false, true)], &[(Clean, All)]),
            (Finish::Reset { delivered: DELIVERED }, &EVERY_MODE, &[(Reset, All)]),
            (Finish::Reset { delivered: false }, &EVERY_MODE, &[(Reset, Part)]),
            (
                Finish::FinThenReset { delivered: DELIVERED },
                &EVERY_MODE,
                &[(Clean, All), (NotifyThenReset, All), (Reset, All)],
            ),
            (
                Finish::FinThenReset { delivered: false },
                &EVERY_MODE,
                &[(Clean, All), (NotifyThenReset, All), (Reset, Part)],
            ),
            (Finish::Close, &EVERY_MODE, &[(Clean, All), (NotifyThenReset, All), (Reset, All)]),
            (Finish::Kill, &[(true, true)], &[(Truncated, All), (Reset, Part)]),
            (Finish::Kill, &[(false, true), (true, false), (false, false)], &[(Clean, All), (Reset, Part)]),
        ];
        for (finish, modes, expected) in table {
            for (client_tls, member_tls) in *modes {
                let plan = plan(*finish, *client_tls, *member_tls);
                let allowed: Vec<_> = allowed(&plan, Side::Client).iter().map(|it| (it.end, it.bytes)).collect();
                assert_eq!(&allowed, expected, "{plan}");
            }
        }
    }

    /// The member's end; whether the client and the member have TLS; what the client may see.
    type Row = (Finish, &'static [(bool, bool)], &'static [(Ending, Bytes)]);

    const EVERY_MODE: [(bool, bool); 4] = [(false, false), (true, false), (true, true), (false, true)];

    #[test]
    fn reader_that_leaves_may_miss_the_end() {
        let plan = plan(Finish::Reset { delivered: true }, true, false);
        let member: Vec<_> = allowed(&plan, Side::Member).iter().map(|it| (it.end, it.bytes)).collect();
        assert_eq!(member, [(Ending::Clean, Bytes::All), (Ending::None, Bytes::Part)]);
    }

    #[test]
    fn bytes_are_refused_only_by_a_peer_that_leaves() {
        assert_eq!(sending(&plan(Finish::Fin, false, false), Side::Client), Sending::Taken);
        assert_eq!(sending(&plan(Finish::Truncate, true, true), Side::Client), Sending::Taken);
        let mut left = plan(Finish::Close, false, false);
        assert_eq!(sending(&left, Side::Client), Sending::MayBeRefused);
        assert_eq!(sending(&left, Side::Member), Sending::Taken);
        left.client = Script::without_end();
        assert_eq!(sending(&left, Side::Client), Sending::Refused);
    }

    #[test]
    fn every_kind_of_difference_is_found() {
        let plan = plan(Finish::Fin, true, true);
        let member = Sight { received: 10, sent: 100, end: Some(End::Clean), ..Sight::default() };
        let good = Sight { received: 100, sent: 10, end: Some(End::Clean), ..Sight::default() };
        assert_eq!(differences(&plan, Side::Client, &good, &member), [""; 0]);
        assert_eq!(differences(&plan, Side::Member, &member, &good), [""; 0]);
        let other_ends = [End::Truncated, End::Reset, End::NotifyThenReset, End::Other("an alert".into())];
        let mut bad: Vec<_> = other_ends.map(|end| Sight { end: Some(end), ..good.clone() }).into();
        bad.push(Sight { end: None, ..good.clone() });
        bad.push(Sight { received: 99, ..good.clone() });
        bad.push(Sight { wrong_byte: Some(7), ..good.clone() });
        bad.push(Sight { refused: Some("EPIPE".into()), ..good });
        for bad in bad {
            assert_eq!(differences(&plan, Side::Client, &bad, &member).len(), 1, "{bad}");
        }
    }

    #[test]
    fn part_of_the_bytes_is_enough_only_where_they_were_not_delivered() {
        let saw = Sight { received: 50, sent: 10, end: Some(End::Reset), ..Sight::default() };
        let member = Sight { sent: 100, left: true, ..Sight::default() };
        let count = |delivered| {
            differences(&plan(Finish::Reset { delivered }, false, false), Side::Client, &saw, &member).len()
        };
        assert_eq!((count(false), count(true)), (0, 1));
    }

    #[test]
    fn client_that_leaves_before_it_is_answered_may_be_missed() {
        let mut plan = plan(Finish::Fin, false, false);
        let answered = |received| Sight { received, ..Sight::default() };
        assert!(!member_may_miss(&plan, &answered(0)));
        plan.client.finish = Finish::Reset { delivered: true };
        assert!(member_may_miss(&plan, &answered(0)) && !member_may_miss(&plan, &answered(1)));
    }

    #[test]
    fn drain_ends_with_a_reset_alone() {
        let bad = [End::Clean, End::NotifyThenReset, End::Truncated].map(Some);
        for (end, count) in bad.into_iter().chain([None]).map(|end| (end, 1)).chain([(Some(End::Reset), 0)]) {
            let saw = Sight { end, ..Sight::default() };
            assert_eq!(differences_at_drain(&saw).len(), count, "{saw}");
        }
        assert_eq!(
            differences_at_drain(&Sight { wrong_byte: Some(7), end: Some(End::Reset), ..Sight::default() }).len(),
            1
        );
    }
}
