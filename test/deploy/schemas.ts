import { Ajv } from 'ajv';

// The parts of the Compose Specification and of the Kubernetes API that the files in deploy/ use. They allow
// nothing else, so that a misspelt field is found.

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string', minLength: 1 };
const port: Schema = { type: 'integer', minimum: 1, maximum: 65_535 };
const count: Schema = { type: 'integer', minimum: 0 };
const texts: Schema = { type: 'array', items: text, minItems: 1 };
const words: Schema = { type: 'object', additionalProperties: text };
const duration: Schema = { type: 'string', pattern: '^\\d+(ms|s|m|h)$' };

function object(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
): Schema {
  const properties = { ...required, ...optional };
  return {
    type: 'object',
    properties,
    required: Object.keys(required),
    additionalProperties: false,
  };
}

function list(items: Schema): Schema {
  return { type: 'array', items, minItems: 1 };
}

const composeService = object(
  { image: { type: 'string', pattern: '^[a-z0-9][a-z0-9/._-]*(:[\\w.-]+)?$' } },
  {
    build: object({ context: text, dockerfile: text }),
    command: texts,
    environment: words,
    healthcheck: object({
      test: { type: 'array', items: text, minItems: 2 },
      interval: duration,
      timeout: duration,
      retries: count,
      start_period: duration,
    }),
    ports: list({ type: 'string', pattern: '^127\\.0\\.0\\.1:\\d+:\\d+$' }),
    volumes: list({ type: 'string', pattern: '^\\./[\\w./-]+:/[\\w./-]+:ro$' }),
    depends_on: texts,
    restart: { enum: ['no', 'always', 'on-failure', 'unless-stopped'] },
    stop_grace_period: duration,
  },
);

const compose: Schema = {
  ...object(
    { services: { type: 'object', additionalProperties: composeService, minProperties: 1 } },
    { name: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]*$' } },
  ),
  patternProperties: { '^x-': {} },
};

/** A name of Kubernetes: a DNS label. */
const name: Schema = { type: 'string', pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' };
const metadata = object({ name, labels: words });
const httpGet = object({ path: { type: 'string', pattern: '^/' }, port: name });
const timing = {
  initialDelaySeconds: count,
  periodSeconds: count,
  timeoutSeconds: count,
  failureThreshold: count,
};
const probe = object({ httpGet }, timing);
const quantity: Schema = { type: 'string', pattern: '^\\d+(m|Ki|Mi|Gi)?$' };
const amounts = object({}, { cpu: quantity, memory: quantity });

const variable: Schema = {
  oneOf: [
    object({ name: text, value: text }),
    object({ name: text, valueFrom: object({ fieldRef: object({ fieldPath: text }) }) }),
  ],
};

const container = object(
  {
    name,
    image: text,
    ports: list(object({ name, containerPort: port })),
    readinessProbe: probe,
    resources: object({ requests: amounts, limits: amounts }),
  },
  {
    imagePullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
    args: texts,
    env: list(variable),
    livenessProbe: probe,
    lifecycle: object({ preStop: object({ exec: object({ command: texts }) }) }),
    securityContext: object({
      runAsNonRoot: { type: 'boolean' },
      runAsUser: count,
      allowPrivilegeEscalation: { type: 'boolean' },
      readOnlyRootFilesystem: { type: 'boolean' },
    }),
  },
);

const template = object({
  metadata: object({ labels: words }, { annotations: words }),
  spec: object({ containers: list(container), terminationGracePeriodSeconds: count }),
});

const selector = object({ matchLabels: words });

const manifest: Schema = {
  oneOf: [
    object({
      apiVersion: { const: 'v1' },
      kind: { const: 'Service' },
      metadata,
      spec: object(
        { selector: words, ports: list(object({ name, port, targetPort: name })) },
        { clusterIP: { const: 'None' } },
      ),
    }),
    object({
      apiVersion: { const: 'apps/v1' },
      kind: { const: 'Deployment' },
      metadata,
      spec: object(
        { replicas: count, selector, template },
        {
          strategy: object(
            {},
            {
              type: { enum: ['Recreate', 'RollingUpdate'] },
              rollingUpdate: object({ maxUnavailable: count, maxSurge: count }),
            },
          ),
        },
      ),
    }),
    object({
      apiVersion: { const: 'apps/v1' },
      kind: { const: 'StatefulSet' },
      metadata,
      spec: object({ serviceName: name, replicas: count, selector, template }),
    }),
  ],
};

const ajv = new Ajv({ allErrors: true, strict: true });
const validators = { compose: ajv.compile(compose), manifest: ajv.compile(manifest) };

/** Returns what is wrong with a document, in the words of the validator. */
export function errorsIn(kind: keyof typeof validators, document: unknown): readonly string[] {
  const validate = validators[kind];
  validate(document);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
