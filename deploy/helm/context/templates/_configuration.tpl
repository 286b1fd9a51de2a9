{{/* How the shops are run, as variables. */}}
{{- define "context.configuration" -}}
{{- range $option, $value := .settings.config }}
{{ include "context.variable" $option }}: {{ include "context.text" $value | quote }}
{{- end }}
{{- if and (not .settings.isGateway) (eq .settings.store.kind "sqlite") }}
HIGHSTREET_STORE: sqlite
{{- end }}
{{- if eq .settings.bus.kind "embedded" }}
HIGHSTREET_BUS: embedded
{{- else if not .settings.bus.secret }}
HIGHSTREET_BUS: {{ .settings.bus.url | quote }}
{{- end }}
{{- with .settings.telemetry }}
{{- with .otlp }}
HIGHSTREET_OTLP_ENDPOINT: {{ .endpoint | quote }}
{{- end }}
{{- if hasKey . "sample" }}
HIGHSTREET_TRACE_SAMPLE: {{ include "context.text" .sample | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "context.meshAnnotations" -}}
{{- if eq .serviceMesh "linkerd" -}}
linkerd.io/inject: enabled
# Probes and Prometheus come from outside of the mesh.
config.linkerd.io/skip-inbound-ports: "8089"
{{- else if eq .serviceMesh "istio" -}}
sidecar.istio.io/inject: "true"
traffic.sidecar.istio.io/excludeInboundPorts: "8089"
proxy.istio.io/config: '{"holdApplicationUntilProxyStarts": true}'
{{- end -}}
{{- end -}}
