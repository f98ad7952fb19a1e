{{/* What pods are made of. */}}

{{/* Where a pod finds what is mounted. */}}

{{- define "producer.streamersDirectory" -}}/etc/producer/streamers{{- end -}}
{{- define "producer.secretsDirectory" -}}/etc/producer/secrets{{- end -}}
{{- define "producer.sessionsDirectory" -}}/etc/producer/sessions{{- end -}}
{{- define "producer.claimsDirectory" -}}/var/lib/producer/claims{{- end -}}
{{- define "producer.spoolDirectory" -}}/var/lib/producer/spool{{- end -}}

{{/* A value as the program reads it from a variable. Numbers go through JSON, or a million would be 1e+06. */}}
{{- define "producer.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else if kindIs "slice" . }}{{ join "," . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end -}}

{{/* What the containers of all pods have in common. */}}
{{- define "producer.container" -}}
image: {{ include "producer.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
What a container asks for and may take. Beside what the values say that is the node's disk, in Mi: for /tmp, the claims
and the log, and for a spool where the pod has one on that disk. All is requested, since without Kafka the spools of a
node fill up together.
*/}}
{{- define "producer.resources" -}}
{{- $disk := printf "%dMi" (add 256 .spool) -}}
{{- $own := dict "requests" (dict "ephemeral-storage" $disk) "limits" (dict "ephemeral-storage" $disk) -}}
{{- toYaml (mergeOverwrite $own (deepCopy .root.Values.resources)) -}}
{{- end -}}

{{- define "producer.workerResources" -}}
{{- $onNode := and .Values.spool.enabled (not .Values.spool.persistence.enabled) -}}
{{- $spool := ternary (div (include "producer.bytes" .Values.spool.size) 1048576) 0 $onNode -}}
{{- include "producer.resources" (dict "root" . "spool" $spool) -}}
{{- end -}}

{{/* The entries of `env` of all pods. */}}
{{- define "producer.env" -}}
{{- range $name, $value := .Values.settings }}
{{- if not (kindIs "invalid" $value) }}
- name: PRODUCER_{{ upper $name }}
  value: {{ include "producer.text" $value | quote }}
{{- end }}
{{- end }}
{{- range $name, $secret := .Values.secretFiles }}
- name: PRODUCER_{{ upper $name }}
  value: {{ printf "%s/%s" (include "producer.secretsDirectory" $) (trimSuffix "_file" $name) | quote }}
{{- end }}
{{- range $name, $source := .Values.settingsFrom }}
- name: PRODUCER_{{ upper $name }}
  valueFrom:
    {{- toYaml $source | nindent 4 }}
{{- end }}
{{- if eq .Values.assignments.mode "file" }}
- name: PRODUCER_ASSIGNMENTS_FILE
  value: {{ include "producer.streamersDirectory" . }}/streamers.yaml
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The entries of `volumeMounts` of all pods. */}}
{{- define "producer.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.secretFiles }}
- name: secrets
  mountPath: {{ include "producer.secretsDirectory" . }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The folder, not the file by subPath: so a changed list reaches a running worker. */}}
{{- define "producer.streamersMount" -}}
- name: streamers
  mountPath: {{ include "producer.streamersDirectory" . }}
  readOnly: true
{{- end -}}

{{/* The entries of `volumes` of all pods. */}}
{{- define "producer.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- if .Values.secretFiles }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $secret := .Values.secretFiles }}
      - secret:
          name: {{ $secret.name | quote }}
          items:
            - key: {{ $secret.key | quote }}
              path: {{ trimSuffix "_file" $name }}
      {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "producer.streamersVolume" -}}
- name: streamers
  configMap:
    name: {{ include "producer.fullname" . }}-streamers
{{- end -}}

{{/* The same three of a worker, and of the test that looks whether one could run. */}}

{{- define "producer.workerEnv" -}}
{{ include "producer.env" . | trim }}
- name: PRODUCER_WORKER_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- if eq .Values.assignments.mode "file" }}
- name: PRODUCER_CLAIMS_DIRECTORY
  value: {{ include "producer.claimsDirectory" . }}
{{- end }}
{{- if .Values.sessionsSecret }}
- name: PRODUCER_SESSIONS_DIRECTORY
  value: {{ include "producer.sessionsDirectory" . }}
{{- end }}
{{- if .Values.spool.enabled }}
- name: PRODUCER_SPOOL_DIRECTORY
  value: {{ include "producer.spoolDirectory" . }}
{{- end }}
{{- end -}}

{{- define "producer.workerMounts" -}}
{{ include "producer.mounts" . }}
{{- if eq .Values.assignments.mode "file" }}
{{ include "producer.streamersMount" . }}
- name: claims
  mountPath: {{ include "producer.claimsDirectory" . }}
{{- end }}
{{- if .Values.sessionsSecret }}
- name: sessions
  mountPath: {{ include "producer.sessionsDirectory" . }}
  readOnly: true
{{- end }}
{{- if .Values.spool.enabled }}
- name: spool
  mountPath: {{ include "producer.spoolDirectory" . }}
{{- end }}
{{- end -}}

{{- define "producer.workerVolumes" -}}
{{ include "producer.volumes" . }}
{{- if eq .Values.assignments.mode "file" }}
{{ include "producer.streamersVolume" . }}
- name: claims
  emptyDir:
    sizeLimit: 64Mi
{{- end }}
{{- with .Values.sessionsSecret }}
- name: sessions
  secret:
    secretName: {{ . | quote }}
    defaultMode: 0440
{{- end }}
{{- end -}}

{{/* The spool as a folder of the pod, and as a claim for a volume. */}}

{{- define "producer.spoolFolder" -}}
- name: spool
  emptyDir:
    sizeLimit: {{ .Values.spool.size }}
{{- end -}}

{{- define "producer.spoolClaim" -}}
metadata:
  # No upgrade can change those of a StatefulSet, so no version is among them.
  labels:
    {{- include "producer.selectorLabels" . | nindent 4 }}
  {{- with .Values.spool.persistence.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  accessModes:
    {{- toYaml .Values.spool.persistence.accessModes | nindent 4 }}
  {{- with .Values.spool.persistence.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .Values.spool.size }}
{{- end -}}

{{/* Charts that share `global` write a secret as its name alone. */}}
{{- define "producer.pullSecrets" -}}
{{- $secrets := list -}}
{{- range concat .Values.global.imagePullSecrets .Values.imagePullSecrets -}}
{{- $secrets = append $secrets (ternary (dict "name" .) . (kindIs "string" .)) -}}
{{- end -}}
{{- $secrets | uniq | toJson -}}
{{- end -}}

{{/* What else the specs of all pods have in common. */}}
{{- define "producer.pod" -}}
automountServiceAccountToken: false
# Or a Service named `producer` would give the pod PRODUCER_PORT and the like, which the program refuses.
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with include "producer.pullSecrets" . | fromJsonArray }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.initContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The workers' topology spread. Those of a Deployment's old pods do not count, or a roll would crowd the new ones. */}}
{{- define "producer.spread" -}}
{{- $spread := list -}}
{{- range .Values.topologySpreadConstraints -}}
{{- $one := deepCopy . -}}
{{- if not .labelSelector -}}
{{- $_ := set $one "labelSelector" (dict "matchLabels" (include "producer.selectorLabels" $ | fromYaml)) -}}
{{- if eq $.Values.workload.kind "Deployment" -}}
{{- $_ := set $one "matchLabelKeys" (list "pod-template-hash") -}}
{{- end -}}
{{- end -}}
{{- $spread = append $spread $one -}}
{{- end -}}
{{- toYaml $spread -}}
{{- end -}}
