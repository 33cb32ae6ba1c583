//! Serves providers that each do one thing wrong, for trying out any relying party: see `docs/hostile-provider.md`.

use std::{error::Error, net::SocketAddr};

use oauth2flow_demo_provider::{Defect, DemoProviderConfig, Expected, Feature, HostileProviders};
use tokio::net::TcpListener;

const USAGE: &str = "usage: hostile [--listen ADDRESS] [--redirect-uri URI]... [--post-logout-redirect-uri URI]... \
[--client-id ID] [--client-secret SECRET] [--backchannel-logout-uri URI] [--quiet] [DEFECT]...";

struct Arguments {
    listen: SocketAddr,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    client_id: String,
    client_secret: String,
    backchannel_logout_uri: Option<String>,
    quiet: bool,
    defects: Vec<Defect>,
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut arguments = Arguments {
        listen: SocketAddr::from(([127, 0, 0, 1], 4100)),
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        client_id: "app".to_owned(),
        client_secret: "a-secret-for-tests-only".to_owned(),
        backchannel_logout_uri: None,
        quiet: false,
        defects: Vec::new(),
    };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        let mut value = || given.next().ok_or(USAGE);
        match argument.as_str() {
            "--listen" => arguments.listen = value()?.parse()?,
            "--redirect-uri" => arguments.redirect_uris.push(value()?),
            "--post-logout-redirect-uri" => arguments.post_logout_redirect_uris.push(value()?),
            "--client-id" => arguments.client_id = value()?,
            "--client-secret" => arguments.client_secret = value()?,
            "--backchannel-logout-uri" => arguments.backchannel_logout_uri = Some(value()?),
            "--quiet" => arguments.quiet = true,
            name => arguments.defects.push(Defect::named(name).ok_or_else(|| format!("there is no defect `{name}`\n{USAGE}"))?),
        }
    }
    if arguments.redirect_uris.is_empty() {
        arguments.redirect_uris.push("http://localhost:3000/callback".to_owned());
        arguments.post_logout_redirect_uris.push("http://localhost:3000/".to_owned());
    }
    if arguments.defects.is_empty() {
        arguments.defects = Defect::ALL.to_vec();
    }
    Ok(arguments)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments()?;
    let listener = TcpListener::bind(arguments.listen).await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let config = DemoProviderConfig {
        redirect_uris: arguments.redirect_uris,
        post_logout_redirect_uris: arguments.post_logout_redirect_uris,
        backchannel_logout_uri: arguments.backchannel_logout_uri,
        ..DemoProviderConfig::new(&origin, arguments.client_id, arguments.client_secret)
    };
    let providers = HostileProviders::open(&config, &arguments.defects).await?;
    if !arguments.quiet {
        print(&providers, &arguments.defects);
    }
    println!("{origin}");
    providers
        .serve(listener, async {
            // When the signal cannot be waited for, there is nobody who could stop it politely.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

fn print(providers: &HostileProviders, defects: &[Defect]) {
    for expected in Expected::ALL {
        let mut defects = defects.iter().copied().filter(|defect| defect.expected() == expected).peekable();
        if defects.peek().is_none() {
            continue;
        }
        println!("A correct relying party {}:\n", expected.description());
        for defect in defects {
            println!("  {}\n    {}", providers.issuer(defect), defect.description());
            if defect.needs() != Feature::Nothing {
                println!("    The client has to use: {}", defect.needs().description());
            }
        }
        println!();
    }
}
