'use strict';

const { masked, shown } = require('./redact');

const verbs = {
  create: 'create',
  recreate: 'create anew, since it could not be created',
  code: 'update the code of',
  settings: 'update the settings of',
  async: 'update the asynchronous events of',
  reserved: 'update the reserved memory of',
  provisioned: 'update the provisioned instances of',
  publish: 'publish a version of',
  route: 'point $DEFAULT of',
  delete: 'delete',
};

/**
 * A step in one line.
 *
 * @param {import('./plan').Step} step
 * @returns {string}
 */
function describe(step) {
  if (step.trigger) {
    const state = step.kind === 'delete-trigger' ? '' : step.trigger.enabled ? ', open' : ', closed';
    const verb = { 'switch-trigger': step.trigger.enabled ? 'open' : 'close' }[step.kind] || step.kind.replace('-trigger', '');
    return `${verb} trigger ${step.trigger.type} ${step.trigger.name} of ${step.function}${state}`;
  }
  if (step.kind === 'route') {
    const share = step.to.canary ? `, and to the new version for ${Math.round(step.to.canary.weight * 100)} %` : '';
    const version = { published: 'the published version', former: 'a version of what it has now' }[step.to.version];
    return `point $DEFAULT of ${step.function} to ${version || step.to.version}${share}`;
  }
  if (step.kind === 'publish' && step.former) return `publish what ${step.function} has now as a version`;
  return `${verbs[step.kind]} ${step.function}`;
}

const sign = (d) => (d.from === undefined || d.from === null ? '+' : d.to === undefined || d.to === null ? '-' : '~');

/**
 * A plan for people: a line for each step, below it what changes. Secrets are masked.
 *
 * @param {import('./plan').Plan} plan
 * @returns {string}
 */
function text(plan) {
  const lines = [];
  for (const step of plan.steps) {
    lines.push(describe(step));
    for (const d of step.diff) {
      const name = d.path.slice(d.path.lastIndexOf('.') + 1);
      const from = sign(d) === '+' ? '' : `${shown(name, d.from)}${sign(d) === '~' ? ' -> ' : ''}`;
      const changed = from && sign(d) === '~' && shown(name, d.from) === '[redacted]' ? ' (changed)' : '';
      lines.push(`  ${sign(d)} ${d.path}: ${from}${sign(d) === '-' ? '' : shown(name, d.to)}${changed}`);
    }
  }
  if (plan.steps.length === 0) lines.push('nothing to change');
  for (const note of plan.notes) lines.push(`note: ${note}`);
  for (const refusal of plan.refusals) lines.push(`refused: ${refusal}`);
  return lines.join('\n');
}

/**
 * A plan for scripts. Secrets are masked.
 *
 * @param {import('./plan').Plan} plan
 * @returns {object} {steps: [{kind, function, trigger, text, diff: [{path, from, to}]}], notes, refusals}
 */
function json(plan) {
  const hidden = (d, value) => masked(d.path.slice(d.path.lastIndexOf('.') + 1), value) ?? null;
  const steps = plan.steps.map((step) => ({
    kind: step.kind,
    function: step.function,
    ...(step.trigger ? { trigger: { type: step.trigger.type, name: step.trigger.name, enabled: step.trigger.enabled } } : {}),
    text: describe(step),
    diff: step.diff.map((d) => ({ path: d.path, from: hidden(d, d.from), to: hidden(d, d.to) })),
  }));
  return { steps, notes: plan.notes, refusals: plan.refusals };
}

module.exports = { describe, json, text };
