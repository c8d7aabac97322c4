import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const readYaml = (file: string): unknown => parse(readFileSync(file, 'utf8'), { merge: true });

/** Names of all settings, as the programs read them. */
export const settingNames = (): Set<string> =>
  new Set(readFileSync('libs/kernel/src/settings.ts', 'utf8').match(/(?<=')HILO_[A-Z_]+(?=')/g));

interface Panel {
  title: string;
  targets?: { expr: string }[];
}
interface Rules {
  groups: { rules: { alert: string; expr: string }[] }[];
}

/** What dashboards and alerts ask Prometheus, by where they ask it. */
export const queries = (): [place: string, query: string][] => {
  const dashboards = 'deploy/grafana/dashboards';
  const panels = readdirSync(dashboards).flatMap(
    (file) => (JSON.parse(readFileSync(join(dashboards, file), 'utf8')) as { panels: Panel[] }).panels,
  );
  const { groups } = readYaml('deploy/prometheus/alerts.yaml') as Rules;
  const rules = groups.flatMap((group) => group.rules);
  return [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, expr])),
    ...rules.map(({ alert, expr }): [string, string] => [alert, expr]),
  ];
};
