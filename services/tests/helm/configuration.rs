//! Configuration from outside (CAP-19).

use serde_json::json;

use crate::node::Node;
use crate::shops::{STREET, Visitor, street};

/// CAP-19 (the `ConfigMap`'s brand is shown in answers): what values say of the brand stands in the map, from there in
/// the program's environment, and from there in a booking; a changed map is a changed pod, which is started anew.
#[tokio::test(flavor = "multi_thread")]
async fn cap_19_the_brand_of_the_config_map_is_shown_with_bookings() {
    let mut node = Node::new();
    let install = |brand: &str| street(&json!({"config": {"brand": brand}}));
    let rollout = "highstreet/config";
    let (odeon, roxy) = (install("Odeon"), install("Roxy, by the sea"));
    node.apply(&odeon);
    let visitor = Visitor::of(&node);
    assert_eq!(odeon.get("ConfigMap", STREET)["data"]["HIGHSTREET_BRAND"], "Odeon");
    let pod = node.start(&odeon, STREET).await;
    assert_eq!(visitor.book(&pod).await.brand, "Odeon");

    node.apply(&roxy);
    let template = |objects: &crate::chart::Objects| {
        objects.get("Deployment", STREET)["spec"]["template"]["metadata"]["annotations"][rollout].clone()
    };
    assert_ne!(template(&odeon), template(&roxy), "nothing would start a new pod");
    assert_eq!(template(&odeon), template(&install("Odeon")), "the same would start one");
    drop(pod);
    let pod = node.start(&roxy, STREET).await;
    assert_eq!(visitor.book(&pod).await.brand, "Roxy, by the sea");

    // Without a word of the values it is the program's own.
    let plain = street(&json!({}));
    assert!(plain.get("ConfigMap", STREET)["data"]["HIGHSTREET_BRAND"].is_null());
    drop(pod);
    let pod = node.start(&plain, STREET).await;
    assert_eq!(visitor.book(&pod).await.brand, "Highstreet Cinema");
}
