{{/* The first word of every name. */}}
{{- define "connector.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects all pods of this release. */}}
{{- define "connector.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "connector.labels" -}}
{{ include "connector.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* A role's whole deployment. Takes a dict: root, role, values (the role's own), drain (seconds), fixed (whether the number of replicas is). */}}
{{- define "connector.deployment" -}}
{{- $root := .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "connector.name" $root }}-{{ .role }}
  labels:
    {{- include "connector.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
spec:
  {{- if .fixed }}
  replicas: {{ .values.replicas }}
  {{- end }}
  # A new version is ready before an old one ends, and none is missing meanwhile.
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "connector.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .role }}
  template:
    metadata:
      labels:
        {{- include "connector.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .role }}
      annotations:
        # So that a change of the settings is a new version.
        checksum/settings: {{ include (print $root.Template.BasePath "/settings.yaml") $root | sha256sum }}
        {{- with $root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "connector.name" $root }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      # It waits, it drains, and it has a quarter of a minute more before it is killed.
      terminationGracePeriodSeconds: {{ add $root.Values.shutdownGraceSeconds .drain 15 }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: {{ .role }}
          image: "{{ $root.Values.image.repository }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}"
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: ["run", "--role", {{ .role | quote }}]
          envFrom:
            - configMapRef:
                name: {{ include "connector.name" $root }}
          ports:
            {{- if eq .role "ingest" }}
            - name: public
              containerPort: 8080
            {{- end }}
            - name: ops
              containerPort: 9090
          # Slow is not dead: only a process that answers nothing is started anew.
          livenessProbe:
            httpGet: { path: /livez, port: ops }
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: { path: /readyz, port: ops }
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 3
          {{- if gt (int .drain) 0 }}
          lifecycle:
            preStop:
              sleep:
                seconds: {{ .drain }}
          {{- end }}
          resources:
            {{- toYaml .values.resources | nindent 12 }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: secrets
              mountPath: /run/secrets/connector
              readOnly: true
            - name: tmp
              mountPath: /tmp
      volumes:
        - name: secrets
          secret:
            secretName: {{ $root.Values.secret.name }}
            # Owner and group may read; the group is the process's.
            defaultMode: 0440
            items:
              {{- range $setting, $key := $root.Values.secret.keys }}
              - key: {{ $key }}
                path: {{ $key }}
              {{- end }}
        - name: tmp
          emptyDir:
            sizeLimit: 16Mi
      topologySpreadConstraints:
        {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "connector.selector" $root | nindent 14 }}
              app.kubernetes.io/component: {{ $.role }}
        {{- end }}
      {{- with $root.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}

{{/* What KEDA needs to ask RabbitMQ for one queue. Takes a dict: root, queue (without the prefix), messages. Ready and in hand are counted. */}}
{{- define "connector.queueTrigger" -}}
- type: rabbitmq
  metadata:
    protocol: http
    mode: QueueLength
    queueName: {{ .root.Values.queuePrefix }}.{{ .queue }}
    vhostName: {{ .root.Values.keda.rabbitmq.vhost | quote }}
    value: {{ .messages | int | quote }}
    excludeUnacknowledged: "false"
  authenticationRef:
    name: {{ include "connector.name" .root }}-rabbitmq
{{- end -}}

{{/* What KEDA asks Prometheus: how long messages lie. Takes a dict: root, kinds (a regular expression), seconds. */}}
{{- define "connector.lagTrigger" -}}
- type: prometheus
  # The same for all replicas, so not an average.
  metricType: Value
  metadata:
    serverAddress: {{ .root.Values.keda.prometheus.url }}
    # Without messages it is no number; then nothing lies.
    query: max(queue_kind:connector_waited_seconds:p95_5m{queue_kind=~{{ .kinds | quote }}} >= 0) or vector(0)
    threshold: {{ .seconds | int | quote }}
{{- end -}}

{{/* A role's ScaledObject. Takes a dict: root, role, scaling, triggers. */}}
{{- define "connector.scaledObject" -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "connector.name" .root }}-{{ .role }}
  labels:
    {{- include "connector.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
spec:
  scaleTargetRef:
    name: {{ include "connector.name" .root }}-{{ .role }}
  pollingInterval: {{ .root.Values.keda.pollingSeconds }}
  # Never none: events and sweeps come without a queue that shows them.
  minReplicaCount: {{ .scaling.minReplicas }}
  maxReplicaCount: {{ .scaling.maxReplicas }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleUp:
          stabilizationWindowSeconds: 0
          policies:
            - { type: Percent, value: 100, periodSeconds: 30 }
        scaleDown:
          stabilizationWindowSeconds: {{ .root.Values.keda.scaleDownSeconds }}
          policies:
            - { type: Pods, value: 1, periodSeconds: 60 }
  triggers:
    {{- .triggers | nindent 4 }}
{{- end -}}
