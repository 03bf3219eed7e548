'use strict';

const { settingsDigest } = require('./desired');
const trigger = require('./trigger');

/**
 * One change. kind says which; function is the full name.
 *
 * @typedef {object} Step
 * @property {string} kind create, recreate, code, settings, async, reserved, provisioned, publish, route, delete,
 *   create-trigger, update-trigger, replace-trigger, delete-trigger
 * @property {string} function
 * @property {{path: string, from: any, to: any}[]} diff
 * @property {import('./desired').Wanted} [wanted]
 * @property {import('./actual').Actual} [actual]
 * @property {import('./trigger').Trigger} [trigger] wanted, or to delete
 * @property {import('./trigger').Trigger} [former] that is replaced
 * @property {{version: string}} [to] of a route: a version, $LATEST, or 'published' for the newest one of this deployment
 */

/**
 * What to do, in this order; refusals are what stands in the way, and then nothing is to be done; notes are for the user.
 *
 * @typedef {{steps: Step[], refusals: string[], notes: string[]}} Plan
 */

/**
 * Compares what is wanted with what is there. It calls nothing and reads no clock: the same input gives the same plan.
 *
 * The order: functions are made and changed first, then triggers that are no longer wanted are deleted, then the others
 * are created and updated, and at last functions are deleted. So a trigger that moves from one function to another is
 * never there twice.
 *
 * @param {{owner: string, functions: import('./desired').Wanted[]}} wanted
 * @param {Map<string, import('./actual').Actual>} actual those with the owner's mark, or with a name that is wanted
 * @param {object} [options]
 * @param {boolean} [options.replaceTriggers] delete and create a trigger where it cannot be updated
 * @param {boolean} [options.adopt] take over a function of that name that the service has not made
 * @param {boolean} [options.force] send code and settings even if they seem to be the same
 * @param {string} [options.only] the full name of the one function to look at
 * @returns {Plan}
 */
function plan(wanted, actual, options = {}) {
  const out = { steps: [], refusals: [], notes: [] };
  const chosen = wanted.functions.filter((f) => !options.only || f.name === options.only);
  for (const f of chosen) planFunction(out, wanted.owner, f, actual.get(f.name), options);
  const names = new Set(wanted.functions.map((f) => f.name));
  const gone = options.only ? [] : [...actual.values()].filter((f) => !names.has(f.name) && f.mark?.owner === wanted.owner);
  const triggers = { deleted: [], made: [] };
  for (const f of gone) for (const t of f.triggers) triggers.deleted.push(triggerStep('delete-trigger', f.name, t));
  for (const f of chosen) planTriggers(out, triggers, f, actual.get(f.name), options);
  out.steps.push(...triggers.deleted, ...triggers.made);
  for (const f of gone) out.steps.push({ kind: 'delete', function: f.name, diff: [], actual: f });
  return out;
}

function planFunction(out, owner, want, have, options) {
  const step = (kind, diff, more = {}) =>
    out.steps.push({ kind, function: want.name, diff, wanted: want, actual: have, ...more });
  if (!have || have.status === 'CreateFailed') {
    step(have ? 'recreate' : 'create', created(want));
    planMore(step, out, want, null);
    if (want.publish) publish(step, want);
    return;
  }
  if (have.mark?.owner !== owner && !options.adopt) {
    out.refusals.push(`functions.${want.key}: a function ${want.name} is there, and this service and stage have not made it: ` +
      'give yours another name, or take it over with --adopt');
    return;
  }
  if (have.settings.runtime && have.settings.runtime !== want.settings.runtime) {
    out.refusals.push(`functions.${want.key}.runtime: the platform cannot change ${have.settings.runtime} to ` +
      `${want.settings.runtime}: remove the function first`);
    return;
  }
  const settings = compareSettings(want.settings, have.settings);
  const handler = settings.filter((d) => d.path === 'handler');
  const others = settings.filter((d) => d.path !== 'handler');
  const code = (have.mark && have.mark.code) || '';
  const newCode = options.force || code !== want.code.code || handler.length > 0 || have.status === 'UpdateFailed';
  const newSettings = newCode || others.length > 0 || have.mark?.owner !== owner;
  if (newCode) step('code', [{ path: 'code', from: code || undefined, to: want.code.code }, ...handler]);
  if (newSettings) step('settings', others);
  planMore(step, out, want, have);
  planRoute(step, want, have, newSettings);
  noteTags(out, want, have);
}

function created(want) {
  const { environment, ...s } = want.settings;
  const rows = Object.entries(s).filter(([, value]) => value !== null && value !== '' && !(Array.isArray(value) && !value.length));
  return [
    { path: 'code', from: undefined, to: want.code.code },
    ...rows.map(([path, to]) => ({ path, from: undefined, to })),
    ...Object.entries(want.tags).map(([key, to]) => ({ path: `tags.${key}`, from: undefined, to })),
    ...Object.entries(environment).sort().map(([key, to]) => ({ path: `environment.${key}`, from: undefined, to })),
  ];
}

/**
 * How settings differ.
 *
 * @param {import('./desired').Settings} want
 * @param {import('./desired').Settings} have
 * @returns {{path: string, from: any, to: any}[]}
 */
function compareSettings(want, have) {
  const diff = [];
  const add = (path, from, to) => JSON.stringify(from ?? null) !== JSON.stringify(to ?? null) && diff.push({ path, from, to });
  // why trimmed: the platform may trim what stands before the mark
  add('description', have.description.trim(), want.description.trim());
  for (const key of ['handler', 'memorySize', 'timeout', 'role']) add(key, have[key], want[key]);
  add('vpcConfig', have.vpc, want.vpc);
  if (want.cls) add('cls', have.cls, want.cls);
  add('layers', have.layers, want.layers);
  add('deadLetter', have.deadLetter, want.deadLetter);
  const keys = new Set([...Object.keys(have.environment), ...Object.keys(want.environment)]);
  for (const key of [...keys].sort()) add(`environment.${key}`, have.environment[key], want.environment[key]);
  return diff;
}

function planMore(step, out, want, have) {
  const there = have ? have.async : null;
  if (want.async && JSON.stringify(want.async) !== JSON.stringify(there)) {
    const diff = Object.keys(want.async).map((key) => ({ path: `async.${key}`, from: there?.[key], to: want.async[key] }));
    step('async', diff.filter((d) => d.from !== d.to));
  }
  const reserved = have?.reserved ?? 0;
  if (reserved !== want.reserved) {
    step('reserved', [{ path: 'concurrency.reserved', from: reserved || undefined, to: want.reserved || undefined }]);
  }
}

function publish(step, want) {
  step('publish', []);
  step('route', [{ path: '$DEFAULT', from: '$LATEST', to: 'the published version' }], { to: { version: 'published' } });
  if (want.provisioned > 0) {
    step('provisioned', [{ path: 'concurrency.provisioned', from: undefined, to: want.provisioned }], { to: { version: 'published' } });
  }
}

/**
 * The version that holds just what is wanted, the newest first.
 *
 * @param {import('./desired').Wanted} want
 * @param {import('./actual').Actual} have
 * @returns {string|undefined}
 */
function published(want, have) {
  const settings = settingsDigest(want.settings);
  const same = have.versions.filter((v) => v.ready && v.mark && v.mark.code === want.code.code && v.mark.settings === settings);
  return same.map((v) => v.version).sort((a, b) => Number(b) - Number(a))[0];
}

// Where $DEFAULT has to point to: the version with what is wanted where it is published, else to $LATEST, or to a version
// that is the same.
function planRoute(step, want, have, changed) {
  const version = changed ? undefined : published(want, have);
  const { route } = have;
  const now = route.canary ? `${route.version}, and ${route.canary.version} for ${percent(route.canary.weight)}` : route.version;
  const right = !route.canary && (version !== undefined && route.version === version);
  if (want.publish) {
    if (!version) step('publish', []);
    if (!right) {
      const to = version || 'published';
      step('route', [{ path: '$DEFAULT', from: now, to: version || 'the published version' }], { to: { version: to } });
    }
    planProvisioned(step, want, have, version || 'published');
    return;
  }
  if (!right && (route.canary || route.version !== '$LATEST')) {
    step('route', [{ path: '$DEFAULT', from: now, to: '$LATEST' }], { to: { version: '$LATEST' } });
  }
  planProvisioned(step, want, have, '');
}

const percent = (weight) => `${Math.round(weight * 1000) / 10} %`;

function planProvisioned(step, want, have, version) {
  for (const p of have.provisioned || []) {
    if (want.provisioned > 0 && p.version === version) continue;
    const diff = [{ path: `concurrency.provisioned of ${p.version}`, from: p.instances, to: undefined }];
    step('provisioned', diff, { to: { version: p.version, instances: 0 } });
  }
  const there = (have.provisioned || []).find((p) => p.version === version);
  if (want.provisioned > 0 && there?.instances !== want.provisioned) {
    step('provisioned', [{ path: 'concurrency.provisioned', from: there?.instances, to: want.provisioned }], { to: { version } });
  }
}

function noteTags(out, want, have) {
  if (!have.tags) return;
  const same = Object.entries(want.tags).every(([key, value]) => have.tags[key] === value);
  if (!same) {
    out.notes.push(`functions.${want.key}.tags: the API of SCF sets tags when a function is created, and cannot change them: ` +
      'change them in the console');
  }
}

const triggerStep = (kind, name, t, more = {}) => ({ kind, function: name, diff: [], trigger: t, ...more });

function planTriggers(out, triggers, want, have, options) {
  const there = have && have.status !== 'CreateFailed' ? have.triggers : [];
  const id = (t) => `${t.type} ${t.name}`;
  const wanted = new Map(want.triggers.map((t) => [id(t), t]));
  const seen = new Set();
  for (const t of there) {
    // why seen: the same name can be there once more, for another qualifier
    if (!wanted.has(id(t)) || seen.has(id(t))) triggers.deleted.push(triggerStep('delete-trigger', want.name, t));
    seen.add(id(t));
  }
  for (const t of want.triggers) {
    if (!t.enabled) out.notes.push(`functions.${want.key}: the trigger ${id(t)} is deployed closed: enable is false`);
    const former = there.find((other) => id(other) === id(t));
    if (!former) {
      const diff = [...Object.entries(t.settings).map(([path, to]) => ({ path, from: undefined, to })),
        { path: 'enable', from: undefined, to: t.enabled }];
      triggers.made.push({ ...triggerStep('create-trigger', want.name, t), diff });
      continue;
    }
    const { diff, replaced } = trigger.compare(t, former);
    if (diff.length === 0) continue;
    if (replaced.length > 0 && !options.replaceTriggers) {
      out.refusals.push(refusal(want, t, former, replaced));
      continue;
    }
    const onlyEnable = diff.every((d) => d.path === 'enable');
    const kind = replaced.length > 0 ? 'replace-trigger' : onlyEnable ? 'switch-trigger' : 'update-trigger';
    triggers.made.push({ ...triggerStep(kind, want.name, t, { former }), diff });
  }
}

function refusal(want, t, former, replaced) {
  const changes = replaced.map((key) => {
    const from = key === 'qualifier' ? former.qualifier : former.settings[key];
    return `${key} from ${from} to ${key === 'qualifier' ? t.qualifier : t.settings[key]}`;
  });
  const loss = t.type === 'ckafka'
    ? 'what it then begins with is said by the committed offsets of its group, or by offset where it has none'
    : 'what happens in between triggers nothing';
  return `functions.${want.key}: the trigger ${t.type} ${t.name} would have to change ${changes.join(', ')}, and the platform ` +
    `cannot change that: it has to be deleted and made anew, and ${loss}. Say --replace-triggers to do that`;
}

module.exports = { compareSettings, percent, plan, published };
