{{/* Names, labels and the image. */}}

{{- define "producer.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 42 characters leave room for what Kubernetes and the Jobs append. */}}
{{- define "producer.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 42 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 42 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 42 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* All pods of the release: workers, Jobs and the test. */}}
{{- define "producer.instanceLabels" -}}
app.kubernetes.io/name: {{ include "producer.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The workers alone. A selector cannot be changed, so nothing that a value or a version changes is in it. */}}
{{- define "producer.selectorLabels" -}}
{{ include "producer.instanceLabels" . }}
app.kubernetes.io/component: worker
{{- end -}}

{{- define "producer.ownLabels" -}}
{{ include "producer.instanceLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "producer.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/*
The metadata of an object: `root`, and where there is one the `suffix` of its name, its `component`, and `labels` and
`annotations` of its own.
*/}}
{{- define "producer.metadata" -}}
name: {{ include "producer.fullname" .root }}{{ .suffix }}
namespace: {{ include "producer.namespace" .root }}
labels:
  {{- include "producer.ownLabels" .root | nindent 2 }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
  {{- with merge dict (.labels | default dict) .root.Values.commonLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge dict (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "producer.serviceAccountName" -}}
{{- default (ternary (include "producer.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "producer.image" -}}
{{- $repository := .Values.image.repository -}}
{{- with .Values.global.imageRegistry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "") -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Whether somebody else than the chart says how many workers there are: a text, empty for no. */}}
{{- define "producer.autoscaled" -}}
{{- if or .Values.autoscaling.hpa .Values.autoscaling.keda }}yes{{ end -}}
{{- end -}}

{{/* Whether there is a Service: a text, empty for no. */}}
{{- define "producer.hasService" -}}
{{- if or .Values.serviceMonitor.enabled (eq .Values.workload.kind "StatefulSet") }}yes{{ end -}}
{{- end -}}

{{/* A size as the number of its bytes. */}}
{{- define "producer.bytes" -}}
{{- $units := dict "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $unit := regexFind "[MGT]i$" . -}}
{{- mul (trimSuffix $unit . | int64) (get $units $unit) -}}
{{- end -}}

{{/* How workers are scraped, of the chart and a monitor's values. The job is the release, since another one in the
namespace has the same series: rules and dashboards tell the two apart by it. */}}
{{- define "producer.scrape" -}}
{{- $own := last . -}}
interval: {{ $own.interval }}
{{- with $own.scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
relabelings:
  - targetLabel: job
    replacement: {{ include "producer.fullname" (first .) }}
  {{- with $own.relabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $own.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
