//! From start to stop.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use highstreet_telemetry::admin;
use highstreet_telemetry::otlp::Otlp;
use highstreet_telemetry::{Check, Metrics, Phase, Readiness};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;

use crate::checks::GroundChecks;
use crate::config::{Role, ServeArgs};
use crate::gauges::Gauges;
use crate::{ContextName, Door, Platform, StartError, Street};

const UPKEEP: Duration = Duration::from_secs(5);

/// SIGTERM and SIGINT. From when they are listened for they no longer end the process by themselves, and none is lost.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

/// Runs the contexts until a signal says to stop: `highstreet serve`. A collector is told of it.
pub async fn serve(args: ServeArgs, otlp: Option<Otlp>) -> Result<(), StartError> {
    #[allow(clippy::disallowed_methods, reason = "how long the start took is told, not decided by")]
    let started = Instant::now();
    refuse_strangers(&args)?;
    refuse_one_address_for_both(&args)?;
    let metrics = Metrics::install().map_err(|error| StartError::Config(error.to_string()))?;
    let readiness = Readiness::new();
    let admin = bind_admin(&args).await?;
    let door = Door::bind(args.listen)?;

    let contexts = Role::contexts(&args.roles);
    let platform = Platform::open(args.ground.clone(), args.shops.clone()).await?;
    let mut street = Street::open(platform, &contexts).await?;
    // Before anybody is told that this process is there, and may be sent a signal.
    let mut signals = Signals::listen()?;
    if args.roles.contains(&Role::Gateway) {
        street.add_gateway()?;
    }
    let (stop, closed) = (CancellationToken::new(), CancellationToken::new());
    let (listening, serving) = door.open(&street, stop.clone().cancelled_owned())?;
    let serving = tokio::spawn(serving);
    let admin_serving =
        tokio::spawn(admin::serve(admin, readiness.clone(), metrics.clone(), closed.clone().cancelled_owned()));
    if let Some(otlp) = &otlp {
        tokio::spawn(otlp.clone().tell(metrics.clone()));
    }
    tokio::spawn(upkeep(metrics));

    report_missing(&readiness, &contexts, street.platform());
    let ground = GroundChecks::of(street.platform(), &contexts).await;
    ground.look(&readiness).await;
    tokio::spawn(Gauges::of(&street).await.show());
    readiness.enter(Phase::Ready);
    listening.report(ServingStatus::Serving).await;
    let listening = Arc::new(listening);
    tokio::spawn(ground.watch(readiness.clone(), listening.clone()));
    announce(&args, &listening, &contexts, started.elapsed());

    signals.next().await;
    tokio::spawn(end_at_second(signals));
    tracing::info!("stopping; a second signal ends at once");
    readiness.enter(Phase::Draining);
    listening.report(ServingStatus::NotServing).await;
    tokio::time::sleep(args.drain).await;
    street.platform().ending.cancel();
    stop.cancel();
    if tokio::time::timeout(args.grace, serving).await.is_err() {
        tracing::warn!("calls were still under way after the grace period");
    }
    street.close(args.grace).await;
    if let Some(otlp) = otlp {
        otlp.close(args.grace).await;
    }
    closed.cancel();
    // Whoever still reads metrics is not waited for.
    let _ = tokio::time::timeout(Duration::from_millis(500), admin_serving).await;
    tracing::info!("stopped");
    Ok(())
}

/// Without authentication only this machine is let in.
fn refuse_strangers(args: &ServeArgs) -> Result<(), StartError> {
    if args.listen.ip().is_loopback() || args.ground.auth.is_on() {
        return Ok(());
    }
    Err(StartError::Config(format!(
        "refusing to listen on {}: this address is open to others, and nobody is asked who they are; say whose tokens \
         to believe (--auth-jwks, --auth-issuer), or use a loopback address such as 127.0.0.1:{}",
        args.listen,
        args.listen.port()
    )))
}

fn refuse_one_address_for_both(args: &ServeArgs) -> Result<(), StartError> {
    let (listen, admin) = (args.listen, args.admin);
    // Port 0 is any free port, another one each time.
    if listen.port() == 0
        || listen.port() != admin.port()
        || !(listen.ip() == admin.ip() || admin.ip().is_unspecified())
    {
        return Ok(());
    }
    Err(StartError::Config(format!(
        "--listen {listen} and --admin {admin} are the same address; give one another port"
    )))
}

/// Contexts whose callees do not run here work as far as they can, and somebody should look.
fn report_missing(readiness: &Readiness, contexts: &[ContextName], platform: &Platform) {
    let missing = |callee: ContextName| !contexts.contains(&callee) && platform.channel(callee).is_none();
    for caller in contexts {
        for (callee, call) in caller.calls().iter().filter(|(callee, _)| missing(*callee)) {
            let why = format!(
                "{caller} calls {callee}, which does not run in this process, and nobody said where it does (--peer): {call} will answer UNAVAILABLE"
            );
            readiness.report(callee.as_str(), Check::Degraded(why));
        }
    }
    report_unbelieved(readiness, contexts, platform);
}

/// A callee that does not believe its callers who they are takes their undoing for that of staff, and refuses it.
fn report_unbelieved(readiness: &Readiness, contexts: &[ContextName], platform: &Platform) {
    let called_from_elsewhere = |here: &ContextName| {
        let calls_it = |caller: &ContextName| caller.calls().iter().any(|(callee, _)| callee == here);
        ContextName::ALL.iter().any(|caller| !contexts.contains(caller) && calls_it(caller))
    };
    let (believes, say) = match platform.identities() {
        Some(identities) => (identities.is_known_to_the_mesh(), "say --auth-mesh-key, with the same key everywhere"),
        None => (platform.trusts_peers(), "say --trust-peers, if only they and the gateway reach it"),
    };
    if let Some(callee) = contexts.iter().find(|here| called_from_elsewhere(here)).filter(|_| !believes) {
        let why = format!("{callee} is called by contexts elsewhere and does not believe that they are: {say}");
        readiness.report("peers", Check::Degraded(why));
    }
}

async fn bind_admin(args: &ServeArgs) -> Result<TcpListener, StartError> {
    TcpListener::bind(args.admin).await.map_err(|error| {
        StartError::Listen(format!("cannot listen on {}: {error}; name another address with --admin", args.admin))
    })
}

fn announce(args: &ServeArgs, listening: &crate::Listening, contexts: &[ContextName], took: Duration) {
    let mut names: Vec<_> = contexts.iter().map(|context| context.as_str()).collect();
    if args.roles.contains(&Role::Gateway) {
        names.push("gateway to the others");
    }
    let names = names.join(", ");
    let address = listening.address;
    let complete = contexts.len() == ContextName::ALL.len() || args.roles.contains(&Role::Gateway);
    let console = if complete { format!("\n    console   http://{address}/") } else { String::new() };
    if !std::io::stderr().is_terminal() {
        tracing::info!(%address, admin = %args.admin, contexts = names, kept = args.ground.described(), ?took, "ready");
        if !args.ground.auth.is_on() {
            tracing::warn!("no authentication: whoever reaches this loopback address may do anything");
        }
        return;
    }
    let (access, bearer) = match args.ground.auth.issuer() {
        Some(issuer) => (format!("tokens of {}", issuer.name), " -H \"authorization: Bearer $TOKEN\""),
        None => ("open: no authentication, loopback only".into(), ""),
    };
    eprintln!(
        "\n  Highstreet is open on {address} (ready in {took:.0?})\n\
        {console}\
         \n    contexts  {names}\
         \n    kept      {}\
         \n    admin     http://{}/readyz  /livez  /metrics\
         \n    access    {access}\n\
         \n  Try:\
         \n    grpcurl -plaintext {address} list\
         \n    grpcurl -plaintext{bearer} -d '{EXAMPLE}' {address} highstreet.ordering.v1.OrderingService/PlaceOrder\n",
        args.ground.described(),
        args.admin,
    );
}

const EXAMPLE: &str = r#"{"shopId":"skanu","customerPhone":"010-1234-5678","paymentMethod":"PAYMENT_METHOD_CARD","lines":[{"productId":"latte","productName":"Latte","quantity":2,"unitPrice":{"currencyCode":"KRW","units":4500}}]}"#;

async fn upkeep(metrics: Metrics) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        metrics.upkeep();
    }
}

async fn end_at_second(mut signals: Signals) {
    signals.next().await;
    tracing::warn!("ending at once; everything that was answered is kept");
    std::process::exit(130);
}

// === impl Signals ===

impl Signals {
    fn listen() -> Result<Self, StartError> {
        let listen =
            |kind| signal(kind).map_err(|error| StartError::Config(format!("cannot listen for signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Returns at the next one that was not told of yet.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
