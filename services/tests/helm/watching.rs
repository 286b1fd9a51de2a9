//! What is for others to take up: Prometheus, Grafana, service meshes and whatever leads to the gateway.

use serde_json::{Value, json};

use crate::chart::{Objects, context, root, street_with};

fn watched() -> Objects {
    let on = json!({"enabled": true, "labels": {"release": "prometheus"}});
    let monitoring = json!({"serviceMonitor": on, "rules": on, "dashboards": {"enabled": true}});
    street_with(&json!({"global": {"monitoring": monitoring}}))
}

/// CAP-17 (monitoring): Prometheus is told to read every context's metrics.
#[test]
fn cap_17_prometheus_reads_every_context() {
    let objects = watched();
    let monitors = objects.of_kind("ServiceMonitor");
    assert_eq!(monitors.len(), 15);
    for monitor in monitors {
        assert_eq!(monitor["metadata"]["labels"]["release"], "prometheus");
        let service = objects.get("Service", monitor["metadata"]["name"].as_str().unwrap());
        for (label, value) in monitor["spec"]["selector"]["matchLabels"].as_object().unwrap() {
            assert_eq!(&service["metadata"]["labels"][label], value, "{monitor}");
        }
        let job = monitor["spec"]["jobLabel"].as_str().unwrap();
        assert_eq!(service["metadata"]["labels"][job], "highstreet", "alerts look for it");
        let endpoint = &monitor["spec"]["endpoints"][0];
        assert_eq!((&endpoint["port"], &endpoint["path"]), (&json!("admin"), &json!("/metrics")));
        let ports = service["spec"]["ports"].as_array().unwrap();
        assert!(ports.iter().any(|port| port["name"] == "admin" && port["port"] == 8089), "{service}");
    }
    assert!(street_with(&json!({})).of_kind("ServiceMonitor").is_empty(), "only where somebody asks for it");
}

/// CAP-17: alerts and dashboards are those of the chart's files, once for a street.
#[test]
fn cap_17_alerts_and_dashboards_are_those_of_the_files() {
    let files = root().join("deploy/helm/context/files");
    let objects = watched();
    let rules = objects.of_kind("PrometheusRule");
    let alerts = std::fs::read_to_string(files.join("alerts.yaml")).ok();
    assert_eq!(rules.len(), usize::from(alerts.is_some()));
    for (rule, alerts) in rules.iter().zip(alerts) {
        let alerts: Value = yaml_serde::from_str(&alerts).unwrap();
        assert_eq!(rule["spec"], alerts, "templates of alerts are Prometheus', not Helm's");
    }
    let dashboards =
        std::fs::read_dir(files.join("dashboards")).into_iter().flatten().flatten().map(|file| file.path());
    let dashboards: Vec<_> = dashboards.filter(|file| file.extension().is_some_and(|it| it == "json")).collect();
    let maps: Vec<_> = objects
        .of_kind("ConfigMap")
        .into_iter()
        .filter(|it| it["metadata"]["labels"]["grafana_dashboard"] == "1")
        .collect();
    assert_eq!(maps.len(), usize::from(!dashboards.is_empty()));
    for (map, file) in maps.iter().flat_map(|map| dashboards.iter().map(move |file| (map, file))) {
        let told = map["data"][file.file_name().unwrap().to_str().unwrap()].as_str().unwrap();
        assert_eq!(told.trim(), std::fs::read_to_string(file).unwrap().trim());
    }
}

#[test]
fn service_meshes_are_joined_where_somebody_asks() {
    let annotations = |mesh: &str| {
        let objects = street_with(&json!({"global": {"serviceMesh": mesh}}));
        objects.get("Deployment", "street-payment")["spec"]["template"]["metadata"]["annotations"].clone()
    };
    assert_eq!(annotations("linkerd")["linkerd.io/inject"], "enabled");
    assert_eq!(annotations("istio")["sidecar.istio.io/inject"], "true");
    let none = street_with(&json!({}));
    let none = &none.get("Deployment", "street-payment")["spec"]["template"]["metadata"]["annotations"];
    assert!(!none.to_string().contains("inject"), "{none}");
}

/// What leads to the gateway leads to nobody else, whoever is told of it.
#[test]
fn only_the_gateway_is_reached_from_outside() {
    let route =
        json!({"enabled": true, "parents": [{"name": "public"}], "hosts": ["a.example"], "grpcHosts": ["b.example"]});
    let ingress = json!({"enabled": true, "host": "a.example", "tlsSecret": "certificate"});
    let objects = street_with(&json!({"global": {"route": route, "ingress": ingress}}));
    for (kind, host) in [("HTTPRoute", "a.example"), ("GRPCRoute", "b.example")] {
        let routes = objects.of_kind(kind);
        assert_eq!(routes.len(), 1, "{kind}");
        assert_eq!(routes[0]["spec"]["hostnames"], json!([host]));
        let to = &routes[0]["spec"]["rules"][0]["backendRefs"];
        assert_eq!(*to, json!([{"name": "street-gateway", "port": 8088}]), "{kind}");
    }
    let ingress = objects.of_kind("Ingress");
    assert_eq!(ingress.len(), 1);
    let backend = &ingress[0]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"];
    assert_eq!(*backend, json!({"name": "street-gateway", "port": {"name": "grpc"}}));
    assert_eq!(ingress[0]["spec"]["tls"], json!([{"secretName": "certificate", "hosts": ["a.example"]}]));
    // What is open to the outside does not show its metrics there.
    let balanced = json!({"context": "gateway", "service": {"type": "LoadBalancer"}});
    let objects = context("gateway", balanced).unwrap();
    let ports = |service: &str| objects.get("Service", service)["spec"]["ports"].clone();
    assert_eq!((ports("gateway").as_array().unwrap().len(), &ports("gateway")[0]["name"]), (1, &json!("grpc")));
    assert_eq!(ports("gateway-admin")[0]["name"], "admin");
    // gRPC is HTTP/2 without TLS, unless there is a certificate.
    let protocol = |more: Value| {
        let objects = context("gateway", more).unwrap();
        objects.get("Service", "gateway")["spec"]["ports"][0]["appProtocol"].clone()
    };
    assert_eq!(protocol(json!({"context": "gateway"})), "kubernetes.io/h2c");
    assert_eq!(protocol(json!({"context": "gateway", "tls": {"secret": "a"}})), "https");
}
