/** The Kubernetes examples, held against the code and against each other; nothing here can run them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { EDGE_STOP_MS } from '../../http/edge.ts';
import { systemRoutes } from '../../http/routes/system.ts';
import { DRAIN_PATIENCE_MS } from '../../supervisors/cluster/clusterHome.ts';
import { type Config, readConfig } from '../../supervisors/config.ts';
import { STOP_PATIENCE_MS } from '../../supervisors/holdfast.ts';
import { isAtLeast, OLDEST_REPLICATED_BROKER, parseVersion } from '../../transport/nats/version.ts';
import { type Node, readKubernetes } from '../support/deployed.ts';

const examples = suite('deploy kubernetes');

const objects = readKubernetes();
const API_VERSIONS: Readonly<Record<string, string>> = {
  ConfigMap: 'v1',
  Service: 'v1',
  StatefulSet: 'apps/v1',
  PodDisruptionBudget: 'policy/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
};

function find(kind: string, name: string): Node {
  const found = objects.find((each) => each.at('kind').value === kind && each.at('metadata', 'name').value === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

const SETS = ['holdfast', 'nats'];
const podOf = (name: string): Node => find('StatefulSet', name).at('spec', 'template', 'spec');
const containerOf = (name: string): Node => podOf(name).at('containers', 0);
const labelsOf = (name: string): unknown =>
  find('StatefulSet', name).at('spec', 'template', 'metadata', 'labels').value;
const port = (container: Node, name: unknown): unknown =>
  container
    .at('ports')
    .list()
    .find((each) => each.at('name').value === name)
    ?.at('containerPort').value;

/** What a variable has in the first pod; secrets as long as they should be. */
function filledValue(variable: Node): string {
  if (variable.at('value').value !== undefined) return String(variable.at('value').value);
  if (variable.at('valueFrom', 'fieldRef', 'fieldPath').value === 'metadata.name') return 'holdfast-0';
  const { name, key } = variable.at('valueFrom', 'secretKeyRef').value as { name: string; key: string };
  assert.is(name, 'holdfast');
  return key.endsWith('email') ? 'you@example.com' : 'x'.repeat(32);
}

function settings(): Record<string, string> {
  const variables = containerOf('holdfast').at('env').list();
  return Object.fromEntries(variables.map((each) => [String(each.at('name').value), filledValue(each)]));
}

examples('each object has the version of its kind, and a name that no other of its kind has', () => {
  const names = objects.map((each) => `${each.at('kind').value} ${each.at('metadata', 'name').value}`);
  assert.is(new Set(names).size, objects.length);
  for (const each of objects) assert.is(each.at('apiVersion').value, API_VERSIONS[String(each.at('kind').value)]);
});

examples('services, budgets, policies and sets select the pods that they are for', () => {
  for (const name of SETS) {
    const labels = labelsOf(name);
    assert.equal(find('StatefulSet', name).at('spec', 'selector', 'matchLabels').value, labels);
    assert.equal(find('PodDisruptionBudget', name).at('spec', 'selector', 'matchLabels').value, labels);
    assert.is(find('PodDisruptionBudget', name).at('spec', 'maxUnavailable').value, 1);
    const headless = find('Service', String(find('StatefulSet', name).at('spec', 'serviceName').value));
    assert.is(headless.at('spec', 'clusterIP').value, 'None');
    assert.equal(headless.at('spec', 'selector').value, labels);
    assert.equal(find('Service', name).at('spec', 'selector').value, labels);
  }
  const policy = find('NetworkPolicy', 'nats').at('spec');
  assert.equal(policy.at('podSelector', 'matchLabels').value, labelsOf('nats'));
  const allowed = policy
    .at('ingress')
    .list()
    .map((rule) => [rule.at('from', 0, 'podSelector', 'matchLabels').value, rule.at('ports', 0, 'port').value]);
  assert.equal(allowed, [
    [labelsOf('holdfast'), 4222],
    [labelsOf('nats'), 6222],
  ]);
});

examples('each setting is one that a node reads, and its value is taken', () => {
  const environment = settings();
  const config: Config & Readonly<Record<string, unknown>> = readConfig(environment);
  for (const name of Object.keys(environment)) assert.ok(config[name] !== undefined, name);
  assert.is(config.NODE_ENV, 'production');
  assert.is(config.PORT, port(containerOf('holdfast'), 'http'));
});

examples('secrets are named, never written', () => {
  for (const variable of containerOf('holdfast').at('env').list()) {
    const isSecret = /SECRET|PASSWORD/.test(String(variable.at('name').value));
    if (isSecret)
      assert.ok(variable.at('valueFrom', 'secretKeyRef').value !== undefined, String(variable.at('name').value));
  }
});

examples('nodes know all brokers by the names that their set gives them; as many as keep each log', () => {
  const { NATS_URL, REPLICAS } = readConfig(settings());
  const brokers = Number(find('StatefulSet', 'nats').at('spec', 'replicas').value);
  const client = port(containerOf('nats'), 'client');
  const names = Array.from({ length: brokers }, (_, index) => `nats://nats-${index}.nats:${client}`);
  assert.is(NATS_URL, names.join(','));
  assert.is(REPLICAS, brokers);
  const version = parseVersion(String(containerOf('nats').at('image').value));
  assert.ok(version !== undefined && isAtLeast(version, OLDEST_REPLICATED_BROKER));
});

examples('probes ask for what is answered, on ports that exist; alive is asked apart from ready', () => {
  const container = containerOf('holdfast');
  const asked = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => {
    assert.is(container.at(probe, 'httpGet', 'port').value, 'http');
    return container.at(probe, 'httpGet', 'path').value;
  });
  assert.equal(asked, ['/healthz', '/healthz', '/readyz']);
  for (const path of asked)
    assert.ok(
      systemRoutes.some((route) => route.path === path && route.vital),
      String(path),
    );
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
    const { path, port: at } = containerOf('nats').at(probe, 'httpGet').value as { path: string; port: string };
    assert.is(port(containerOf('nats'), at), 8222);
    assert.match(path, /^\/healthz\?js-(server|enabled)-only=true$/);
  }
});

examples('a pod is left alone for longer than it takes to drain', () => {
  const pod = podOf('holdfast');
  const [sleep, seconds] = containerOf('holdfast').at('lifecycle', 'preStop', 'exec', 'command').value as string[];
  assert.is(sleep, 'sleep');
  const longestMs = Number(seconds) * 1_000 + DRAIN_PATIENCE_MS + EDGE_STOP_MS + STOP_PATIENCE_MS;
  assert.ok(Number(pod.at('terminationGracePeriodSeconds').value) * 1_000 > longestMs);
});

examples('what is mounted exists, and no container runs as root', () => {
  for (const name of SETS) {
    const claims = find('StatefulSet', name).at('spec', 'volumeClaimTemplates').list();
    const volumes = [
      ...claims.map((claim) => claim.at('metadata', 'name').value),
      ...podOf(name)
        .at('volumes')
        .list()
        .map((volume) => volume.at('name').value),
    ];
    const mounted = containerOf(name)
      .at('volumeMounts')
      .list()
      .map((mount) => mount.at('name').value);
    assert.equal(mounted.toSorted(), volumes.toSorted());
    assert.is(podOf(name).at('securityContext', 'runAsNonRoot').value, true);
    assert.ok(Number(podOf(name).at('securityContext', 'runAsUser').value) > 0);
  }
});

examples.run();
