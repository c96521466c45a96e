//! One client whose connections its members reset, or that keeps them waiting, at any rate: what others notice of it,
//! with members being spared after a loss and without. Time is tokio's and passes only when nothing else happens.

use tokio::time::{Instant, sleep, sleep_until};

use super::*;
use crate::model::Pacing;
use crate::pool::{Choice, Contact, SetupGuard, Verdict};
use crate::proxy::choose;
use crate::proxy::close_reasons::CloseReason;
use crate::proxy::connection_record::ConnectionRecord;
use crate::proxy::passive_health::PassiveHealth;
use crate::proxy::virtual_server::LiveVirtualServer;

/// Returns a virtual server on three members, at each of which two connections are set up at once after a loss.
fn front() -> Arc<LiveVirtualServer> {
    let registry = Registry::default();
    let mut config = pool("p", ["a", "b", "c"].map(|node| member(node, 21050)));
    config.pacing = Pacing { setup_limit: Some(2), time: Duration::from_secs(3600) };
    let second = Duration::from_secs(1);
    config.monitors.all = vec![Arc::new(model::Monitor::new(name("tcp"), model::MonitorKind::Tcp, second, second))];
    let config = Arc::new(config);
    let joined = Arc::new(Pool::join(&config, &registry, Instant::now().into_std()));
    Arc::new(LiveVirtualServer::new(snapshot(virtual_server("vs", &config), &joined, &registry)))
}

async fn chosen(live: &Arc<LiveVirtualServer>, client: IpAddr) -> Choice {
    let mut snapshot = live.snapshot.load_full();
    let record = ConnectionRecord::new(1, live, &snapshot, (client, 1).into(), None);
    let left = std::future::pending();
    choose::choose_member(live, &mut snapshot, client, choose::Met::default(), left, &record).await.unwrap()
}

/// What one client's connections do to it, so many in a second.
#[derive(Clone, Copy, Debug)]
struct Nuisance {
    rate: u32,
    /// How long a member takes to reset one, at most.
    reset_after: Duration,
    /// One in so many is kept waiting by its client, which sends nothing.
    silent: u32,
}

/// Returns the longest that a connection of others waited beside this client's.
async fn longest_wait(nuisance: Nuisance, is_lost: bool) -> Duration {
    let live = front();
    let lost = Arc::clone(&live.snapshot.load().pool.members[2].live);
    if is_lost {
        lost.set_verdict(&name("tcp"), Verdict::Down("refused".into()), Instant::now().into_std());
    }
    let end = Instant::now() + Duration::from_secs(8);
    let one = Arc::clone(&live);
    let flood = tokio::spawn(async move {
        let mut random = fastrand::Rng::with_seed(nuisance.rate.into());
        while Instant::now() < end {
            let live = Arc::clone(&one);
            let is_silent = nuisance.silent > 0 && random.u32(..nuisance.silent) == 0;
            let time = if is_silent { SetupGuard::LONGEST } else { nuisance.reset_after.mul_f64(random.f64()) };
            tokio::spawn(async move {
                let choice = chosen(&live, IpAddr::from([10, 0, 0, 1])).await;
                sleep(time).await;
                PassiveHealth::new(&choice.guard.member).ended_by_member();
            });
            sleep(Duration::from_secs(1) / nuisance.rate).await;
        }
    });
    let others = (2..5).map(|last| {
        let live = Arc::clone(&live);
        tokio::spawn(async move {
            let mut longest = Duration::ZERO;
            // Not before the flood is there, and close upon one another.
            let mut next = Instant::now() + Duration::from_millis(1000 + 5 * u64::from(last));
            while next < end {
                sleep_until(next).await;
                let choice = chosen(&live, IpAddr::from([10, 0, 0, last])).await;
                longest = longest.max(next.elapsed());
                sleep(Duration::from_millis(20)).await;
                drop(choice);
                next += Duration::from_millis(250);
            }
            longest
        })
    });
    let mut longest = Duration::ZERO;
    for other in others.collect::<Vec<_>>() {
        longest = longest.max(other.await.unwrap());
    }
    flood.await.unwrap();
    longest
}

#[tokio::test(start_paused = true)]
async fn one_client_delays_no_other_at_whatever_rate_its_connections_are_reset() {
    for rate in [1, 6, 40, 300] {
        for (reset_after, silent) in [(1, 0), (60, 0), (800, 0), (60, 3), (60, 1)] {
            let nuisance = Nuisance { rate, reset_after: Duration::from_millis(reset_after), silent };
            for is_lost in [false, true] {
                let waited = longest_wait(nuisance, is_lost).await;
                assert!(waited < Duration::from_millis(100), "{nuisance:?}, after a loss: {is_lost}: {waited:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn resets_are_no_loss_and_a_port_that_begins_to_refuse_is_one() {
    let live = front();
    let pool = Arc::clone(&live.snapshot.load().pool);
    let health = PassiveHealth::new(&pool.members[0].live);
    let refused = || health.not_connected(&CloseReason::MemberRefused.into(), Instant::now().into_std());
    let is_paced = || pool.paced_until(Instant::now().into_std()).is_some();
    health.ended_by_member();
    assert!(!is_paced());
    refused();
    assert!(!is_paced(), "it may never have listened");
    health.connected(Contact::Port);
    assert!(!is_paced());
    refused();
    assert!(is_paced());
    sleep(Duration::from_secs(3601)).await;
    refused();
    assert!(!is_paced(), "it is lost once");
}
