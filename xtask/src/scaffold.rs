//! `cargo xtask new-context`: the files of a context that compiles, keeps the laws and serves health, and its line in
//! each list. What it is for is written from there on.

use std::fs;
use std::path::Path;

use crate::shell::{cargo, root, run};
use crate::sources::{contexts, copy_repository};

/// Each file of a context: its template, and where it goes.
const FILES: [(&str, &str); 10] = [
    (include_str!("../templates/context/service.proto.in"), "proto/highstreet/{{context}}/v1/{{context}}.proto"),
    (include_str!("../templates/context/events.proto.in"), "proto/highstreet/{{context}}/v1/events.proto"),
    (include_str!("../templates/context/domain_mod.rs.in"), "domain/src/{{context}}/mod.rs"),
    (include_str!("../templates/context/aggregate.rs.in"), "domain/src/{{context}}/{{aggregate}}.rs"),
    (include_str!("../templates/context/policy.rs.in"), "domain/src/{{context}}/policy.rs"),
    (include_str!("../templates/context/domain_test.rs.in"), "domain/tests/{{context}}.rs"),
    (include_str!("../templates/context/golden.jsonl.in"), "domain/tests/golden/{{aggregate}}.v1.jsonl"),
    (include_str!("../templates/context/wire.rs.in"), "adapters/wire/src/{{context}}.rs"),
    (include_str!("../templates/context/grpc.rs.in"), "adapters/grpc/src/{{context}}.rs"),
    (include_str!("../templates/context/mount.rs.in"), "services/src/contexts/{{context}}.rs"),
];

/// Each list: its file, the line before which a context's line goes, and that line.
const LISTS: [(&str, &str, &str); 18] = [
    ("domain/src/lib.rs", "pub mod delivery;", "pub mod {{context}};"),
    ("adapters/wire/src/lib.rs", "pub mod delivery;", "pub mod {{context}};"),
    ("adapters/wire/src/proto.rs", "common::v1 as common,", "{{context}}::v1 as {{context}},"),
    ("adapters/grpc/src/lib.rs", "pub mod delivery;", "pub mod {{context}};"),
    (
        "adapters/grpc/src/opened.rs",
        "        ordering::PlaceOrderRequest => \"PlaceOrder\" of customer_phone,",
        "        highstreet_wire::proto::{{context}}::Create{{Aggregate}}Request => \"Create{{Aggregate}}\",",
    ),
    (
        "services/src/contexts/mod.rs",
        "    /// 주문\n    Ordering = ordering,",
        "    /// Say what it is in two words.\n    {{Context}} = {{context}}, calls [];",
    ),
    (
        "services/src/design/map.rs",
        "        ContextName::Payment => (\"general\"",
        "        ContextName::{{Context}} => (\"supporting\", \"{{context}}\", \"none yet\", SUPPORTING),",
    ),
    (
        "sdk/rust/src/street.rs",
        "    ordering: ordering_service_client",
        "    {{context}}: {{context}}_service_client::{{Context}}ServiceClient, \"Say what it is in two words.\";",
    ),
    (
        "sdk/typescript/src/street.ts",
        "import { OrderingService }",
        "import { {{Context}}Service } from \"./gen/highstreet/{{context}}/v1/{{context}}_pb.js\";",
    ),
    (
        "sdk/typescript/src/street.ts",
        "  /** Orders of drinks",
        "  /** Say what it is in two words. */\n  {{context}}: {{Context}}Service,",
    ),
    (
        "sdk/python/src/highstreet/street.py",
        "from .ordering.v1.ordering_pb2_grpc",
        "from .{{context}}.v1.{{context}}_pb2_grpc import {{Context}}ServiceStub",
    ),
    (
        "sdk/python/src/highstreet/street.py",
        "        self.ordering = ",
        "        self.{{context}} = {{Context}}ServiceStub(visit)\n        \"\"\"Say what it is in two words.\"\"\"",
    ),
    ("deploy/helm/context/files/callers.yaml", "delivery: [", "{{context}}: []"),
    (
        "deploy/helm/highstreet/Chart.yaml",
        "  - {name: context, alias: delivery,",
        "  - {name: context, alias: {{context}}, version: 0.1.0, repository: file://../context, condition: \
         {{context}}.enabled}",
    ),
    (
        "deploy/helm/highstreet/values.yaml",
        "delivery:\n",
        "{{context}}:\n  # -- Say what it is in two words.\n  enabled: true",
    ),
    (
        "deploy/helm/highstreet/values.schema.json",
        "    \"delivery\": {",
        "    \"{{context}}\": {\"type\": \"object\"},",
    ),
    (
        "deploy/helm/highstreet/README.md",
        "| `delivery.enabled` |",
        "| `{{context}}.enabled` | `true` | Say what it is in two words. |",
    ),
    ("docs/glossary.md", "| ordering | 주문 |", "| {{context}} | {{context}} | say here what it is about |"),
];

/// What a new context is called.
#[derive(clap::Args)]
pub(crate) struct NewContext {
    /// The context, in lower case: `repair`.
    name: String,
    /// What it keeps, as Rust writes types: `Repair`; the context's name if not given.
    #[arg(long)]
    aggregate: Option<String>,
    /// The folder of the sources; this repository if not given.
    #[arg(long, hide = true)]
    root: Option<std::path::PathBuf>,
}

/// The spellings of a context's names.
struct Names {
    context: String,
    aggregate: String,
    snake: String,
}

/// Writes it.
pub(crate) fn write(wanted: &NewContext) -> Result<(), String> {
    let root = wanted.root.clone().unwrap_or_else(root);
    let names = Names::of(wanted)?;
    if contexts(&root)?.contains(&names.context) {
        return Err(format!("there is a context called {} already", names.context));
    }
    let mut written = Vec::new();
    for (template, path) in FILES {
        let path = names.fill(path);
        create(&root.join(&path), &names.fill(template))?;
        written.push(path);
    }
    for (path, before, line) in LISTS {
        insert(&root.join(path), before, &names.fill(line))?;
    }
    // A type's name decides where lines break.
    run(cargo().current_dir(&root).args(["fmt", "--all"]))?;
    println!("{} is written:\n  {}", names.context, written.join("\n  "));
    println!("and stands in the lists. Next: say what it is in its proto, then write its rules.");
    Ok(())
}

/// Writes one into a copy of the repository, and sees whether it builds, keeps the laws and serves health.
pub(crate) fn try_out() -> Result<(), String> {
    let copy = root().join("target/new-context");
    copy_repository(&copy, &[])?;
    write(&NewContext { name: "repair".into(), aggregate: Some("WorkOrder".into()), root: Some(copy.clone()) })?;
    let wrong = |error: std::io::Error| format!("{}: {error}", copy.display());
    let breaches = crate::architecture::check_in(&copy);
    // The copy's crates are built beside ours: what both depend on is built once.
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    let cargo = || {
        let mut cargo = cargo();
        cargo.current_dir(&copy).env("CARGO_TARGET_DIR", &target);
        cargo
    };
    breaches
        .and_then(|()| run(cargo().args(["test", "--locked", "--package", "highstreet-domain", "--test", "repair"])))
        .and_then(|()| {
            let packages = ["--package", "highstreet", "--package", "highstreet-client"];
            run(cargo().args(["test", "--locked"]).args(packages).args(["--lib", "every_context"]))
        })?;
    fs::remove_dir_all(&copy).map_err(wrong)
}

fn create(path: &Path, text: &str) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
    if path.exists() {
        return Err(format!("{} exists already", path.display()));
    }
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(wrong)?;
    fs::write(path, text).map_err(wrong)
}

fn insert(path: &Path, before: &str, line: &str) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let at = text.find(before).ok_or_else(|| format!("{}: there is no line {before}", path.display()))?;
    let (head, tail) = text.split_at(at);
    fs::write(path, format!("{head}{line}\n{tail}")).map_err(|error| format!("{}: {error}", path.display()))
}

// === impl Names ===

impl Names {
    fn of(wanted: &NewContext) -> Result<Self, String> {
        let context = wanted.name.clone();
        if context.is_empty() || !context.chars().all(|c| c.is_ascii_lowercase()) {
            return Err(format!("{context} must be one word in lower case, such as repair"));
        }
        let aggregate = wanted.aggregate.clone().unwrap_or_else(|| capital(&context));
        if !aggregate.starts_with(|c: char| c.is_ascii_uppercase()) || !aggregate.chars().all(char::is_alphanumeric) {
            return Err(format!("{aggregate} must be written like a type, such as Repair"));
        }
        Ok(Self { snake: snake(&aggregate), context, aggregate })
    }

    fn fill(&self, template: &str) -> String {
        template
            .replace("{{context}}", &self.context)
            .replace("{{Context}}", &capital(&self.context))
            .replace("{{Aggregates}}", &format!("{}s", self.aggregate))
            .replace("{{Aggregate}}", &self.aggregate)
            .replace("{{aggregates}}", &format!("{}s", self.snake))
            .replace("{{aggregate}}", &self.snake)
            .replace("{{AGGREGATE}}", &self.snake.to_uppercase())
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str, aggregate: Option<&str>) -> Result<Names, String> {
        Names::of(&NewContext { name: name.into(), aggregate: aggregate.map(Into::into), root: None })
    }

    #[test]
    fn names_are_spelt_as_each_language_spells_them() {
        let names = names("repair", Some("WorkOrder")).expect("names of a context");
        assert_eq!(
            names.fill("{{Context}} {{Aggregates}} {{aggregate}}_id {{AGGREGATE}}_X"),
            "Repair WorkOrders work_order_id WORK_ORDER_X"
        );
    }

    #[test]
    fn a_context_is_one_word_in_lower_case() {
        assert!(names("Repair", None).is_err());
        assert!(names("", None).is_err());
        assert!(names("repair", Some("order")).is_err());
        assert_eq!(names("repair", None).expect("names of a context").aggregate, "Repair");
    }

    #[test]
    fn every_list_has_the_line_that_others_go_before() {
        for (path, before, _) in LISTS {
            let text = fs::read_to_string(root().join(path)).expect("a list");
            assert_eq!(text.matches(before).count(), 1, "{path} has not one {before:?}");
        }
    }
}
