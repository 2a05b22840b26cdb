//! Several programs at once on one vault.

use crate::home::{Home, link};

#[test]
fn twelve_importers_at_once_lose_nothing() {
    let home = Home::with_vault();
    home.import(&[&link("Site", "first", 0)]);
    std::thread::scope(|scope| {
        for n in 1..=12u8 {
            let home = &home;
            scope.spawn(move || home.import(&[&link("Site", &format!("w{n}"), n)]));
        }
    });
    assert_eq!(home.list().len(), 13);
}
