{{/*
The Secret with the key that contexts show each other who they are with. It is made once, by the first release of a
street, found again by every later one, and outlives them. Takes root, name and labels.
*/}}
{{- define "context.meshKey" -}}
{{- $there := lookup "v1" "Secret" .root.Release.Namespace .name -}}
{{- if or (not $there) (eq (dig "metadata" "annotations" "meta.helm.sh/release-name" "" $there) .root.Release.Name) -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .name }}
  labels:
    {{- .labels | nindent 4 }}
  annotations:
    helm.sh/resource-policy: keep
type: Opaque
data:
  {{- if $there }}
  {{- toYaml $there.data | nindent 2 }}
  {{- else }}
  mesh.pem: {{ genPrivateKey "ed25519" | b64enc }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/*
The Secret with a key to sign tokens with and, beside it, the public half as the key set that contexts read. For trying
out. Takes root, name and labels.
*/}}
{{- define "context.tokenKey" -}}
{{- $there := lookup "v1" "Secret" .root.Release.Namespace .name -}}
{{- if or (not $there) (eq (dig "metadata" "annotations" "meta.helm.sh/release-name" "" $there) .root.Release.Name) -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .name }}
  labels:
    {{- .labels | nindent 4 }}
type: Opaque
data:
  {{- if $there }}
  {{- toYaml $there.data | nindent 2 }}
  {{- else }}
  {{- $key := genPrivateKey "ed25519" }}
  token-key.pem: {{ b64enc $key }}
  keys.json: {{ include "context.keySet" $key | b64enc }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* The JSON Web Key Set of a private Ed25519 key in PEM. */}}
{{- define "context.keySet" -}}
{{- /* Only a certificate shows the public half: 32 bytes behind the mark of an Ed25519 key (RFC 8410). */ -}}
{{- $certificate := (genSelfSignedCertWithKey "tokens" nil nil 1 .).Cert -}}
{{- $der := regexReplaceAll "-----[A-Z ]+-----|\\s" $certificate "" | b64dec -}}
{{- $public := index (splitList (b64dec "MCowBQYDK2VwAyEA") $der) 1 | substr 0 32 -}}
{{- $x := b64enc $public | replace "+" "-" | replace "/" "_" | trimSuffix "=" -}}
{{- $key := dict "kty" "OKP" "crv" "Ed25519" "x" $x "kid" (include "context.keyId" $public) -}}
{{- $use := dict "use" "sig" "alg" "EdDSA" -}}
{{- dict "keys" (list (merge $key $use)) | toJson -}}
{{- end -}}

{{/*
How `highstreet token` names a key: the first nine bytes of its digest, in Base64 for URLs. Twelve bits are two letters.
*/}}
{{- define "context.keyId" -}}
{{- $letters := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" | splitList "" -}}
{{- $digest := sha256sum . -}}
{{- range $at := untilStep 0 18 3 -}}
{{- $bits := int (print "0x" (substr $at (int (add $at 3)) $digest)) -}}
{{- index $letters (int (div $bits 64)) -}}{{- index $letters (int (mod $bits 64)) -}}
{{- end -}}
{{- end -}}
