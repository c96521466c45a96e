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
