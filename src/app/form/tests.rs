//! What the form makes of what is typed.

use super::*;

fn typed(form: &mut Form, field: Field, text: &str) {
    form.focus = field;
    let line = form.input_mut().unwrap();
    line.clear();
    line.insert(text);
}

#[test]
fn a_link_in_the_secret_fills_the_form() {
    let mut form = Form::new();
    typed(&mut form, Field::Secret, "otpauth://totp/GitHub:octo?secret=JBSWY3DPEHPK3PXP&digits=8&period=60");
    form.take_link();
    let account = form.account().unwrap();
    assert_eq!((account.issuer.as_str(), account.account.as_str()), ("GitHub", "octo"));
    assert_eq!((account.kind.digits(), account.kind.period()), (8, Some(60)));
}

#[test]
fn every_wrong_value_has_its_error_at_its_field() {
    let mut form = Form::new();
    assert_eq!(form.first_error(), Some(Field::Issuer));
    typed(&mut form, Field::Issuer, "x");
    assert_eq!(form.first_error(), Some(Field::Secret));
    typed(&mut form, Field::Secret, "JBSWY3DPEHPK3PX1");
    assert!(form.error(Field::Secret).unwrap().contains("place 16"));
    typed(&mut form, Field::Secret, "JBSWY3DPEHPK3PXP");
    assert_eq!(form.first_error(), None);
    typed(&mut form, Field::Digits, "100");
    typed(&mut form, Field::Period, "0");
    assert_eq!(form.error(Field::Digits).unwrap(), "100 digits: a code has 1 to 10");
    assert_eq!(form.error(Field::Period).unwrap(), "a period of 0 s: it may be 1 to 86,400");
    assert!(form.account().is_none());
}

#[test]
fn kinds_have_the_fields_that_they_need() {
    let mut form = Form::new();
    form.focus = Field::Kind;
    form.choose(false);
    assert!(form.fields().contains(&Field::Counter));
    form.choose(false);
    assert_eq!(form.choice(Field::Kind), "steam");
    assert!(!form.fields().contains(&Field::Digits));
    form.choose(false);
    assert!(form.fields().contains(&Field::Pin));
}
