// What the schemas of Kubernetes cannot say: whether the documents of a rendered chart fit each other and the programs.
import { existsSync, readFileSync } from 'node:fs';

const settings = new Set(readFileSync('libs/kernel/src/settings.ts', 'utf8').match(/(?<=')HILO_[A-Z_]+(?=')/g));
/** Read by the runtime and by OpenTelemetry. */
const OTHER_VARIABLES = /^(NODE_OPTIONS|OTEL_[A-Z_]+)$/;

const selects = (selector, labels) => Object.entries(selector).every(([name, value]) => labels[name] === value);

/** @returns a sentence for each thing that does not fit */
export const problemsOf = (documents) => {
  const problems = [];
  const say = ({ kind, metadata }, problem) => problems.push(`${kind} ${metadata.name}: ${problem}`);
  const of = (...kinds) => documents.filter(({ kind }) => kinds.includes(kind));

  const names = documents.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  for (const name of names.filter((each, i) => names.indexOf(each) !== i)) problems.push(`${name} is there twice`);

  const workloads = of('Deployment', 'Job');
  for (const workload of workloads) for (const problem of podProblems(workload)) say(workload, problem);

  for (const deployment of of('Deployment')) {
    const { selector, template } = deployment.spec;
    if (!selects(selector.matchLabels, template.metadata.labels)) say(deployment, 'selects other pods than it makes');
  }
  for (const service of of('Service')) {
    const pods = of('Deployment').filter(({ spec }) => selects(service.spec.selector, spec.template.metadata.labels));
    if (pods.length !== 1) say(service, `finds the pods of ${pods.length} deployments`);
    const ports = pods.flatMap(({ spec }) => spec.template.spec.containers[0].ports.map(({ name }) => name));
    for (const { targetPort } of service.spec.ports)
      if (!ports.includes(targetPort)) say(service, `leads to a port ${targetPort} that is not there`);
  }
  for (const budget of of('PodDisruptionBudget', 'NetworkPolicy')) {
    const { matchLabels } = budget.spec.selector ?? budget.spec.podSelector;
    if (!workloads.some(({ spec }) => selects(matchLabels, spec.template.metadata.labels))) say(budget, 'finds no pod');
  }
  const scaled = of('HorizontalPodAutoscaler', 'ScaledObject');
  for (const scaler of scaled) {
    const target = of('Deployment').find(({ metadata }) => metadata.name === scaler.spec.scaleTargetRef.name);
    if (!target) say(scaler, 'scales nothing');
    else if (target.spec.replicas !== undefined) say(target, `has a number of copies, which ${scaler.kind} sets too`);
  }
  for (const ingress of of('Ingress'))
    for (const { backend, path } of ingress.spec.rules.flatMap(({ http }) => http.paths)) {
      if (path !== '/v1') say(ingress, `lets ${path} through`);
      const service = of('Service').find(({ metadata }) => metadata.name === backend.service.name);
      if (!service?.spec.ports.some(({ name }) => name === backend.service.port.name)) say(ingress, 'leads nowhere');
    }
  return problems;
};

const podProblems = ({ kind, spec: { template } }) => {
  const problems = [];
  const { spec } = template;
  if (spec.securityContext?.runAsNonRoot !== true || !(spec.securityContext.runAsUser > 0))
    problems.push('runs as root');
  if (spec.automountServiceAccountToken !== false) problems.push('gets a token of the cluster');
  const volumes = new Set(spec.volumes.map(({ name }) => name));
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    const say = (problem) => problems.push(`${container.name} ${problem}`);
    const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } = container.securityContext ?? {};
    if (allowPrivilegeEscalation !== false || readOnlyRootFilesystem !== true || !capabilities?.drop?.includes('ALL'))
      say('may do more than it must');
    if (!container.resources?.limits?.memory || !container.resources.requests?.cpu) say('has no bounds');
    if (/:latest$|^[^:@]+$/.test(container.image)) say(`runs some version of ${container.image}`);
    const source = container.args[0].replace(/^dist\//, '').replace(/\.js$/, '.ts');
    if (!existsSync(source)) say(`runs ${container.args[0]}, which is not compiled from anything`);
    const variables = container.env.map(({ name }) => name);
    for (const [i, name] of variables.entries()) {
      if (!settings.has(name) && !OTHER_VARIABLES.test(name)) say(`is given ${name}, which nothing reads`);
      if (variables.indexOf(name) !== i) say(`is given ${name} twice`);
    }
    for (const { name } of container.volumeMounts) if (!volumes.has(name)) say(`mounts ${name}, which is no volume`);
    const heap = /--max-old-space-size=(\d+)/.exec(
      container.env.find(({ name }) => name === 'NODE_OPTIONS')?.value,
    )?.[1];
    const [, amount, unit] = /^(\d+)(Mi|Gi)$/.exec(container.resources.limits.memory) ?? [];
    if (heap && Number(heap) > 0.75 * amount * (unit === 'Gi' ? 1024 : 1)) say('has a heap too large for its memory');
    if (kind === 'Deployment' && !(container.livenessProbe && container.readinessProbe && container.startupProbe))
      say('is asked nothing by the cluster');
  }
  return problems;
};
