{{- define "dev.selector" -}}
app.kubernetes.io/name: highstreet-dev
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "dev.labels" -}}
{{ include "dev.selector" . }}
app.kubernetes.io/part-of: {{ .root.Release.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{- define "dev.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .root.Release.Name }}-{{ .component }}
  labels:
    {{- include "dev.labels" . | nindent 4 }}
spec:
  clusterIP: None
  selector:
    {{- include "dev.selector" . | nindent 4 }}
  ports:
    - name: {{ .component }}
      port: {{ .port }}
      targetPort: {{ .component }}
---
# Only the street's own contexts come near.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .root.Release.Name }}-{{ .component }}
  labels:
    {{- include "dev.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "dev.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - port: {{ .component }}
      from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: highstreet
              app.kubernetes.io/part-of: {{ .root.Release.Name }}
{{- end -}}

{{- define "dev.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "dev.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Where it keeps its data: a volume that stays, or one that goes with the pod. */}}
{{- define "dev.claims" -}}
{{- if .Values.persistence.enabled -}}
# What was tried out goes with the release: the next one has another password.
persistentVolumeClaimRetentionPolicy:
  whenDeleted: Delete
  whenScaled: Retain
volumeClaimTemplates:
  - metadata:
      name: data
    spec:
      accessModes: [ReadWriteOnce]
      {{- with .Values.persistence.storageClass }}
      storageClassName: {{ . }}
      {{- end }}
      resources:
        requests:
          storage: {{ .Values.persistence.size }}
{{- end -}}
{{- end -}}
