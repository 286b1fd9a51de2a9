{{/*
What this context is installed with: its own values, else those of `global`, else files/defaults.yaml. Strings may hold
templates, such as "{{ .Release.Name }}-postgres".
*/}}
{{- define "context.settings" -}}
{{- $own := include "context.said" (omit .Values "global" "context" "enabled") | fromYaml -}}
{{- $shared := include "context.said" (.Values.global | default dict) | fromYaml -}}
{{- $settings := mergeOverwrite (.Files.Get "files/defaults.yaml" | fromYaml) $shared $own -}}
{{- $name := include "context.name" . -}}
{{- $settings = set $settings "name" $name -}}
{{- $settings = set $settings "isGateway" (eq $name "gateway") -}}
{{- $settings = set $settings "isDoor" (has $name (list "gateway" "all")) -}}
{{- if or $settings.auth.issuer $settings.auth.jwksUrl $settings.auth.jwksConfigMap -}}
{{- $_ := set $settings.auth "tryOut" false -}}
{{- end -}}
{{- if not (hasKey $settings.tls "clientCertificates") -}}
{{- $_ := set $settings.tls "clientCertificates" (not $settings.isDoor) -}}
{{- end -}}
{{- $settings = set $settings "isEmbedded" (eq $settings.bus.kind "embedded") -}}
{{- $settings = set $settings "isSingle" (include "context.isSingle" $settings | eq "true") -}}
{{- include "context.refuse" (dict "own" $own "settings" $settings) -}}
{{- if and (not .Chart.IsRoot) (dig "auth" "tryOut" false $own) (not (dig "auth" "tryOut" false $shared)) -}}
{{- fail (printf "%s is to believe tokens of a key that nobody makes: set global.auth.tryOut instead of its own" $name) -}}
{{- end -}}
{{- tpl (toYaml $settings) . -}}
{{- end -}}

{{/* A map without what is empty: nulls, "", {} and []. `false` and 0 are said. */}}
{{- define "context.said" -}}
{{- $said := dict -}}
{{- range $key, $value := . -}}
{{- if kindIs "map" $value -}}
{{- $value = include "context.said" $value | fromYaml -}}
{{- end -}}
{{- if or $value (kindIs "bool" $value) (kindIs "float64" $value) (kindIs "int64" $value) (kindIs "int" $value) -}}
{{- $said = set $said $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $said -}}
{{- end -}}

{{/* Whether one process has to be alone: with files of its own. A gateway keeps nothing. */}}
{{- define "context.isSingle" -}}
{{- and (not .isGateway) (or (eq .store.kind "sqlite") .isEmbedded) -}}
{{- end -}}

{{/* Says no to what cannot work. */}}
{{- define "context.refuse" -}}
{{- $name := .settings.name -}}
{{- if .settings.isSingle -}}
{{- $why := printf "%s keeps files (store.kind is %s, bus.kind is %s), which one process has at a time" $name .settings.store.kind .settings.bus.kind -}}
{{- $do := "with store.kind postgres and bus.kind nats it can have several" -}}
{{- if gt (int (.own.replicas | default 1)) 1 -}}
{{- fail (printf "%s, and replicas is %v: set it to 1; %s" $why .own.replicas $do) -}}
{{- end -}}
{{- if dig "autoscaling" "enabled" false .own -}}
{{- fail (printf "%s, and autoscaling is enabled: switch it off; %s" $why $do) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .settings.store.kind "postgres") (not .settings.isGateway) (not .settings.store.secret) -}}
{{- fail (printf "%s keeps what it knows in PostgreSQL, and nobody says where that is: name a Secret with its address in store.secret (or global.store.secret), or set store.kind to sqlite; to try things out, the chart highstreet brings one with dev.enabled" $name) -}}
{{- end -}}
{{- if and (eq .settings.bus.kind "nats") (not .settings.bus.url) (not .settings.bus.secret) -}}
{{- fail (printf "%s sends messages by NATS, and nobody says where that is: set bus.url (or global.bus.url), or name a Secret with it in bus.secret; to try things out, the chart highstreet brings one with dev.enabled" $name) -}}
{{- end -}}
{{- end -}}

{{- define "context.replicas" -}}
{{- if .isSingle }}1{{ else }}{{ .replicas | default 2 }}{{ end -}}
{{- end -}}

{{- define "context.autoscales" -}}
{{- and .autoscaling.enabled (not .isSingle) -}}
{{- end -}}

{{/* A value as text: numbers as they are written, lists with commas. */}}
{{- define "context.text" -}}
{{- if kindIs "slice" . }}{{ join "," . }}{{ else if kindIs "string" . }}{{ . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end -}}
