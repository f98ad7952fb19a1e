{{/* What is refused, with its reason. Every problem is told at once, as the program tells its own. */}}
{{- define "producer.refusals" -}}
{{- $problems := concat (include "producer.settingProblems" . | fromJsonArray) (include "producer.fleetProblems" . | fromJsonArray) (include "producer.podProblems" . | fromJsonArray) (include "producer.monitoringProblems" . | fromJsonArray) -}}
{{- if $problems -}}
{{- fail (printf "\n  %s" (join "\n  " $problems)) -}}
{{- end -}}
{{- end -}}

{{/* Of the settings. */}}
{{- define "producer.settingProblems" -}}
{{- $settings := .Values.settings -}}
{{- $own := dict
  "assignments_file" "put the list into `streamers`, with assignments.mode=file"
  "claims_directory" "it is an empty folder of the pod"
  "spool_directory" "say spool.enabled"
  "worker_name" "each worker has the name of its pod"
-}}
{{- $problems := list -}}
{{- if not $settings.upstream -}}
{{- $problems = append $problems "settings.upstream is not set: say `tiktok`, or the URL of a simulator; there is no default, so that TikTok is contacted only where somebody asked for it" -}}
{{- end -}}
{{- if not $settings.kafka_bootstrap_servers -}}
{{- $problems = append $problems "settings.kafka_bootstrap_servers is not set: Kafka's bootstrap servers, host:port, with commas" -}}
{{- end -}}
{{- if not (int $settings.http_port) -}}
{{- $problems = append $problems "settings.http_port is 0, a free port each time, where probes and scrapes could not find it" -}}
{{- end -}}
{{- if has $settings.http_host (list "" "127.0.0.1" "::1" "localhost") -}}
{{- $problems = append $problems (printf "settings.http_host is %q, where the kubelet's probes cannot reach it: use 0.0.0.0 or ::" $settings.http_host) -}}
{{- end -}}
{{- range $name, $value := $settings -}}
{{- if not $value -}}
{{- else if hasKey $own $name -}}
{{- $problems = append $problems (printf "settings.%s is the chart's own: %s" $name (get $own $name)) -}}
{{- else if hasKey $.Values.settingsFrom $name -}}
{{- $problems = append $problems (printf "settings.%s and settingsFrom.%s are both set: say one" $name $name) -}}
{{- else if or (hasSuffix "_file" $name) (eq $name "sessions_directory") -}}
{{- $reference := ternary "sessionsSecret" (printf "secretFiles.%s" $name) (eq $name "sessions_directory") -}}
{{- if get $.Values.secretFiles $name | or (and (eq $name "sessions_directory") $.Values.sessionsSecret) -}}
{{- $problems = append $problems (printf "settings.%s and %s are both set: say one" $name $reference) -}}
{{- else if not (include "producer.isMounted" (dict "root" $ "path" $value)) -}}
{{- $problems = append $problems (printf "settings.%s is %s, where nothing is mounted: name the Secret in %s, or mount a volume there by extraVolumes and extraVolumeMounts" $name $value $reference) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if hasPrefix "PRODUCER_" .name -}}
{{- $problems = append $problems (printf "extraEnv has %s, which is a setting: say settings.%s" .name (.name | trimPrefix "PRODUCER_" | lower)) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.prepare.schemas (not $settings.schema_registry_url) -}}
{{- $problems = append $problems "prepare.schemas is true, so settings.schema_registry_url is needed" -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{/* Whether the operator, or Vault's injector for them, mounts something at a path or above it: a text, empty for no. */}}
{{- define "producer.isMounted" -}}
{{- $folders := list -}}
{{- range .root.Values.extraVolumeMounts -}}
{{- $folders = append $folders .mountPath -}}
{{- end -}}
{{- $annotations := .root.Values.podAnnotations -}}
{{- if eq (get $annotations "vault.hashicorp.com/agent-inject") "true" -}}
{{- $folders = append $folders (get $annotations "vault.hashicorp.com/secret-volume-path" | default "/vault/secrets") -}}
{{- end -}}
{{- $path := clean .path -}}
{{- range $folders -}}
{{- if or (eq (clean .) $path) (hasPrefix (printf "%s/" (clean .)) $path) }}yes{{ end -}}
{{- end -}}
{{- end -}}

{{/* Of how many workers there are. */}}
{{- define "producer.fleetProblems" -}}
{{- $scaling := .Values.autoscaling -}}
{{- $problems := list -}}
{{- if eq .Values.assignments.mode "file" -}}
{{- if include "producer.autoscaled" . -}}
{{- $problems = append $problems "assignments.mode is file, so there is one worker at the most: autoscaling.hpa and autoscaling.keda need the mode kafka" -}}
{{- else if gt (int .Values.replicaCount) 1 -}}
{{- $problems = append $problems (printf "replicaCount is %v, but with assignments.mode=file claims are file locks of one pod: a second one would stream every streamer a second time; it must be 1, or 0 to pause" .Values.replicaCount) -}}
{{- end -}}
{{- end -}}
{{- if and $scaling.hpa $scaling.keda -}}
{{- $problems = append $problems "autoscaling.hpa and autoscaling.keda are both true: KEDA makes a HorizontalPodAutoscaler of its own, and the two would fight" -}}
{{- end -}}
{{- if include "producer.autoscaled" . -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- $problems = append $problems (printf "autoscaling.minReplicas is %v, above autoscaling.maxReplicas, which is %v" $scaling.minReplicas $scaling.maxReplicas) -}}
{{- end -}}
{{- if not (or $scaling.cpu $scaling.streams) -}}
{{- $problems = append $problems "autoscaling has no target: say autoscaling.cpu, autoscaling.streams or both" -}}
{{- end -}}
{{- if ge (int $scaling.streams) (int .Values.settings.max_streams) -}}
{{- $problems = append $problems (printf "autoscaling.streams is %v, which no worker ever exceeds: it must be below settings.max_streams, which is %v" $scaling.streams .Values.settings.max_streams) -}}
{{- end -}}
{{- if and $scaling.keda $scaling.streams (not $scaling.prometheus) -}}
{{- $problems = append $problems "autoscaling.streams is set, so KEDA needs autoscaling.prometheus" -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{/* Of the pods. */}}
{{- define "producer.podProblems" -}}
{{- $settings := .Values.settings -}}
{{- $problems := list -}}
{{- $stop := float64 $settings.grace_seconds -}}
{{- $parts := "settings.grace_seconds" -}}
{{- if eq .Values.assignments.mode "kafka" -}}
{{- if has "sign" ($settings.doors | default list) -}}
{{- $stop = addf $stop ($settings.handover_longest_seconds | default 600) -}}
{{- $parts = "settings.handover_longest_seconds (600 unless it is set) and settings.grace_seconds together" -}}
{{- else -}}
{{- $stop = addf $stop $settings.handover_seconds -}}
{{- $parts = "settings.handover_seconds and settings.grace_seconds together" -}}
{{- end -}}
{{- end -}}
{{- if le (float64 .Values.terminationGracePeriodSeconds) $stop -}}
{{- $problems = append $problems (printf "terminationGracePeriodSeconds is %v, so Kubernetes would kill a pod before it has stopped in good order: it must be longer than %s, which is %v" .Values.terminationGracePeriodSeconds $parts $stop) -}}
{{- end -}}
{{- with $settings.schema_registry_patience_seconds -}}
{{- if ge (float64 .) (float64 $.Values.startupSeconds) -}}
{{- $problems = append $problems (printf "startupSeconds is %v, so Kubernetes would kill a worker that waits for the registry: it must be longer than settings.schema_registry_patience_seconds, which is %v" $.Values.startupSeconds .) -}}
{{- end -}}
{{- end -}}
{{- if .Values.spool.enabled -}}
{{- $least := mul 2 (int64 $settings.spool_max_bytes) -}}
{{- $size := include "producer.bytes" .Values.spool.size | int64 -}}
{{- if lt $size $least -}}
{{- $problems = append $problems (printf "spool.size is %s, %d bytes: it must be twice settings.spool_max_bytes at least, which is %d, or a spool that fills up ends its pod" .Values.spool.size $size $least) -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := include "producer.selectorLabels" . | fromYaml -}}
{{- if hasKey $.Values.podLabels $name -}}
{{- $problems = append $problems (printf "podLabels has %s, which is the chart's own: the workers are selected by it" $name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := merge (include "producer.ownLabels" . | fromYaml) (include "producer.selectorLabels" . | fromYaml) -}}
{{- if hasKey $.Values.commonLabels $name -}}
{{- $problems = append $problems (printf "commonLabels has %s, which is the chart's own" $name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := .Values.jobs.annotations -}}
{{- if hasPrefix "helm.sh/hook" $name -}}
{{- $problems = append $problems (printf "jobs.annotations has %s, which is the chart's own: it says when the Job runs" $name) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraVolumes -}}
{{- if has .name (list "claims" "secrets" "sessions" "spool" "streamers" "tmp") -}}
{{- $problems = append $problems (printf "extraVolumes has %s, which is the name of a volume of the chart's own" .name) -}}
{{- end -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}

{{/* Of what looks at the workers. */}}
{{- define "producer.monitoringProblems" -}}
{{- $problems := list -}}
{{- if and .Values.podMonitor.enabled .Values.serviceMonitor.enabled -}}
{{- $problems = append $problems "podMonitor.enabled and serviceMonitor.enabled are both true, so every worker would be scraped twice" -}}
{{- end -}}
{{- if and .Values.prometheusRule.enabled (not .Values.prometheusRule.runbookUrl) -}}
{{- $problems = append $problems "prometheusRule.runbookUrl is not set: the address at which you serve docs/runbooks, as https://git.example.com/live/producer/-/blob/main/docs/runbooks/; an alert's link leads there from wherever it is read" -}}
{{- end -}}
{{- toJson $problems -}}
{{- end -}}
