'use strict';

const { read } = require('../actual');
const { percent } = require('../plan');

/**
 * sls info: what the platform has of the service.
 *
 * @param {import('../context').Context} context
 */
async function run(context) {
  const wanted = context.wanted();
  const client = context.client(wanted);
  const actual = await context.progress('Looking at the platform', () => read(client, wanted, wanted.functions.map((f) => f.name)));
  const key = (name) => wanted.functions.find((f) => f.name === name)?.key;
  const functions = [...actual.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map((f) => ({
    name: f.name,
    key: key(f.name) ?? null,
    status: f.status,
    reason: f.reason || undefined,
    made: f.mark?.owner === wanted.owner,
    memorySize: f.settings.memorySize,
    timeout: f.settings.timeout,
    route: f.route,
    versions: f.versions.map((v) => v.version),
    triggers: f.triggers.map((t) => ({ type: t.type, name: t.name, enabled: t.enabled, qualifier: t.qualifier, settings: t.settings })),
  }));
  const missing = wanted.functions.filter((f) => !actual.has(f.name)).map((f) => f.name);
  const { service, stage, region, namespace } = wanted;
  if (context.options.json) return context.print(JSON.stringify({ service, stage, region, namespace, functions, missing }, null, 2));
  const lines = [`service: ${service}`, `stage: ${stage}`, `region: ${region}`, `namespace: ${namespace}`, 'functions:'];
  for (const f of functions) lines.push(...describe(f));
  for (const name of missing) lines.push(`  ${name}: not deployed`);
  return context.print(lines.join('\n'));
}

function describe(f) {
  const route = f.route.canary ? `${f.route.version}, ${f.route.canary.version} for ${percent(f.route.canary.weight)}` : f.route.version;
  const whose = f.made ? '' : ', made by something else';
  const lines = [`  ${f.name}: ${f.status}${f.reason && f.status !== 'Active' ? ` (${f.reason})` : ''}, ${f.memorySize} MB, ${f.timeout} s, $DEFAULT is ${route}${whose}`];
  if (f.key === null) lines.push('    serverless.yml no longer names it: the next deploy deletes it');
  for (const t of f.triggers) lines.push(`    ${t.type} ${t.name}: ${t.enabled ? 'open' : 'closed'}, to ${t.qualifier}`);
  return lines;
}

module.exports = { run };
