{{- define "labels" -}}
app.kubernetes.io/name: surgical-risk
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "selector" -}}
app.kubernetes.io/name: surgical-risk
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "image" -}}
{{ .Values.image.repository }}{{ with .Values.image.digest }}@{{ . }}{{ else }}:{{ .Values.image.tag }}{{ end }}
{{- end }}

{{- define "tenants" -}}
{{ .Values.existingTenants | default (printf "%s-tenants" .Release.Name) }}
{{- end }}

{{- /* No process is root, writes to its image, gains a right, or reads the cluster. */ -}}
{{- define "pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "container" -}}
image: {{ include "image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: shm, mountPath: /dev/shm}
- {name: tenants, mountPath: /etc/surgical-risk/tenants, readOnly: true}
- {name: secrets, mountPath: /run/secrets/surgical-risk, readOnly: true}
{{- end }}

{{- define "volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
- name: shm
  emptyDir: {medium: Memory, sizeLimit: {{ .Values.shm.size }}}
- name: tenants
  configMap: {name: {{ include "tenants" . }}}
- name: secrets
  secret: {secretName: {{ .Values.secrets.existing }}, defaultMode: 0440}
{{- end }}
