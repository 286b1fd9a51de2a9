{{/*
Alert rules and dashboards are those of a whole street: once for a release. Takes root, settings, files (the files of
this chart, whichever chart asks), name and labels.
*/}}
{{- define "context.rules" -}}
{{- $alerts := .files.Get "files/alerts.yaml" -}}
{{- if and .settings.monitoring.rules.enabled $alerts -}}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ .name }}
  labels:
    {{- .labels | nindent 4 }}
    {{- with .settings.monitoring.rules.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- $alerts | nindent 2 }}
{{- end -}}
{{- end -}}

{{- define "context.dashboards" -}}
{{- $dashboards := .files.Glob "files/dashboards/*.json" -}}
{{- if and .settings.monitoring.dashboards.enabled $dashboards -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .name }}-dashboards
  labels:
    {{- .labels | nindent 4 }}
    # What Grafana's sidecar looks for.
    grafana_dashboard: "1"
    {{- with .settings.monitoring.dashboards.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .settings.monitoring.dashboards.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
data:
  {{- $dashboards.AsConfig | nindent 2 }}
{{- end -}}
{{- end -}}
