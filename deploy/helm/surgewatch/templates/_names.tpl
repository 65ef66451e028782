{{/* At most 44 characters: a pod bears a label of its StatefulSet's name and a hash, and labels end at 63. */}}
{{- define "surgewatch.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- /* A release may be named after a domain; a Service may have no dot, and begins with a letter. */ -}}
{{- $found := default $full .Values.fullnameOverride | replace "." "-" | trunc 44 | trimAll "-" -}}
{{- if not (regexMatch "^[a-z]" $found) -}}
  {{- fail (printf "the name %s does not begin with a letter, as that of a Service must: set fullnameOverride" $found) -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{/* What selects the pods of a release; with a component, those of one worker. */}}
{{- define "surgewatch.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "surgewatch.labels" -}}
{{ include "surgewatch.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "surgewatch.metadata" -}}
name: "{{ include "surgewatch.fullname" .root }}{{ with .suffix }}-{{ . }}{{ end }}"
namespace: {{ .root.Release.Namespace | quote }}
labels: {{- include "surgewatch.labels" . | nindent 2 }}
{{- end -}}

{{- define "surgewatch.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ default (include "surgewatch.fullname" .) .Values.serviceAccount.name }}
{{- else -}}
{{ default "default" .Values.serviceAccount.name }}
{{- end -}}
{{- end -}}

{{/* The name under which people open the console; empty where neither an Ingress nor a route leads to it. */}}
{{- define "surgewatch.consoleHost" -}}
{{- range list .Values.httpRoute .Values.ingress -}}
{{- if .enabled }}{{ .host }}{{ break }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* The Ingress's name, where a route leads to the console under another one. */}}
{{- define "surgewatch.otherConsoleHost" -}}
{{- if and .Values.httpRoute.enabled .Values.ingress.enabled (ne .Values.httpRoute.host .Values.ingress.host) -}}
{{ .Values.ingress.host }}
{{- end -}}
{{- end -}}

{{- define "surgewatch.port" -}}
{{- get (dict "streams" 9101 "alerts" 9102) . -}}
{{- end -}}
