{{/* Names and labels. */}}

{{- define "producer.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "producer.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "producer.selectorLabels" -}}
app.kubernetes.io/name: {{ include "producer.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "producer.labels" -}}
{{ include "producer.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "producer.serviceAccountName" -}}
{{- default (ternary (include "producer.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "producer.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Where the pod finds what is mounted. */}}

{{- define "producer.streamersDirectory" -}}/etc/producer/streamers{{- end -}}
{{- define "producer.secretsDirectory" -}}/etc/producer/secrets{{- end -}}
{{- define "producer.claimsDirectory" -}}/var/lib/producer/claims{{- end -}}

{{/* A value as the program reads it from a variable. Numbers go through JSON, or a million would be 1e+06. */}}
{{- define "producer.text" -}}
{{- if kindIs "string" . }}{{ . }}{{ else if kindIs "slice" . }}{{ join "," . }}{{ else }}{{ toJson . }}{{ end -}}
{{- end -}}

{{/* What the worker and the commands before it have in common. */}}
{{- define "producer.container" -}}
image: {{ include "producer.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
env:
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
  - name: PRODUCER_ASSIGNMENTS_FILE
    value: {{ include "producer.streamersDirectory" . }}/streamers.yaml
  - name: PRODUCER_CLAIMS_DIRECTORY
    value: {{ include "producer.claimsDirectory" . }}
  {{- if not .Values.settings.worker_name }}
  - name: PRODUCER_WORKER_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - name: streamers
    # The folder, not the file by subPath: so a changed list reaches the running worker.
    mountPath: {{ include "producer.streamersDirectory" . }}
    readOnly: true
  {{- if .Values.secretFiles }}
  - name: secrets
    mountPath: {{ include "producer.secretsDirectory" . }}
    readOnly: true
  {{- end }}
  - name: claims
    mountPath: {{ include "producer.claimsDirectory" . }}
  - name: tmp
    mountPath: /tmp
{{- end -}}
