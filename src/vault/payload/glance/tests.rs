//! A glance against the whole reading.

use proptest::prelude::*;

use super::super::decode;
use super::super::fast::tests::{faulty, texts};
use super::*;

/// Where a glance is had of a text, it shows what the whole reading shows.
fn agree(text: &[u8]) -> Result<bool, TestCaseError> {
    let Some(glance) = glance(text) else { return Ok(false) };
    let whole = decode(text);
    // What only the whole reading judges: a stamp for a field that is not there.
    let Ok(state) = whole else { return Ok(true) };
    let shown: Vec<_> = glance.live.iter().map(|one| (one.id, &*one.issuer, &*one.account)).collect();
    let there: Vec<_> = state.live().map(|entry| (entry.id, entry.issuer(), entry.name())).collect();
    prop_assert_eq!(shown, there);
    prop_assert!(glance.seen.iter().all(|(device, time)| state.seen.get(device) >= Some(time)));
    for (place, entry) in state.live().enumerate() {
        let one = glance.entry(place).ok_or_else(|| TestCaseError::fail("no entry"))?;
        prop_assert_eq!(one.id, entry.id);
        prop_assert_eq!(one.counter, entry.counter);
        let (one, entry) = (one.body.unwrap(), entry.body.as_ref().unwrap());
        prop_assert_eq!(one.core.secret.expose(), entry.core.secret.expose());
        prop_assert_eq!((one.fields, one.tags), (entry.fields.clone(), entry.tags.clone()));
    }
    Ok(true)
}

proptest! {
    #[test]
    fn a_glance_at_what_the_writer_writes_shows_what_the_whole_reading_shows(written in texts()) {
        prop_assert!(agree(&written)?, "declined");
    }

    #[test]
    fn a_glance_at_a_text_with_a_fault_is_declined_or_true(text in faulty()) {
        agree(&text)?;
    }
}
