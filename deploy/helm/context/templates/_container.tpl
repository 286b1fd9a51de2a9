{{- define "context.image" -}}
{{- $tag := .settings.image.tag | default .root.Chart.AppVersion -}}
{{- if .settings.image.digest -}}
{{- print .settings.image.repository "@" .settings.image.digest -}}
{{- else -}}
{{- print .settings.image.repository ":" $tag -}}
{{- end -}}
{{- end -}}

{{/* The command line: what this process is, and where its files are. How the shops are run stands in the ConfigMap. */}}
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
- --auth-mesh-key={{ range $at, $key := .settings.auth.meshKeys }}{{ if $at }},{{ end }}/etc/highstreet/mesh/{{ $key }}{{ end }}
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

{{/* The volumes, and where they are mounted, in one list: name, path, source. */}}
{{- define "context.volumes" -}}
{{- $s := .settings -}}
{{- $volumes := list (dict "name" "mesh" "path" "/etc/highstreet/mesh" "source" (dict "secret" (dict "secretName" (include "context.meshSecret" .)))) -}}
{{- if or $s.isSingle $s.isEmbedded -}}
{{- $claim := $s.persistence.existingClaim | default (include "context.fullname" .root) -}}
{{- $data := ternary (dict "persistentVolumeClaim" (dict "claimName" $claim)) (dict "emptyDir" dict) (and $s.isSingle $s.persistence.enabled) -}}
{{- $volumes = append $volumes (dict "name" "data" "path" "/data" "source" $data) -}}
{{- end -}}
{{- if $s.auth.tryOut -}}
{{- $items := list (dict "key" "keys.json" "path" "keys.json") -}}
{{- $volumes = append $volumes (dict "name" "tokens" "path" "/etc/highstreet/tokens" "source" (dict "secret" (dict "secretName" (print (include "context.prefix" .root) "token-key") "items" $items))) -}}
{{- else if $s.auth.jwksConfigMap -}}
{{- $volumes = append $volumes (dict "name" "jwks" "path" "/etc/highstreet/jwks" "source" (dict "configMap" (dict "name" $s.auth.jwksConfigMap))) -}}
{{- end -}}
{{- range $name, $secret := dict "tls" $s.tls.secret "store-ca" (dig "ca" "secret" "" $s.store) "bus-credentials" (dig "credentials" "secret" "" $s.bus) "bus-ca" (dig "ca" "secret" "" $s.bus) "bus-tls" ($s.bus.tlsSecret) -}}
{{- if $secret -}}
{{- $volumes = append $volumes (dict "name" $name "path" (print "/etc/highstreet/" $name) "source" (dict "secret" (dict "secretName" $secret))) -}}
{{- end -}}
{{- end -}}
{{- toYaml (dict "volumes" $volumes) -}}
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
