{{/* Which context this is: what `context` says, and under the umbrella the name it is installed by. */}}
{{- define "context.name" -}}
{{- $alias := ternary "" .Chart.Name (or .Chart.IsRoot (eq .Chart.Name "context")) -}}
{{- $name := .Values.context | default $alias -}}
{{- $known := keys (.Files.Get "files/callers.yaml" | fromYaml) | sortAlpha -}}
{{- if not $name -}}
{{- fail (printf "which context is this to be? --set context=payment; the others are %s, gateway and all" (join ", " $known)) -}}
{{- else if not (has $name (concat $known (list "gateway" "all"))) -}}
{{- fail (printf "there is no context called %s; they are %s, gateway and all" $name (join ", " $known)) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/*
What the names of all objects of one street begin with: `street-` in the release street and in the release
street-payment, nothing in the release payment. Contexts find each other by it, and two streets in one namespace do not
meet.
*/}}
{{- define "context.prefix" -}}
{{- $name := include "context.name" . -}}
{{- if and .Chart.IsRoot (or (eq .Release.Name $name) (hasSuffix (print "-" $name) .Release.Name)) -}}
{{- trimSuffix $name .Release.Name -}}
{{- else -}}
{{- print .Release.Name "-" -}}
{{- end -}}
{{- end -}}

{{- define "context.fullname" -}}
{{- print (include "context.prefix" .) (include "context.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The street, as a label that the policies of several releases can name. */}}
{{- define "context.street" -}}
{{- include "context.prefix" . | trimSuffix "-" | default "highstreet" -}}
{{- end -}}

{{/* What finds a context's pods, and nobody else's. Never changed: a Deployment's selector cannot be. */}}
{{- define "context.selector" -}}
app.kubernetes.io/name: highstreet
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ include "context.name" . }}
{{- end -}}

{{- define "context.labels" -}}
{{ include "context.selector" . }}
app.kubernetes.io/part-of: {{ include "context.street" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "highstreet-%s" .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The pods of `helm test`, for policies. */}}
{{- define "context.testers" -}}
- podSelector:
    matchLabels:
      app.kubernetes.io/name: highstreet-test
      app.kubernetes.io/part-of: {{ include "context.street" . }}
{{- end -}}
