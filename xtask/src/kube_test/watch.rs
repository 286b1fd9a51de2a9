//! Looks on while Deployments are rolled, and remembers what was available.

use std::collections::BTreeMap;
use std::io::BufReader;
use std::process::{Child, Stdio};
use std::thread::JoinHandle;

use serde_json::{Deserializer, Value};

use super::api::{Api, name};

/// What was seen of a Deployment at one time.
struct Moment {
    /// How many pods were asked for.
    asked: u64,
    /// How many of them were available.
    available: u64,
    /// Whether there were pods of two versions.
    mixed: bool,
}

/// What was seen of each Deployment, by name.
type Seen = BTreeMap<String, Vec<Moment>>;

/// A watch over a namespace's Deployments; it ends when this is dropped.
pub(super) struct Watch {
    kubectl: Child,
    seen: Option<JoinHandle<Seen>>,
    /// How many available pods each Deployment had at the beginning that replaces them one by one.
    before: BTreeMap<String, u64>,
}

// === impl Watch ===

impl Watch {
    /// Begins.
    pub(super) fn begin(api: &Api, namespace: &str) -> Result<Self, String> {
        let deployments = api.all(namespace, "deployments")?;
        let rolling = deployments.iter().filter(|deployment| deployment["spec"]["strategy"]["type"] == "RollingUpdate");
        let before =
            rolling.map(|deployment| (name(deployment).to_owned(), Moment::of(deployment).available)).collect();
        let watch = ["--namespace", namespace, "get", "deployments", "--watch", "--output", "json"];
        let child = api.kubectl(&watch).stdout(Stdio::piped()).spawn();
        let mut kubectl = child.map_err(|error| format!("cannot run kubectl: {error}"))?;
        let told = BufReader::new(kubectl.stdout.take().ok_or("kubectl has no output")?);
        let seen = std::thread::spawn(move || {
            let mut seen = Seen::new();
            // The last one is cut off: kubectl is killed.
            for deployment in Deserializer::from_reader(told).into_iter::<Value>().map_while(Result::ok) {
                seen.entry(name(&deployment).to_owned()).or_default().push(Moment::of(&deployment));
            }
            seen
        });
        Ok(Self { kubectl, seen: Some(seen), before })
    }

    /// Ends. Fails if a Deployment ever lacked more than `missing` of the available pods that it began with, or of those
    /// that it was asked for at the end if that is less. Returns which had pods of two versions.
    pub(super) fn end(mut self, missing: u64) -> Result<Vec<String>, String> {
        let _ = self.kubectl.kill();
        let seen = self.seen.take().and_then(|seen| seen.join().ok()).ok_or("nothing was watched")?;
        for (deployment, before) in &self.before {
            let moments = seen.get(deployment).ok_or_else(|| format!("Deployment {deployment} was not seen"))?;
            enough(moments, *before, missing).map_err(|why| format!("Deployment {deployment} {why}"))?;
        }
        let mixed = seen.into_iter().filter(|(_, moments)| moments.iter().any(|moment| moment.mixed));
        Ok(mixed.map(|(name, _)| name).collect())
    }
}

/// Fails if more than `missing` lacked at any moment.
fn enough(moments: &[Moment], before: u64, missing: u64) -> Result<(), String> {
    let least = moments.last().map_or(0, |last| last.asked).min(before);
    let short = moments.iter().find(|moment| moment.available + missing < least);
    short.map_or(Ok(()), |Moment { asked, available, .. }| {
        Err(format!("had {before} pods, and at some time {available} of {asked} were available"))
    })
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.kubectl.kill();
        let _ = self.kubectl.wait();
    }
}

// === impl Moment ===

impl Moment {
    fn of(deployment: &Value) -> Self {
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let status = &deployment["status"];
        Self {
            asked: number(&deployment["spec"]["replicas"]),
            available: number(&status["availableReplicas"]),
            mixed: number(&status["replicas"]) > number(&status["updatedReplicas"])
                && number(&status["updatedReplicas"]) > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(moments: &[(u64, u64)]) -> Vec<Moment> {
        moments.iter().map(|&(asked, available)| Moment { asked, available, mixed: false }).collect()
    }

    #[test]
    fn as_many_as_before_are_enough() {
        assert_eq!(enough(&seen(&[(2, 2), (3, 2), (3, 3)]), 2, 0), Ok(()));
        assert_eq!(enough(&seen(&[(3, 3), (2, 3), (2, 2)]), 3, 0), Ok(()));
    }

    #[test]
    fn fewer_are_not_even_if_fewer_were_asked_for_in_between() {
        assert!(enough(&seen(&[(2, 2), (2, 1), (2, 2)]), 2, 0).is_err());
        assert!(enough(&seen(&[(2, 2), (1, 1), (3, 3)]), 2, 0).is_err());
    }

    #[test]
    fn one_may_lack_where_a_node_is_drained() {
        assert_eq!(enough(&seen(&[(3, 3), (3, 2), (3, 3)]), 3, 1), Ok(()));
        assert!(enough(&seen(&[(3, 3), (3, 1), (3, 3)]), 3, 1).is_err());
    }
}
