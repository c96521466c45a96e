//! Random plans: each follows from the seed and its number, so that one exchange can be replayed alone.

use std::time::Duration;

use fastrand::Rng;

use super::plan::{Amount, Begin, Finish, Hold, Mode, Pace, Plan, ReadFrom, Script, Side, Tls};

/// Returns the plan of one exchange, in a mode that needs no proxy if it is `direct`.
pub fn plan(seed: u64, number: u64, direct: bool) -> Plan {
    let mut random = Rng::with_seed(seed ^ (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let random = &mut random;
    let mode = if direct { one_of(random, &[Mode::Plain, Mode::Through]) } else { one_of(random, &MODES) };
    let (client_tls, member_tls) = (one_of(random, &Tls::BOTH), one_of(random, &Tls::BOTH));
    let member_tls = (!matches!(mode, Mode::Plain | Mode::Offload)).then_some(member_tls);
    let client_tls = mode.client_tls(member_tls, client_tls);
    let blank = Script::sending(0);
    let mut plan = Plan { number, mode, client_tls, member_tls, client: blank.clone(), member: blank };
    ends(random, &mut plan);
    amounts(random, &mut plan);
    order(random, &mut plan);
    paces(random, &mut plan);
    plan
}

/// Returns the plan of a client that is to wait in a queue, in this mode: it does its part before it is served, and
/// perhaps gives up.
pub fn queued(seed: u64, number: u64, mode: (Mode, Option<Tls>)) -> Plan {
    let mut plan = plan(seed, number, false);
    let random = &mut Rng::with_seed(seed ^ number);
    (plan.mode, plan.member_tls) = mode;
    plan.client_tls = plan.mode.client_tls(plan.member_tls, one_of(random, &Tls::BOTH));
    let gives_up = chance(random, 30);
    plan.client = Script::sending(size(random).min(100_000));
    plan.client.finish = match () {
        () if gives_up => Finish::Reset { delivered: false },
        () if plan.client_tls.is_some() && chance(random, 30) => Finish::Truncate,
        () => Finish::Fin,
    };
    plan.client.hold = pause(random);
    plan.member = Script::sending(size(random).min(1 << 20));
    plan.member.begin = one_of(random, &[Begin::AtOnce, Begin::AfterTheOthersEnd]);
    plan
}

fn ends(random: &mut Rng, plan: &mut Plan) {
    let leaves = match random.u8(..100) {
        0..40 => [false, false],
        40..68 => [false, true],
        68..92 => [true, false],
        _ => [true, true],
    };
    for (side, leaves) in Side::BOTH.into_iter().zip(leaves) {
        let may_truncate = plan.tls(side).is_some();
        script(plan, side).finish = match () {
            () if leaves => one_of(random, &LEAVING),
            () if may_truncate && chance(random, 30) => Finish::Truncate,
            () => Finish::Fin,
        };
    }
}

fn amounts(random: &mut Rng, plan: &mut Plan) {
    for side in Side::BOTH {
        let other_leaves = plan.script(side.other()).finish.leaves();
        let leaves = plan.script(side).finish.leaves();
        script(plan, side).bytes = match () {
            () if other_leaves && !leaves && chance(random, 55) => Amount::UntilRefused,
            () => Amount::Bytes(size(random)),
        };
    }
}

/// Who waits for whom. One side leads, and waits for nothing that the other does.
fn order(random: &mut Rng, plan: &mut Plan) {
    let client_leaves = plan.client.finish.leaves();
    // A client that leaves before it is answered may be missed, which shows little.
    let leader = if chance(random, if client_leaves { 15 } else { 60 }) { Side::Client } else { Side::Member };
    let follower = leader.other();
    if plan.client.finish.leaves() && leader == Side::Member && plan.member.bytes == Amount::Bytes(0) {
        plan.member.bytes = Amount::Bytes(1);
    }
    let leading = plan.script(leader).clone();
    let leading_ends = leading.bytes != Amount::UntilRefused;
    let begin = match (random.u8(..100), leading.bytes) {
        _ if client_leaves && follower == Side::Client => after_receiving(random, leading.bytes),
        (0..40, _) => Begin::AtOnce,
        (70.., _) if leading_ends => Begin::AfterTheOthersEnd,
        (_, amount) => after_receiving(random, amount),
    };
    let hold = if leading_ends && chance(random, 30) { Hold::UntilTheOtherEnds } else { pause(random) };
    let own = script(plan, follower);
    (own.begin, own.hold) = (begin, hold);
    script(plan, leader).hold = pause(random);
    for side in Side::BOTH {
        let waits_for_nothing = side == leader && leading_ends;
        let stays = !plan.script(side).finish.leaves();
        script(plan, side).read_from = match random.u8(..100) {
            0..15 if stays => ReadFrom::After(Duration::from_millis(random.u64(1..200))),
            15..30 if stays && waits_for_nothing => ReadFrom::AfterWriting,
            _ => ReadFrom::AtOnce,
        };
    }
}

fn after_receiving(random: &mut Rng, others: Amount) -> Begin {
    match others.count().unwrap_or(20_000).min(200_000) {
        0 => Begin::AtOnce,
        most => Begin::AfterReceiving(random.u64(1..=most)),
    }
}

fn paces(random: &mut Rng, plan: &mut Plan) {
    for side in Side::BOTH {
        let own = script(plan, side);
        own.small_buffers = chance(random, 12);
        if chance(random, 25) {
            own.read = Pace { chunk: random.usize(1000..30_000), pause: millis(random, 1..20) };
        }
        own.write = match own.bytes {
            Amount::UntilRefused if chance(random, 10) => Pace::FAST,
            Amount::UntilRefused => Pace { chunk: random.usize(500..16_000), pause: millis(random, 2..20) },
            Amount::Bytes(count) if chance(random, 30) => {
                Pace { chunk: (count as usize / 20).max(1), pause: millis(random, 1..15) }
            }
            Amount::Bytes(_) => Pace::FAST,
        };
    }
}

/// Mostly few bytes, and some that no buffer holds.
fn size(random: &mut Rng) -> u64 {
    match random.u16(..1000) {
        0..120 => 0,
        120..320 => random.u64(1..100),
        320..600 => random.u64(100..16 << 10),
        600..840 => random.u64(16 << 10..256 << 10),
        840..975 => random.u64(256 << 10..4 << 20),
        975..997 => random.u64(4 << 20..16 << 20),
        _ => random.u64(16 << 20..=50 << 20),
    }
}

fn pause(random: &mut Rng) -> Hold {
    Hold::For(if chance(random, 50) { Duration::ZERO } else { millis(random, 1..60) })
}

fn millis(random: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.u64(range))
}

fn chance(random: &mut Rng, percent: u8) -> bool {
    random.u8(..100) < percent
}

fn one_of<T: Copy>(random: &mut Rng, all: &[T]) -> T {
    all[random.usize(..all.len())]
}

fn script(plan: &mut Plan, side: Side) -> &mut Script {
    match side {
        Side::Client => &mut plan.client,
        Side::Member => &mut plan.member,
    }
}

/// The modes, by how often each is drawn.
const MODES: [Mode; 9] = [
    Mode::Plain,
    Mode::Plain,
    Mode::Offload,
    Mode::Offload,
    Mode::ReEncrypt,
    Mode::ReEncrypt,
    Mode::ServerOnly,
    Mode::ServerOnly,
    Mode::Through,
];

/// The ends of a side that leaves, by how often each is drawn.
const LEAVING: [Finish; 11] = [
    Finish::Reset { delivered: true },
    Finish::Reset { delivered: true },
    Finish::Reset { delivered: true },
    Finish::Reset { delivered: false },
    Finish::Reset { delivered: false },
    Finish::FinThenReset { delivered: true },
    Finish::FinThenReset { delivered: false },
    Finish::Close,
    Finish::Close,
    Finish::Kill,
    Finish::Kill,
];

#[test]
fn same_seed_and_number_give_the_same_plan() {
    assert_eq!(plan(1, 7, false), plan(1, 7, false));
    assert_ne!(plan(1, 7, false), plan(1, 8, false));
    assert_ne!(plan(1, 7, false), plan(2, 7, false));
}

#[test]
fn nobody_waits_for_a_side_that_waits() {
    for number in 0..20_000 {
        let plan = plan(1, number, false);
        let (begins, holds) = (
            Side::BOTH.map(|side| plan.script(side).begin != Begin::AtOnce),
            Side::BOTH.map(|side| plan.script(side).hold == Hold::UntilTheOtherEnds),
        );
        assert!(!(begins[0] || holds[0]) || !(begins[1] || holds[1]), "{plan}");
        for side in Side::BOTH {
            let (own, other) = (plan.script(side), plan.script(side.other()));
            if own.bytes == Amount::UntilRefused {
                assert!(other.finish.leaves(), "{plan}");
                assert!(other.begin != Begin::AfterTheOthersEnd && other.hold != Hold::UntilTheOtherEnds, "{plan}");
            }
        }
    }
}
