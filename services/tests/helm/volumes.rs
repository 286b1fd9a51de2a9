//! Volumes that outlive pods (CAP-20).

use serde_json::json;
use tonic::Code;

use crate::node::Node;
use crate::shops::{STREET, Visitor, street};

/// CAP-20 (SQLite contexts on a claim keep their data over a restart): the pod is killed and started anew by the same
/// arguments, and the booking is there.
#[tokio::test(flavor = "multi_thread")]
async fn cap_20_what_is_on_a_volume_outlives_the_pod() {
    let mut node = Node::new();
    let objects = street(&json!({}));
    let claim = objects.get("PersistentVolumeClaim", STREET);
    assert_eq!(claim["metadata"]["annotations"]["helm.sh/resource-policy"], "keep", "it outlives the release too");
    node.apply(&objects);
    let visitor = Visitor::of(&node);
    let pod = node.start(&objects, STREET).await;
    let booking = visitor.book(&pod).await;
    drop(pod);
    let pod = node.start(&objects, STREET).await;
    let found = visitor.find(&pod, &booking).await.unwrap();
    assert_eq!((found.booking_id, found.customer), (booking.booking_id, booking.customer));
}

/// CAP-20, the control: without the claim the same goes away with the pod.
#[tokio::test(flavor = "multi_thread")]
async fn cap_20_without_a_volume_it_does_not() {
    let mut node = Node::new();
    let objects = street(&json!({"persistence": {"enabled": false}}));
    assert_eq!(objects.find("PersistentVolumeClaim", STREET), None);
    node.apply(&objects);
    let visitor = Visitor::of(&node);
    let pod = node.start(&objects, STREET).await;
    let booking = visitor.book(&pod).await;
    assert!(visitor.find(&pod, &booking).await.is_ok());
    drop(pod);
    let pod = node.start(&objects, STREET).await;
    assert_eq!(visitor.find(&pod, &booking).await.unwrap_err().code(), Code::NotFound);
}
