//! The user's picture.

use leptos::prelude::*;

use crate::api::User;

/// The user's picture where there is a safe one, on top of the initials, which show when it does not load.
#[component]
pub fn Avatar(
    /// Whose picture.
    user: User,
) -> impl IntoView {
    let initials = initials(display_name(&user));
    let picture = user.picture.filter(|address| address.starts_with("https://"));
    view! {
        <span class="avatar">
            <span aria-hidden="true">{initials}</span>
            {picture
                .map(|address| view! { <img src=address alt="" width="64" height="64" referrerpolicy="no-referrer" decoding="async" /> })}
        </span>
    }
}

/// What to call the user: the name, else the login, else the e-mail address, else the identifier.
pub fn display_name(user: &User) -> &str {
    let names = [&user.name, &user.login, &user.email];
    names.into_iter().flatten().map(|name| name.trim()).find(|name| !name.is_empty()).unwrap_or(&user.sub)
}

/// The first letters of the first and the last word; the style sheet makes them capitals, which are a table too large for
/// the bundle.
fn initials(name: &str) -> String {
    let mut letters = name.split_whitespace().filter_map(|word| word.chars().find(|letter| letter.is_alphanumeric()));
    let first = letters.next();
    let last = letters.next_back();
    let initials: String = first.into_iter().chain(last).collect();
    if initials.is_empty() { "?".to_owned() } else { initials }
}

#[cfg(test)]
mod tests {
    use super::{display_name, initials};
    use crate::api::User;

    #[test]
    fn initials_are_those_of_the_first_and_the_last_word() {
        let cases = [
            ("Alice Example", "AE"),
            ("alice", "a"),
            ("Ana María de la Cruz", "AC"),
            ("  ólafur   (Óli)  ", "óÓ"),
            ("<b>x</b>", "b"),
            ("", "?"),
            ("🙂", "?"),
            ("王 小明", "王小"),
        ];
        for (name, expected) in cases {
            assert_eq!(initials(name), expected, "{name}");
        }
    }

    #[test]
    fn the_best_name_that_there_is_is_shown() {
        let user = User { sub: "42".to_owned(), name: Some("  ".to_owned()), login: Some("alice".to_owned()), ..User::default() };
        assert_eq!(display_name(&user), "alice");
        assert_eq!(display_name(&User { sub: "42".to_owned(), ..User::default() }), "42");
    }
}
