//! What pages are made of, one component a file.

pub mod account_details;
pub mod avatar;
pub mod countdown;
pub mod gates;
pub mod heading;
pub mod identity;
pub mod lifetimes;
pub mod notes;
pub mod page_notices;
pub mod problem_notice;
pub mod problem_view;
pub mod provider_icon;
pub mod session_expiry_notice;
pub mod session_list;
pub mod sign_in_again;
pub mod sign_in_first;
pub mod sign_in_links;
pub(crate) mod sign_in_window;
pub mod sign_out;
pub mod sign_out_notice;
pub mod site_footer;
pub mod site_header;
pub mod skeleton;
