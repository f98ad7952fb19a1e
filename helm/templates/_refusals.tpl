{{/* What is refused, with its reason. Every problem is told at once, as the program tells its own. */}}
{{- define "producer.refusals" -}}
{{- $settings := .Values.settings -}}
{{- $problems := list -}}
{{- if not $settings.upstream -}}
{{- $problems = append $problems "settings.upstream is not set: say `tiktok`, or the URL of a simulator; there is no default, so that TikTok is contacted only where somebody asked for it" -}}
{{- end -}}
{{- if not $settings.kafka_bootstrap_servers -}}
{{- $problems = append $problems "settings.kafka_bootstrap_servers is not set: Kafka's bootstrap servers, host:port, with commas" -}}
{{- end -}}
{{- if gt (int .Values.replicaCount) 1 -}}
{{- $problems = append $problems (printf "replicaCount is %v, but claims are file locks of one machine: a second pod would stream every streamer a second time; it must be 1, or 0 to pause" .Values.replicaCount) -}}
{{- end -}}
{{- if le (float64 .Values.terminationGracePeriodSeconds) (float64 $settings.grace_seconds) -}}
{{- $problems = append $problems (printf "terminationGracePeriodSeconds is %v, so Kubernetes would kill the pod before it has stopped in good order: it must be longer than settings.grace_seconds, which is %v" .Values.terminationGracePeriodSeconds $settings.grace_seconds) -}}
{{- end -}}
{{- if not (int $settings.http_port) -}}
{{- $problems = append $problems "settings.http_port is 0, a free port each time, where probes and scrapes could not find it" -}}
{{- end -}}
{{- if has $settings.http_host (list "" "127.0.0.1" "::1" "localhost") -}}
{{- $problems = append $problems (printf "settings.http_host is %q, where the kubelet's probes cannot reach it: use 0.0.0.0 or ::" $settings.http_host) -}}
{{- end -}}
{{- if $settings.assignments_file -}}
{{- $problems = append $problems "settings.assignments_file is the chart's own: put the list into `streamers`" -}}
{{- end -}}
{{- if $settings.claims_directory -}}
{{- $problems = append $problems "settings.claims_directory is the chart's own: it is an empty folder of the pod" -}}
{{- end -}}
{{- range $name, $value := omit $settings "assignments_file" -}}
{{- if and (hasSuffix "_file" $name) $value -}}
{{- $problems = append $problems (printf "settings.%s would be a path in the container, where there is nothing: name the Secret and its key in secretFiles.%s" $name $name) -}}
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
{{- if $problems -}}
{{- fail (printf "\n  %s" (join "\n  " $problems)) -}}
{{- end -}}
{{- end -}}
