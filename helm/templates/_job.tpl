{{/*
A Job that runs one command at a turn of the release: `root`, its `name`, `args`, `hooks` and `weight`, and whether it
reads the `list`. One that fails stays, with its log, until the next try.
*/}}
{{- define "producer.job" -}}
{{- $root := .root -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- $hook := dict "helm.sh/hook" .hooks "helm.sh/hook-weight" (toString .weight) "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" }}
  {{- $annotations := merge $hook $root.Values.jobs.annotations }}
  {{- include "producer.metadata" (dict "root" $root "suffix" (print "-" .name) "component" .name "annotations" $annotations) | nindent 2 }}
spec:
  backoffLimit: 2
  # Twice what a start may take, for the tries that fail.
  activeDeadlineSeconds: {{ mul 2 $root.Values.startupSeconds }}
  template:
    metadata:
      labels:
        {{- include "producer.instanceLabels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
        {{- with $root.Values.commonLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $root.Values.jobs.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      restartPolicy: Never
      {{- if .list }}
      serviceAccountName: {{ include "producer.serviceAccountName" $root }}
      {{- else }}
      # The chart's own is not there yet when this runs for the first time.
      serviceAccountName: {{ ternary "default" (include "producer.serviceAccountName" $root) $root.Values.serviceAccount.create }}
      {{- end }}
      {{- include "producer.pod" $root | nindent 6 }}
      containers:
        - name: {{ .name }}
          args: {{ toJson .args }}
          {{- include "producer.container" $root | nindent 10 }}
          resources:
            {{- include "producer.resources" (dict "root" $root "spool" 0) | nindent 12 }}
          env:
            {{- include "producer.env" $root | trim | nindent 12 }}
          volumeMounts:
            {{- include "producer.mounts" $root | nindent 12 }}
            {{- if .list }}
            {{- include "producer.streamersMount" $root | nindent 12 }}
            {{- end }}
      volumes:
        {{- include "producer.volumes" $root | nindent 8 }}
        {{- if .list }}
        {{- include "producer.streamersVolume" $root | nindent 8 }}
        {{- end }}
{{- end -}}
