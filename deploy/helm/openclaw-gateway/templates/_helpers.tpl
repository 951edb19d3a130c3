{{- define "gateway.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "gateway.secret" -}}
{{- if .Values.existingSecret -}}
{{- .Values.existingSecret -}}
{{- else -}}
{{- include "gateway.name" . -}}
{{- end -}}
{{- end -}}

{{- define "gateway.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gateway.labels" -}}
{{ include "gateway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "gateway.config" -}}
{{- $secret := dict "mode" "token" "token" "${OPENCLAW_GATEWAY_TOKEN}" -}}
{{- $gateway := dict "bind" "lan" "auth" $secret -}}
{{- $set := dict "gateway" $gateway "store" (dict "url" "${STORE_URL}") "bus" (dict "url" "${BUS_URL}") -}}
{{- mergeOverwrite $set (deepCopy .Values.config) | toPrettyJson -}}
{{- end -}}

{{- /* A Deployment of one role: called with the root, the role, and the values of that role. */ -}}
{{- define "gateway.deployment" -}}
{{- $root := .root -}}
{{- $role := .role -}}
{{- $of := .of -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "gateway.name" $root }}-{{ $role }}
  labels:
    {{- include "gateway.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $role }}
spec:
  {{- if not (and (eq $role "worker") $root.Values.worker.autoscaling.enabled) }}
  replicas: {{ $of.replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "gateway.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ $role }}
  strategy:
    type: RollingUpdate
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  template:
    metadata:
      labels:
        {{- include "gateway.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ $role }}
      annotations:
        # The gateway takes up a changed configuration by itself; variables it has from its start.
        checksum/secret: {{ $root.Values.secret | toJson | sha256sum }}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ $root.Values.terminationGracePeriodSeconds }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        fsGroupChangePolicy: OnRootMismatch
        seccompProfile: { type: RuntimeDefault }
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      initContainers:
        # A folder that is made for a mount within /data would belong to root.
        - name: folders
          image: {{ include "gateway.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          command: ["mkdir", "-p", "/data/gateway/memory"]
          securityContext:
            {{- include "gateway.may" $root | nindent 12 }}
          volumeMounts:
            - { name: state, mountPath: /data }
      containers:
        - name: gateway
          image: {{ include "gateway.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: ["gateway", "run", "--role", {{ $role | quote }}, "--bind", "lan"]
          env:
            - { name: OPENCLAW_CONFIG_PATH, value: /etc/openclaw/openclaw.json }
          envFrom:
            - secretRef: { name: {{ include "gateway.secret" $root }} }
          ports:
            - { name: http, containerPort: 18789 }
          securityContext:
            {{- include "gateway.may" $root | nindent 12 }}
          startupProbe:
            httpGet: { path: /health, port: http }
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /health, port: http }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: { path: /ready, port: http }
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: 1
          lifecycle:
            preStop:
              exec: { command: ["sleep", {{ $root.Values.preStopSeconds | quote }}] }
          resources:
            {{- toYaml $of.resources | nindent 12 }}
          volumeMounts:
            - { name: config, mountPath: /etc/openclaw, readOnly: true }
            - { name: state, mountPath: /data }
            - { name: tmp, mountPath: /tmp }
            {{- if $root.Values.workspaces.existingClaim }}
            - { name: workspaces, mountPath: /workspaces, subPath: workspaces }
            - { name: workspaces, mountPath: /data/gateway/memory, subPath: notes }
            {{- else }}
            - { name: workspaces, mountPath: /workspaces }
            {{- end }}
      volumes:
        - name: config
          configMap: { name: {{ include "gateway.name" $root }} }
        - name: state
          emptyDir: {}
        - name: tmp
          emptyDir: {}
        - name: workspaces
          {{- if $root.Values.workspaces.existingClaim }}
          persistentVolumeClaim: { claimName: {{ $root.Values.workspaces.existingClaim }} }
          {{- else }}
          emptyDir: {}
          {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "gateway.selector" $root | nindent 14 }}
              app.kubernetes.io/component: {{ $role }}
      {{- with $of.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $of.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $of.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}

{{- define "gateway.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote -}}
{{- end -}}

{{- define "gateway.may" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}
