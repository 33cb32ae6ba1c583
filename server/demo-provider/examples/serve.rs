//! Serves the demo provider by itself, for a client at `http://localhost:3000/callback`: client id `app`, secret `secret`.

use std::error::Error;

use oauth2flow_demo_provider::{DemoProvider, DemoProviderConfig};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:4000").await?;
    let provider = DemoProvider::open(DemoProviderConfig {
        redirect_uris: vec!["http://localhost:3000/callback".to_owned()],
        post_logout_redirect_uris: vec!["http://localhost:3000/".to_owned()],
        ..DemoProviderConfig::new("http://127.0.0.1:4000", "app", "secret")
    })
    .await?;
    println!("http://127.0.0.1:4000");
    provider
        .serve(listener, async {
            // When the signal cannot be waited for, there is nobody who could stop it politely.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}
