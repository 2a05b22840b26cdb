//! The screens at their sizes, with their styles, as they should look.

use otpanel::config::{Config, Glyphs};

use crate::harness::{Journey, accounts, many};

macro_rules! sizes {
    ($journey:expr, $name:literal, $($width:literal x $height:literal),*) => {$(
        let journey = $journey.size($width, $height);
        insta::assert_snapshot!(concat!($name, "_", stringify!($width), "x", stringify!($height)), journey.styled());
    )*};
}

#[test]
fn the_list_at_every_size() {
    sizes!(Journey::unlocked(&accounts()), "list", 20 x 3, 30 x 5, 40 x 10, 60 x 15, 80 x 24, 120 x 40, 200 x 50);
}

#[test]
fn the_last_seconds_with_a_search() {
    sizes!(Journey::unlocked(&accounts()).seconds(26).keys("/git"), "search", 40 x 10, 80 x 24);
}

#[test]
fn an_empty_vault_invites() {
    sizes!(Journey::unlocked(&[]), "empty", 20 x 3, 40 x 10, 80 x 24);
}

#[test]
fn help_and_question() {
    sizes!(Journey::unlocked(&accounts()).keys("?"), "help", 30 x 5, 80 x 24);
    sizes!(Journey::unlocked(&accounts()).keys("d"), "delete", 30 x 5, 80 x 24);
}

#[test]
fn the_form_with_a_link() {
    let link = "otpauth://totp/GitHub:octo?secret=JBSWY3DPEHPK3PX2&issuer=GitHub";
    sizes!(Journey::unlocked(&accounts()).paste(link), "form", 30 x 5, 40 x 10, 80 x 24);
}

#[test]
fn plain_signs_only() {
    let config = Config { glyphs: Glyphs::Ascii, ..Config::default() };
    let journey = Journey::with(config, &accounts()).keys("<enter>");
    // Names keep their letters; everything that the program draws is ASCII.
    let drawn: String = journey.screen().lines().filter(|l| !l.contains('·') && !l.contains('語')).collect();
    assert!(drawn.is_ascii(), "{drawn}");
    insta::assert_snapshot!("ascii_80x24", journey.styled());
}

#[test]
fn plain_signs_have_no_ellipsis_of_one_character() {
    let config = Config { glyphs: Glyphs::Ascii, ..Config::default() };
    // Names of others are shown as they are, so plain ones here; the longest is cut.
    let names = many(40);
    for (columns, rows) in [(80, 24), (40, 10), (30, 5)] {
        for keys in ["", "b", "?", "a", "H"] {
            let screen = Journey::with(config.clone(), &names).size(columns, rows).keys(keys).screen();
            assert!(!screen.contains('…'), "{screen}");
        }
    }
    let cut = Journey::with(config, &names).size(30, 5).screen();
    assert!(cut.contains('~'), "{cut}");
}

#[test]
fn big_digits_at_every_size() {
    sizes!(Journey::unlocked(&accounts()).keys("z"), "big", 20 x 3, 30 x 5, 40 x 10, 80 x 24, 120 x 40);
    sizes!(Journey::unlocked(&accounts()).keys("/steam<esc>z"), "big_letters", 20 x 3, 80 x 24);
}

#[test]
fn an_account_as_a_qr_code_warns_first() {
    sizes!(Journey::unlocked(&accounts()).keys("Q"), "qr_question", 30 x 5, 80 x 24);
    sizes!(Journey::unlocked(&accounts()).keys("Q<enter>"), "qr", 30 x 5, 80 x 24, 120 x 40);
}

#[test]
fn names_of_the_world_and_long_ones_at_every_size() {
    let names = [
        ("日本の銀行", "山田花子@例え.example"),
        ("👩‍💻 Code 🇩🇪", "ada 👍🏽"),
        ("بنك القاهرة", "مريم@مثال.example"),
        ("בנק", "דנה"),
        ("The Very Long Name of an Issuer That Nobody Can Read Whole", "an-account-name-as-long@as.the-issuer.example"),
    ];
    let accounts: Vec<_> = names
        .iter()
        .map(|(issuer, account)| {
            let mut made = accounts().remove(0);
            (made.issuer, made.account) = ((*issuer).to_owned(), (*account).to_owned());
            made
        })
        .collect();
    sizes!(Journey::unlocked(&accounts), "names", 20 x 3, 30 x 5, 40 x 10, 60 x 15, 80 x 24, 120 x 40);
}

#[test]
fn one_account_and_ten_thousand() {
    sizes!(Journey::unlocked(&many(1)), "one", 30 x 5, 80 x 24);
    sizes!(Journey::unlocked(&many(10_000)).keys("G"), "ten_thousand", 30 x 5, 80 x 24);
}

#[test]
fn no_size_and_no_number_of_accounts_makes_it_fail() {
    for n in [0, 1, 60] {
        for width in [1, 2, 3, 19, 33, 60, 110] {
            for height in [1, 2, 3, 6, 7, 9, 30] {
                for keys in
                    ["", "?", "a", "p", "i", "d", "H", "/x", ":", "h", "G", "z", "Q", "Q<enter>", "t", "x", "x<enter>"]
                {
                    let journey = Journey::unlocked(&many(n)).size(width, height).keys(keys);
                    journey.screen();
                    journey.seconds(26).screen();
                }
            }
        }
    }
}
