{{- define "context.image" -}}
{{- $tag := .settings.image.tag | default .root.Chart.AppVersion -}}
{{- if .settings.image.digest -}}
{{- print .settings.image.repository "@" .settings.image.digest -}}
{{- else -}}
{{- print .settings.image.repository ":" $tag -}}
{{- end -}}
{{- end -}}

{{/* What this process is, and where its files are. How the shops are run stands in the ConfigMap. */}}
{{- define "context.args" -}}
- serve
{{- if ne .settings.name "all" }}
- {{ .settings.name }}
{{- end }}
- --listen=0.0.0.0:8088
- --admin=0.0.0.0:8089
- --drain={{ .settings.shutdown.drain }}s
- --grace={{ .settings.shutdown.grace }}s
{{- if or .settings.isSingle .settings.isEmbedded }}
- --data=/data
{{- end }}
{{- if ne .settings.name "all" }}
- --peer={{ include "context.peers" . }}
{{- range $name, $url := (.settings.peers | default dict).of }}
- --peer={{ $name }}={{ $url }}
{{- end }}
{{- end }}
{{- $meshKeys := list }}
{{- range .settings.auth.meshKeys }}
{{- $meshKeys = append $meshKeys (print "/etc/highstreet/mesh/" .) }}
{{- end }}
- --auth-mesh-key={{ join "," $meshKeys }}
{{- with .settings.auth.issuer }}
- --auth-issuer={{ . }}
{{- end }}
{{- with .settings.auth.audience }}
- --auth-audience={{ . }}
{{- end }}
{{- if .settings.auth.tryOut }}
- --auth-jwks=/etc/highstreet/tokens/keys.json
{{- else if .settings.auth.jwksConfigMap }}
- --auth-jwks=/etc/highstreet/jwks/jwks.json
{{- else if .settings.auth.jwksUrl }}
- --auth-jwks={{ .settings.auth.jwksUrl }}
{{- end }}
{{- if .settings.tls.secret }}
- --tls-certificate=/etc/highstreet/tls/tls.crt
- --tls-key=/etc/highstreet/tls/tls.key
- --peer-ca=/etc/highstreet/tls/ca.crt
{{- if .settings.tls.clientCertificates }}
- --tls-client-ca=/etc/highstreet/tls/ca.crt
{{- end }}
{{- end }}
{{- with .settings.store.ca }}
- --store-ca=/etc/highstreet/store-ca/{{ .key | default "ca.crt" }}
{{- end }}
{{- with .settings.bus.credentials }}
- --bus-credentials=/etc/highstreet/bus-credentials/{{ .key | default "user.creds" }}
{{- end }}
{{- with .settings.bus.ca }}
- --bus-ca=/etc/highstreet/bus-ca/{{ .key | default "ca.crt" }}
{{- end }}
{{- if .settings.bus.tlsSecret }}
- --bus-certificate=/etc/highstreet/bus-tls/tls.crt
- --bus-key=/etc/highstreet/bus-tls/tls.key
{{- end }}
{{- end -}}

{{- define "context.peers" -}}
{{- $scheme := ternary "https" "http" (not (empty .settings.tls.secret)) -}}
{{- (.settings.peers | default dict).url | default (print $scheme "://" (include "context.prefix" .root) "{context}:8088") -}}
{{- end -}}

{{/* What must not be seen on a command line. */}}
{{- define "context.env" -}}
{{- if not .settings.isGateway }}
{{- if eq .settings.store.kind "postgres" }}
- name: HIGHSTREET_STORE
  valueFrom:
    secretKeyRef:
      name: {{ .settings.store.secret }}
      key: {{ .settings.store.key }}
{{- end }}
{{- end }}
{{- if and (eq .settings.bus.kind "nats") .settings.bus.secret }}
- name: HIGHSTREET_BUS
  valueFrom:
    secretKeyRef:
      name: {{ .settings.bus.secret }}
      key: {{ .settings.bus.key }}
{{- end }}
{{- range $option, $from := .settings.secrets }}
- name: {{ include "context.variable" $option }}
  valueFrom:
    secretKeyRef:
      name: {{ $from.secret }}
      key: {{ $from.key }}
{{- end }}
{{- range .settings.extraEnv }}
- {{ toYaml . | nindent 2 | trim }}
{{- end }}
{{- end -}}

{{/* The variable of an option: HIGHSTREET_PAY_WITHIN of payWithin. */}}
{{- define "context.variable" -}}
{{- print "HIGHSTREET_" (snakecase . | upper) -}}
{{- end -}}

{{/* The volumes, and where they are mounted: name, path, source. */}}
{{- define "context.volumes" -}}
{{- $s := .settings -}}
{{- $prefix := include "context.prefix" .root -}}
volumes:
  - name: mesh
    path: /etc/highstreet/mesh
    source: {secret: {secretName: {{ $s.auth.meshSecret | default (print $prefix "mesh-key") }}}}
  {{- if or $s.isSingle $s.isEmbedded }}
  - name: data
    path: /data
    {{- if and $s.isSingle $s.persistence.enabled }}
    source: {persistentVolumeClaim: {claimName: {{ $s.persistence.existingClaim | default (include "context.fullname" .root) }}}}
    {{- else }}
    source: {emptyDir: {}}
    {{- end }}
  {{- end }}
  {{- if $s.auth.tryOut }}
  - name: tokens
    path: /etc/highstreet/tokens
    # The half that tokens are checked with; not the one that signs them.
    source: {secret: {secretName: {{ $prefix }}token-key, items: [{key: keys.json, path: keys.json}]}}
  {{- else if $s.auth.jwksConfigMap }}
  - name: jwks
    path: /etc/highstreet/jwks
    source: {configMap: {name: {{ $s.auth.jwksConfigMap }}}}
  {{- end }}
  {{- include "context.secretVolume" (list "tls" $s.tls.secret) }}
  {{- include "context.secretVolume" (list "store-ca" (dig "ca" "secret" "" $s.store)) }}
  {{- include "context.secretVolume" (list "bus-ca" (dig "ca" "secret" "" $s.bus)) }}
  {{- include "context.secretVolume" (list "bus-credentials" (dig "credentials" "secret" "" $s.bus)) }}
  {{- include "context.secretVolume" (list "bus-tls" $s.bus.tlsSecret) }}
{{- end -}}

{{/* The volume with a Secret, if one is named. */}}
{{- define "context.secretVolume" }}
{{- if last . }}
  - name: {{ first . }}
    path: /etc/highstreet/{{ first . }}
    source: {secret: {secretName: {{ last . }}}}
{{- end }}
{{- end -}}

{{/* What every container of ours may do: nothing but compute and talk. */}}
{{- define "context.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "context.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}
