//! Gathers what was measured, and says it in ratios.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::Outcome;
use crate::floor::{FROM_MEMORY, GROUP_COMMIT};
use crate::load::Load;

const README: &str = "README.md";
const END: &str = "<!-- end of figures -->";
/// What every way to a trace has at least, on the machine as busy as it is then.
pub(crate) const MEANWHILE: &str = "floor: one commit and one publication, meanwhile";
/// Where the figures of one process stand.
pub(crate) const PROCESS: &str = "<!-- figures: cargo xtask bench --stored 1000000 --write -->";
/// Where the figures of a payment in trouble stand.
pub(crate) const RESILIENCE: &str = "<!-- figures: cargo xtask bench --seconds 60 --write resilience -->";
/// Where the figures of the other shops stand.
pub(crate) const SHOPS: &str = "<!-- figures: cargo xtask bench --stored 10000000 --write shops -->";
/// Where the figures of the mesh stand.
pub(crate) const MESH: &str = "<!-- figures: cargo xtask bench --stored 10000000 --write mesh -->";

fn floor_of(name: &str, floor: &str) -> String {
    format!("{floor}, beside {name}")
}

/// Every figure of every round, by name.
#[derive(Default)]
pub(crate) struct Report {
    figures: BTreeMap<String, Vec<f64>>,
}

// === impl Report ===

impl Report {
    pub(crate) fn load(&mut self, name: &str, load: &Load) {
        println!("{name:<58} {load}");
        self.keep(name, load.rate);
    }

    /// A load and its floor, which were measured in turns.
    pub(crate) fn beside(&mut self, name: &str, floor: &str, [load, floor_load]: &[Load; 2]) {
        self.load(name, load);
        self.load(&floor_of(name, floor), floor_load);
    }

    /// The rate of `name`, and of its floor: alone or in turns with it, whichever is faster. What a write leaves to be
    /// published goes on in the floor's turn, and must not make the floor look slow.
    fn beside_its_floor(&self, name: &str, floor: &str) -> Option<(f64, f64)> {
        let floors = [self.middle(floor), self.middle(&floor_of(name, floor))];
        self.middle(name).zip(floors.into_iter().flatten().reduce(f64::max))
    }

    pub(crate) fn share(&mut self, name: &str, share: f64) {
        println!("{name:<58} {:.2} %", share * 100.0);
        self.keep(name, share * 100.0);
    }

    pub(crate) fn rate(&mut self, name: &str, rate: f64) {
        println!("{name:<58} {rate:>8.0}/s");
        self.keep(name, rate);
    }

    pub(crate) fn lag(&mut self, name: &str, load: &Load) {
        let (median, late) = (load.percentile(0.5), load.percentile(0.99));
        println!("{name:<58} p50 {median:.2?}  p99 {late:.2?}  ({} payments)", load.count());
        self.keep(name, median.as_secs_f64() * 1e3);
        self.keep(&format!("{name}, p99"), late.as_secs_f64() * 1e3);
    }

    pub(crate) fn time(&mut self, name: &str, time: Duration) {
        println!("{name:<58} {time:.2?}");
        self.keep(name, time.as_secs_f64() * 1e3);
    }

    pub(crate) fn note(&mut self, name: &str, time: Duration) {
        self.time(name, time);
    }

    pub(crate) fn size(&mut self, name: &str, mebibytes: f64) {
        println!("{name:<58} {mebibytes:.1} MiB");
        self.keep(name, mebibytes);
    }

    pub(crate) fn kibibytes(&mut self, name: &str, bytes: f64) {
        println!("{name:<58} {:.1} KiB", bytes / 1024.0);
        self.keep(name, bytes / 1024.0);
    }

    pub(crate) fn cost(&mut self, name: &str, seconds: f64) {
        println!("{name:<58} {:.0} µs", seconds * 1e6);
        self.keep(name, seconds * 1e6);
    }

    pub(crate) fn ratio(&mut self, name: &str, ratio: f64) {
        println!("{name:<58} {ratio:.2} ×");
        self.keep(name, ratio);
    }

    /// What is reached, beside what is to be reached.
    pub(crate) fn table(&self) -> String {
        let mut table = String::from("| figure | measured | to reach |\n|---|---|---|\n");
        let floors = [
            ("CancelOrder", GROUP_COMMIT, 0.6),
            ("PlaceOrder", GROUP_COMMIT, 0.2),
            ("Pay", GROUP_COMMIT, 0.3),
            ("GetOrder", FROM_MEMORY, 0.5),
        ];
        for (name, floor, wanted) in floors {
            for suffix in ["", ", the whole shop following"] {
                let name = format!("{name}{suffix}");
                let Some((rate, floor_rate)) = self.beside_its_floor(&name, floor) else { continue };
                let wanted = if suffix.is_empty() { wanted.to_string() } else { String::new() };
                let ratio = rate / floor_rate;
                let _ = writeln!(
                    table,
                    "| {name}, ÷ {floor} | {ratio:.2} ({rate:.0} of {floor_rate:.0} a second) | {wanted} |"
                );
            }
        }
        if let (Some(lag), Some(commit)) = (self.middle("from Pay's answer to the trace"), self.middle("one commit")) {
            let _ = writeln!(
                table,
                "| from Pay's answer to the trace at half load, median ÷ one commit | {:.1} ({lag:.2} of {commit:.2} ms) | 10 |",
                lag / commit
            );
        }
        let plain = [
            ("idle after start", "MiB", "40"),
            ("ready with an empty folder", "ms", "200"),
            ("ready with stored orders", "ms", "500"),
            ("GetOrder, one of many ÷ one of 10 thousand", "×", "1.3"),
        ];
        for (name, unit, wanted) in plain {
            if let Some(figure) = self.middle(name) {
                let _ = writeln!(table, "| {name} | {figure:.1} {unit} | {wanted} {unit} |");
            }
        }
        table
    }

    /// What is left of each rate with a collector, and what the processor takes more.
    pub(crate) fn telemetry_table(&self, suffix: &str) -> String {
        let mut table = String::from("| figure | measured | to reach |\n|---|---|---|\n");
        for (name, wanted) in [("PlaceOrder", "0.95"), ("GetOrder", "0.95"), ("processor time of one PlaceOrder", "")] {
            let with = self.middle(&format!("{name}{suffix}"));
            let (Some(with), Some(without)) = (with, self.middle(name)) else { continue };
            let ratio = with / without;
            let _ =
                writeln!(table, "| {name}{suffix}, ÷ without | {ratio:.2} ({with:.0} of {without:.0}) | {wanted} |");
        }
        table
    }

    /// What the other shops reach, beside what is to be reached.
    pub(crate) fn shops_table(&self) -> String {
        let mut table = String::from("| figure | measured | to reach |\n|---|---|---|\n");
        let floor = GROUP_COMMIT;
        for (name, wanted) in [("RequestReservation, different books", "0.6"), ("ReceiveStock, many items", "0.6")] {
            let Some((rate, floor_rate)) = self.beside_its_floor(name, floor) else { continue };
            let ratio = rate / floor_rate;
            let _ = writeln!(
                table,
                "| {name}, ÷ {floor} | {ratio:.2} ({rate:.0} of {floor_rate:.0} a second) | {wanted} |"
            );
        }
        let plain = [
            ("tickets a minute of one screening ÷ pretix's 400", "×", "20"),
            ("syncs of the disk for each booking", "", ""),
            ("all fourteen contexts idle in one process", "MiB", "48"),
            ("how late a deadline is kept", "ms", ""),
            ("how late a deadline is kept, p99", "ms", ""),
            ("reading stock with many movements ÷ with few", "×", "0.91"),
            ("changing stock with many movements ÷ with few", "×", "0.91"),
        ];
        for (name, unit, wanted) in plain {
            if let Some(figure) = self.middle(name) {
                let _ = writeln!(table, "| {name} | {figure:.2} {unit} | {wanted} |");
            }
        }
        table
    }

    /// What the mesh reaches, beside what is to be reached.
    pub(crate) fn mesh_table(&self) -> String {
        let mut table = String::from("| figure | measured | to reach |\n|---|---|---|\n");
        let ratios = [
            ("RequestPayment", "floor: pgbench", "1.2"),
            ("RequestPayment, published and tracked", "floor: pgbench", "0.6"),
            ("PlaceOrder through the gateway", "floor: pgbench", "0.2"),
            ("PlaceOrder through the gateway", "PlaceOrder, direct", "0.8"),
            ("GetOrder through the gateway", "GetOrder, direct", ""),
            ("PlaceOrder through the gateway, checked", "PlaceOrder, direct", "0.75"),
            ("GetOrder through the gateway, checked", "GetOrder, direct", "0.75"),
            ("PlaceOrder in JSON through the gateway", "PlaceOrder through the gateway", "0.4"),
            ("GetOrder in JSON through the gateway", "GetOrder through the gateway", "0.4"),
        ];
        for (name, floor, wanted) in ratios {
            let (Some(rate), Some(floor_rate)) = (self.middle(name), self.middle(floor)) else { continue };
            let ratio = rate / floor_rate;
            let _ = writeln!(
                table,
                "| {name}, ÷ {floor} | {ratio:.2} ({rate:.0} of {floor_rate:.0} a second) | {wanted} |"
            );
        }
        let waits = [
            ("from Pay's answer to the trace", "median", "2"),
            ("from Pay's answer to the trace, p99", "99 of 100", "10"),
        ];
        let steps = [("floor: one commit and one publication", ""), (MEANWHILE, " at that load")];
        for ((floor, when), (name, what, wanted)) in steps.iter().flat_map(|step| waits.map(|wait| (step, wait))) {
            let (Some(lag), Some(floor)) = (self.middle(name), self.middle(floor)) else { continue };
            let (ratio, wanted) = (lag / floor, if when.is_empty() { wanted } else { "" });
            let _ = writeln!(
                table,
                "| from an answer to the trace at half load, {what}, ÷ one commit and one publication{when} | {ratio:.1} \
                 ({lag:.2} of {floor:.2} ms) | {wanted} |"
            );
        }
        let plain = [
            ("idle, the largest of fifteen processes", "MiB", "20"),
            ("idle, all fifteen together", "MiB", "300"),
            ("idle, all fifteen together, what they share counted once", "MiB", ""),
            ("ready, the slowest of fifteen", "ms", "300"),
            ("RequestPayment with many events stored ÷ with few", "×", "0.9"),
        ];
        self.plain(&mut table, &plain);
        table
    }

    /// What an order costs each part of the mesh: a table for docs/capacity.md.
    pub(crate) fn capacity_table(&self) -> String {
        let mut table = String::from("| of one order | measured |\n|---|---|\n");
        for name in self.figures.keys() {
            let Some(figure) = self.middle(name) else { continue };
            let unit = match name.split_once(':').map_or(name.as_str(), |(what, _)| what) {
                "processor time of an order" => "µs",
                "kept of an order" => "KiB",
                _ => "a second",
            };
            let _ = writeln!(table, "| {name} | {figure:.0} {unit} |");
        }
        table
    }

    /// What the mesh does when payment is slow, dead or saturated.
    pub(crate) fn resilience_table(&self) -> String {
        let mut table = String::from("| figure | measured | to reach |\n|---|---|---|\n");
        let plain = [
            ("slow payment: answered with success", "%", "100"),
            ("slow payment: rate ÷ 100 callers / 0.51 s", "×", "0.95"),
            ("dead payment: told to try again, median", "ms", "5"),
            ("dead payment: told when to try again", "%", "100"),
            ("dead payment: orders are taken again after", "ms", "5000"),
            ("saturated provider: goodput ÷ what it can take", "×", "1"),
            ("saturated provider: surplus told to try again, median", "ms", ""),
            ("saturated provider: PlaceOrder meanwhile, p99", "ms", ""),
        ];
        self.plain(&mut table, &plain);
        table
    }

    fn plain(&self, table: &mut String, figures: &[(&str, &str, &str)]) {
        for (name, unit, wanted) in figures {
            if let Some(figure) = self.middle(name) {
                let _ = writeln!(table, "| {name} | {figure:.2} {unit} | {wanted} |");
            }
        }
    }

    fn keep(&mut self, name: &str, figure: f64) {
        self.figures.entry(name.to_owned()).or_default().push(figure);
    }

    fn middle(&self, name: &str) -> Option<f64> {
        let mut figures = self.figures.get(name)?.clone();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied()
    }
}

/// Puts the table where the README has its figures.
pub(crate) fn write_readme(begin: &str, table: &str) -> Outcome<()> {
    let readme = std::fs::read_to_string(README)?;
    let (before, rest) = readme.split_once(begin).ok_or("README.md has no place for figures")?;
    let (_, after) = rest.split_once(END).ok_or("README.md has no end of figures")?;
    std::fs::write(README, format!("{before}{begin}\n{table}{END}{after}"))?;
    Ok(())
}
