//! Limits under contention.

use super::Connections;

#[test]
fn limit_holds_under_contention() {
    let connections = Connections::default();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    if connections.try_enter(Some(3)) {
                        assert!(connections.current() <= 3);
                        connections.leave();
                    }
                }
            });
        }
    });
    let counts = connections.read();
    assert_eq!(counts.current, 0);
    assert!(counts.maximum <= 3 && counts.total > 0, "{counts:?}");
}

#[test]
fn connections_of_other_processes_count_toward_the_limit_alone() {
    let connections = Connections::default();
    assert_eq!(connections.set_elsewhere(2), 0);
    assert!(connections.try_enter(Some(3)) && !connections.try_enter(Some(3)));
    assert_eq!((connections.current(), connections.everywhere()), (1, 3));
    assert_eq!(connections.set_elsewhere(1), 2);
    assert!(connections.try_enter(Some(3)) && !connections.try_enter(Some(3)));
    // Limits may be smaller than what is there.
    connections.set_elsewhere(7);
    assert!(!connections.try_enter(Some(3)) && connections.try_enter(None));
    let counts = connections.read();
    assert_eq!((counts.current, counts.elsewhere, counts.maximum, counts.total), (3, 7, 3, 3));
}
