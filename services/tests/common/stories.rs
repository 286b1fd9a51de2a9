//! Stories that are written once and told twice: each by itself in one process, and all of them, one after another, in
//! a mesh. There each has shops of its own, and what it stops is started again after it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use highstreet::ContextName::{self, Booking, Delivery, Ordering, Payment, Seating};
use highstreet::config::{Role, ShopArgs};
use highstreet_domain::kernel::ports::Bus;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;
use tonic::transport::Channel;

use super::eventually;
use super::mesh::{Mesh, Plan};

/// A test, by its path in its program.
pub(crate) type Story = (&'static str, fn());

/// Which tests are not told on the mesh, by their path or their module's, and why.
pub(crate) type OnlyHere = &'static [(&'static str, &'static str)];

/// Where a story is told, if not in this process.
#[derive(Clone)]
pub(super) struct Stage {
    /// Which of all stories it is: what its shops are told apart by.
    number: usize,
    mesh: Arc<Mutex<Mesh>>,
}

/// A mesh in the hands of one story.
pub(super) struct Scene {
    number: usize,
    mesh: OwnedMutexGuard<Mesh>,
}

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

/// Lists the tests of this module that are told on the mesh, too.
macro_rules! stories {
    ($($story:ident),* $(,)?) => {
        /// What is told on the mesh, too.
        pub(crate) const STORIES: &[$crate::common::Story] = &[
            $((concat!(module_path!(), "::", stringify!($story)), $story)),*
        ];
    };
}

pub(crate) use stories;

/// Where the story of this thread is told.
pub(super) fn stage() -> Option<Stage> {
    STAGE.with_borrow(Clone::clone)
}

/// Tells stories on one mesh, and panics if one of them does not end well or leaves anything behind.
pub(crate) async fn tell(stories: &[Story]) {
    let mesh = Arc::new(Mutex::new(Mesh::with(Plan::default()).await));
    let mut failed = Vec::new();
    for (number, (story, tell)) in stories.iter().copied().enumerate() {
        let (stage, begun) = (Stage { number, mesh: mesh.clone() }, Instant::now());
        // A test makes a runtime of its own, which needs a thread of its own.
        let told = tokio::task::spawn_blocking(move || {
            STAGE.set(Some(stage));
            // A thread may be used again.
            let told = std::panic::catch_unwind(tell);
            STAGE.set(None);
            told.unwrap_or_else(|why| resume_unwind(why));
        });
        let well = told.await.is_ok();
        println!("{story}: {} after {:.1?}", if well { "ok" } else { "FAILED" }, begun.elapsed());
        if !well {
            failed.push(story);
        }
        mesh.lock().await.restore().await;
    }
    let mesh = mesh.lock().await;
    assert!(failed.is_empty(), "not as told, on a mesh: {failed:?}");
    mesh.is_done().await;
}

/// Panics unless each test of `program` is told on the mesh, too, or it is said why it is not.
pub(crate) fn all_are_told(program: &str, told: &[Story], only_here: OnlyHere) {
    let tests = tests_of(program);
    assert!(!tests.is_empty(), "{program} has no tests");
    let reasons = |test: &str| {
        let covers = |path: &str| test.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        only_here.iter().filter(move |(path, _)| covers(path)).count()
    };
    for test in &tests {
        let times = told.iter().filter(|(story, _)| story == test).count();
        assert_eq!(
            times + reasons(test),
            1,
            "{test}: list it among its module's stories, or say why it is told here only"
        );
    }
    for (path, why) in only_here {
        let meant = tests.iter().any(|test| test == path || test.starts_with(&format!("{path}::")));
        assert!(meant, "{path} ({why}) is no test, and no module with tests");
    }
}

/// The tests in the sources of a program, by their paths.
fn tests_of(program: &str) -> Vec<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let (mut found, mut folders) = (Vec::new(), vec![tests.join(program)]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let module = path.strip_prefix(&tests).unwrap().with_extension("");
                let names = module.iter().map(|name| name.to_str().unwrap());
                let module: Vec<_> = names.filter(|name| !["mod", "main"].contains(name)).collect();
                let text = std::fs::read_to_string(&path).unwrap();
                found.extend(names_of_tests(&text).map(|test| format!("{}::{test}", module.join("::"))));
            }
        }
    }
    found
}

/// What stands behind each attribute of a test, and is not an attribute itself.
fn names_of_tests(text: &str) -> impl Iterator<Item = &str> {
    let is_test = |line: &str| line.starts_with("#[test]") || line.starts_with("#[tokio::test");
    let tests = text.match_indices('\n').map(|(at, _)| &text[at + 1..]).filter(move |rest| is_test(rest));
    tests.filter_map(|rest| {
        let signature = rest.lines().find(|line| !line.starts_with("#["))?;
        signature.split_once("fn ")?.1.split('(').next()
    })
}

// === impl Scene ===

impl Scene {
    /// Makes the mesh as `args` say, for this story.
    pub(super) async fn set(stage: &Stage, args: &ShopArgs) -> Self {
        let mut mesh = stage.mesh.clone().lock_owned().await;
        let wanted = differing(args);
        for context in wanted.iter().map(|(context, _)| *context).collect::<BTreeSet<_>>() {
            let variables = wanted.iter().filter(|(whose, _)| *whose == context).map(|(_, variable)| variable.clone());
            let replica = mesh.of(context);
            replica.stopped().await;
            replica.variables = variables.collect();
            replica.started().await;
        }
        Self { number: stage.number, mesh }
    }

    pub(super) fn shop(&self, name: &str) -> String {
        format!("{name}.{}", self.number)
    }

    /// A way to the gateway.
    pub(super) async fn channel(&self) -> Channel {
        let gateway = self.mesh.addresses(Role::Gateway)[0];
        Channel::from_shared(format!("http://{gateway}")).unwrap().connect().await.unwrap()
    }

    pub(super) fn stop(&mut self, context: ContextName) {
        self.mesh.of(context).kill();
    }

    pub(super) async fn start(&mut self, context: ContextName) {
        self.mesh.of(context).started().await;
    }

    /// Until [`Self::news_come`] nobody hears of anything: the broker stands still.
    pub(super) fn no_news(&self) {
        self.mesh.nats.process().signal("STOP");
    }

    pub(super) fn news_come(&self) {
        self.mesh.nats.process().signal("CONT");
    }

    /// How often payments of this story's shops were approved, and refunded.
    pub(super) fn money_moved(&self) -> (usize, usize) {
        let count = |event: &str| {
            let of = format!("e.name = '{event}' AND s.shop LIKE '%.{}'", self.number);
            let sql = format!("SELECT count(*) FROM events e JOIN streams s USING (stream) WHERE {of}");
            self.mesh.ask(Payment, &sql).parse().unwrap()
        };
        (count("PaymentApproved"), count("PaymentRefunded"))
    }
}

/// What is not as everywhere: whom it concerns, and how it is told.
fn differing(args: &ShopArgs) -> Vec<(ContextName, (String, String))> {
    let usual = ShopArgs::standard();
    let told = ShopArgs {
        brand: args.brand.clone(),
        pay_within: args.pay_within,
        select_within: args.select_within,
        hold_for: args.hold_for,
        auto_ship: args.auto_ship,
        provider_latency: args.provider_latency.clone(),
        provider_decline_rate: args.provider_decline_rate,
        ..usual.clone()
    };
    assert_eq!(
        format!("{told:?}"),
        format!("{args:?}"),
        "a context of its own does not hear of all of it: tell it here"
    );
    let mut differing = Vec::new();
    let mut tell = |contexts: &[ContextName], variable: &str, wanted: String, usual: &str| {
        if wanted != usual {
            differing.extend(contexts.iter().map(|context| (*context, (variable.to_owned(), wanted.clone()))));
        }
    };
    let time = |time: Duration| format!("{}us", time.as_micros());
    tell(&[Booking], "HIGHSTREET_BRAND", args.brand.clone(), &usual.brand);
    tell(&[Booking, Ordering], "HIGHSTREET_PAY_WITHIN", time(args.pay_within), &time(usual.pay_within));
    tell(&[Booking], "HIGHSTREET_SELECT_WITHIN", time(args.select_within), &time(usual.select_within));
    tell(&[Seating], "HIGHSTREET_HOLD_FOR", time(args.hold_for), &time(usual.hold_for));
    tell(&[Delivery], "HIGHSTREET_AUTO_SHIP", args.auto_ship.to_string(), &usual.auto_ship.to_string());
    let range = |it: &RangeInclusive<Duration>| format!("{}..{}", time(*it.start()), time(*it.end()));
    let latency = (range(&args.provider_latency), range(&usual.provider_latency));
    tell(&[Payment], "HIGHSTREET_PROVIDER_LATENCY", latency.0, &latency.1);
    let (wanted, rate) = (args.provider_decline_rate, usual.provider_decline_rate);
    tell(&[Payment], "HIGHSTREET_PROVIDER_DECLINE_RATE", wanted.to_string(), &rate.to_string());
    differing
}

// === impl Mesh ===

impl Mesh {
    /// Everything runs again, as it did at first.
    async fn restore(&mut self) {
        self.nats.process().signal("CONT");
        for replica in &mut self.replicas {
            if !replica.variables.is_empty() {
                replica.stopped().await;
                replica.variables.clear();
            }
        }
        self.start_all().await;
    }

    /// Waits until everything is published, and panics if something was laid aside.
    async fn is_done(&self) {
        let unpublished = |context| self.ask(context, "SELECT count(*) FROM outbox") != "0";
        let all = || async { (!ContextName::ALL.into_iter().any(unpublished)).then_some(()) };
        eventually("everything is published", all).await;
        let letters = self.bus().await.dead_letters().await.unwrap();
        assert!(letters.is_empty(), "dead letters: {letters:?}");
    }
}
