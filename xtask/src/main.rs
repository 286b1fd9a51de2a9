//! `cargo xtask`: everything CI runs, and how to run the parts of it.
//!
//! `test` is `check`, then a build, then every test, and `sdk`: the clients in other languages. `check` is what reads the
//! sources without running them: formatting, the architecture, the requirements, the published language, lints, docs and
//! dependencies.

mod architecture;
mod archive;
mod browser;
mod check;
mod go_tools;
mod helm;
mod image;
mod kube_test;
mod mesh;
mod next_release;
mod prometheus;
mod proto;
mod release;
mod requirements;
mod scaffold;
mod sdk;
mod servers;
mod shell;
mod sources;
mod step;
mod tools;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::shell::cargo;
use crate::step::{Done, Steps};
use crate::tools::Missing;

/// Everything CI runs.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything CI runs: check, then build, then all tests; the cheap ones first.
    Test(How),
    /// What reads the sources without running them.
    Check {
        /// Only this part of it.
        #[arg(value_enum)]
        part: Option<Part>,
        #[command(flatten)]
        how: How,
    },
    /// Writes docs/requirements.md from the names and doc comments of tests.
    Requirements {
        /// Writes nothing; fails if the file is not what would be written, or a finished shop has an id no test names.
        #[arg(long)]
        check: bool,
    },
    /// Draws docs/design.md anew from what the contexts are, and docs/access.md from what the RPCs' options say.
    Docs,
    /// Writes the files of a new context, and its line in each list.
    NewContext(scaffold::NewContext),
    /// Builds a next release, of these sources with another schema, for the tests that upgrade to it.
    NextRelease,
    /// Writes services/link-order.txt: what the program runs until it is ready, and what when it is called, laid
    /// together by the linker.
    LinkOrder,
    /// The whole street as local processes, on PostgreSQL and NATS.
    Mesh {
        #[command(subcommand)]
        mesh: mesh::Mesh,
    },
    /// Checks the Helm charts: lint, the Kubernetes API's schemas, policies, and the tests of their templates.
    Helm {
        /// Draws the tables of values in their READMEs instead.
        #[arg(long)]
        write: bool,
        #[command(flatten)]
        how: How,
    },
    /// Generates the SDKs from the published language, builds them, and tests them against the server.
    Sdk(How),
    /// The Helm charts on a real Kubernetes: API server, controllers and scheduler, with nodes that are simulated.
    KubeTest(kube_test::KubeTest),
    /// Makes the container image, without a daemon, and tries it out.
    Image(image::Image),
    /// Makes everything that a version is published as; publishes nothing.
    Release(release::Release),
    /// Fetches Prometheus and promtool, which alerts are tested with.
    Prometheus,
    /// The tests that go on for long: more seeds, more faults, more calls.
    Soak,
    /// Sends a server good and bad requests, in release mode: none may break it.
    Fuzz(Fuzz),
    /// Runs the benchmarks, in release mode.
    Bench {
        /// Handed on to them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// How much to send.
#[derive(Args)]
struct Fuzz {
    /// Requests for each port.
    #[arg(long, default_value_t = 100_000)]
    requests: u64,
    /// What they are made from: the same seed makes the same requests. Any if not given; it is printed.
    #[arg(long)]
    seed: Option<u64>,
}

/// How to go about the steps.
#[derive(Args, Clone, Copy)]
struct How {
    /// Installs nothing: leaves out what needs a tool that is not there.
    #[arg(long)]
    quick: bool,
    /// Goes on after a failure, to show all of them.
    #[arg(long)]
    keep_going: bool,
}

/// The parts of `check` that can be run alone.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Part {
    /// The rules of the architecture.
    Architecture,
    /// The published language: lint, format, compatibility.
    Proto,
    /// Licences, bans, sources and advisories of dependencies.
    Dependencies,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Test(how) => test(how),
        Command::Check { part, how } => {
            let mut steps = Steps::new(how.keep_going);
            match part {
                None => check::everything(&mut steps, how.missing()),
                Some(Part::Architecture) => check::architecture(&mut steps),
                Some(Part::Proto) => check::proto(&mut steps, how.missing()),
                Some(Part::Dependencies) => check::dependencies(&mut steps, how.missing()),
            }
            steps.finish()
        }
        Command::Requirements { check: true } => told(requirements::check()),
        Command::Requirements { check: false } => told(requirements::write()),
        Command::Docs => {
            let test = ["test", "--package", "highstreet", "--lib", "design_documents"];
            told(shell::run(cargo().args(test).env("HIGHSTREET_WRITE_DOCS", "1")))
        }
        Command::NewContext(wanted) => told(scaffold::write(&wanted)),
        Command::LinkOrder => told(mesh::link_order::write()),
        Command::NextRelease => told(next_release::build()),
        Command::Mesh { mesh } => told(mesh::go(&mesh)),
        Command::Helm { write: true, .. } => told(helm::write_readmes()),
        Command::Helm { write: false, how } => {
            let mut steps = Steps::new(how.keep_going);
            helm::everything(&mut steps, how.missing());
            steps.finish()
        }
        Command::Sdk(how) => {
            let mut steps = Steps::new(how.keep_going);
            sdk::everything(&mut steps, how.missing());
            steps.finish()
        }
        Command::KubeTest(wanted) => {
            let mut steps = Steps::new(false);
            kube_test::everything(&wanted, &mut steps);
            steps.finish()
        }
        Command::Image(wanted) => {
            let mut steps = Steps::new(false);
            image::everything(&wanted, &mut steps);
            steps.finish()
        }
        Command::Release(wanted) => {
            let mut steps = Steps::new(false);
            release::everything(&wanted, &mut steps);
            steps.finish()
        }
        Command::Prometheus => told(prometheus::ensure(Missing::Install).map(drop)),
        Command::Soak => told(soak()),
        Command::Fuzz(much) => told(fuzz(&much)),
        Command::Bench { arguments } => {
            let bench = ["run", "--release", "--package", "highstreet-bench", "--"];
            told(servers::ensure(Missing::Install).and_then(|_| shell::run(cargo().args(bench).args(arguments))))
        }
    }
}

fn test(how: How) -> ExitCode {
    let mut steps = Steps::new(how.keep_going);
    check::everything(&mut steps, how.missing());
    helm::without_tests(&mut steps, how.missing());
    steps.take("servers", || {
        let there = servers::ensure(how.missing())?;
        there
            .then_some(Done::Passed)
            .ok_or_else(|| "PostgreSQL, nats-server, faketime or python3-venv is missing, and tests need them".into())
    });
    steps.take("prometheus", || {
        let there = prometheus::ensure(how.missing())?;
        there.then_some(Done::Passed).ok_or_else(|| "prometheus is missing, and alerts are tested with it".into())
    });
    steps.take("npm", || {
        let there = tools::npm(how.missing())?;
        there
            .then_some(Done::Passed)
            .ok_or_else(|| "npm is missing, and the test with a real OpenID provider needs it".into())
    });
    steps.take("next release", next_release::build);
    steps.take("build", || shell::run(cargo().args(["build", "--workspace", "--all-targets", "--locked"])));
    steps.take("test", || {
        let mut test = cargo();
        test.args(["test", "--workspace", "--locked"]);
        // Tests of the charts say what is missing, if it is.
        go_tools::go_tool("helm", how.missing())?.map(|helm| test.env("HIGHSTREET_HELM", helm));
        shell::run(&mut test)
    });
    steps.take("browser", || browser::test(how.missing()));
    sdk::others(&mut steps, how.missing());
    steps.take("new context", scaffold::try_out);
    steps.finish()
}

/// What takes too long for every change.
fn soak() -> Result<(), String> {
    servers::ensure(Missing::Install)?;
    shell::run(
        cargo().args(["test", "--package", "highstreet-testkit", "--test", "world"]).env("HIGHSTREET_SEEDS", "50000"),
    )?;
    shell::run(cargo().args(["test", "--package", "highstreet", "--test", "mesh"]).env("HIGHSTREET_SOAK", "1"))
}

fn fuzz(much: &Fuzz) -> Result<(), String> {
    let test =
        ["test", "--release", "--package", "highstreet", "--test", "fuzz", "--", "--nocapture", "--test-threads=1"];
    let mut fuzz = cargo();
    fuzz.args(test).env("HIGHSTREET_FUZZ_REQUESTS", much.requests.to_string());
    if let Some(seed) = much.seed {
        fuzz.env("HIGHSTREET_FUZZ_SEED", seed.to_string());
    }
    shell::run(&mut fuzz)
}

fn told(done: Result<(), String>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

// === impl How ===

impl How {
    const fn missing(self) -> Missing {
        if self.quick { Missing::Skip } else { Missing::Install }
    }
}
