// Where the definitions of resources come from that Kubernetes itself does not have. Nothing of it is compiled.
module highstreet/tools/kube/definitions

go 1.26.0

require (
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.6.3
)
