'use strict';

const { settingsDigest } = require('./desired');
const { Fault } = require('./fault');
const { judge } = require('./judge');
const { Gathered, summary } = require('./logs');

/**
 * @typedef {object} CanaryOptions
 * @property {number} share of the invocations for the new version, from 0 to 1
 * @property {number} time milliseconds to watch
 * @property {number} interval milliseconds between two looks
 * @property {'weight'|'time'} by weight routes a share of the invocations; time routes all of them for a share of the time
 * @property {import('./judge').Tolerance} tolerance
 * @property {() => Promise<number|null>} [lag] how far a trigger is behind; null where it is not known
 * @property {number|null} [lagMost]
 */

const inPlace = new Set(['code', 'settings', 'async', 'reserved']);

/**
 * A release that only a share of the invocations sees at first. Functions that are changed get a version of what they
 * have now, which all go on to use; then $LATEST is changed and published, and $DEFAULT sends a share to it. After a time
 * $DEFAULT goes to the new version, or back to the old one. Triggers change, and functions are deleted, only after the
 * promotion. All functions of the service are promoted or rolled back together.
 *
 * @param {import('./apply').Apply} apply
 * @param {import('./plan').Plan} plan
 * @param {CanaryOptions} options
 * @param {object} shell
 * @param {(text: string) => void} shell.notice prints
 * @param {() => boolean} [shell.stopped] true when the user wants it to end
 * @returns {Promise<{verdict: string, functions: object[]}|null>} null where nothing of it can be a canary
 * @throws {Fault} where it was rolled back, with the numbers
 */
async function canary(apply, plan, options, { notice, stopped = () => false }) {
  const changed = plan.steps.filter((s) => s.kind === 'settings').map(release);
  if (changed.length === 0) {
    notice('No function is changed in place: there is nothing for a canary, all is deployed at once');
    await apply.all(plan.steps);
    return null;
  }
  for (const c of changed) refuseOthers(c);
  const names = new Set(changed.map((c) => c.name));
  const first = plan.steps.filter((s) => !s.trigger && s.kind !== 'delete' && (!names.has(s.function) || inPlace.has(s.kind)));
  const last = plan.steps.filter((s) => !first.includes(s) && !(names.has(s.function) && (s.kind === 'publish' || s.kind === 'route')));
  await apply.all([...changed.flatMap((c) => c.before), ...first]);
  await apply.all(changed.map((c) => ({ ...c.step, kind: 'publish', diff: [] })));
  for (const c of changed) {
    c.old = apply.version(c.name, c.former);
    c.now = apply.version(c.name, 'published');
  }
  return decide(apply, changed, last, options, { notice, stopped });
}

async function decide(apply, changed, last, options, { notice, stopped }) {
  let seen;
  try {
    await share(apply, changed, options.by === 'weight' ? options.share : 0);
    notice(`Canary: ${changed.map((c) => `${c.name} ${c.old} -> ${c.now}`).join(', ')}; ` +
      `${Math.round(options.share * 100)} % of the ${options.by === 'weight' ? 'invocations' : 'time'} for ${options.time / 1000} s`);
    seen = await watch(apply, changed, options, { notice, stopped });
  } catch (error) {
    await back(apply, changed).catch(() => {
      notice(`$DEFAULT could not be set back: deploy again, or sls rollback --function NAME --to VERSION (${changed.map((c) => `${c.name} ${c.old}`).join(', ')})`);
    });
    throw error;
  }
  for (const line of table(seen)) notice(line);
  if (seen.verdict !== 'promote') {
    await back(apply, changed);
    const all = changed.map((c) => `${c.name} to version ${c.old}`).join(', ');
    throw new Fault(`the canary was rolled back, ${all}: ${seen.reason}`, 'CANARY_ROLLED_BACK');
  }
  for (const c of changed) await apply.route(c.name, c.now);
  notice(`Promoted: ${changed.map((c) => `${c.name} to version ${c.now}`).join(', ')}`);
  await apply.all(last);
  return { verdict: 'promote', functions: seen.functions };
}

// What is to be done before a function is changed, so that its invocations go on with what it has now.
function release(step) {
  const { actual, wanted } = step;
  const name = step.function;
  const base = { function: name, diff: [], wanted, actual };
  if (actual.route.version !== '$LATEST') {
    const before = actual.route.canary ? [{ ...base, kind: 'route', to: { version: actual.route.version } }] : [];
    return { name, step, former: actual.route.version, before };
  }
  const settings = settingsDigest(actual.settings);
  const same = actual.mark?.code && actual.versions.filter((v) => v.ready && v.mark?.code === actual.mark.code && v.mark.settings === settings).pop();
  if (same) return { name, step, former: same.version, before: [{ ...base, kind: 'route', to: { version: same.version } }] };
  const former = { settings: actual.settings, mark: actual.mark };
  return {
    name,
    step,
    former: 'former',
    before: [{ ...base, kind: 'publish', former }, { ...base, kind: 'route', to: { version: 'former' } }],
  };
}

function refuseOthers({ name, step }) {
  const other = [...step.actual.triggers, ...step.wanted.triggers].find((t) => t.qualifier !== '$DEFAULT');
  if (!other) return;
  throw new Fault(`${name}: the trigger ${other.type} ${other.name} goes to ${other.qualifier}, past the alias $DEFAULT, and would ` +
    'get the new version at once: no canary is possible');
}

async function share(apply, changed, weight) {
  for (const c of changed) await apply.route(c.name, c.old, weight > 0 ? [{ Version: c.now, Weight: weight }] : []);
}

async function back(apply, changed) {
  for (const c of changed) await apply.route(c.name, c.old);
}

async function watch(apply, changed, options, { notice, stopped }) {
  const { client, service } = apply;
  const begun = client.clock.now();
  for (const c of changed) c.logs = { now: new Gathered(begun - 1000), old: new Gathered(begun - 1000) };
  let turn = false;
  for (;;) {
    const passed = client.clock.now() - begun;
    const over = passed >= options.time;
    for (const c of changed) {
      const id = { FunctionName: c.name, Namespace: service.namespace };
      await c.logs.now.look(client, { ...id, Qualifier: c.now }, client.clock.now());
      await c.logs.old.look(client, { ...id, Qualifier: c.old }, client.clock.now());
    }
    const lag = options.lag ? await options.lag() : null;
    const seen = judgeAll(changed, { over, lag, lagMost: options.lagMost }, options.tolerance);
    if (stopped()) return { ...seen, verdict: 'rollback', reason: 'it was stopped' };
    if (seen.verdict !== 'wait') return seen;
    apply.say(`canary ${Math.round(passed / 1000)} of ${options.time / 1000} s: ` +
      seen.functions.map((f) => `${f.name} ${f.now.invocations} invocations, ${f.now.errors} errors`).join('; '));
    if (options.by === 'time') turn = await takeTurns(apply, changed, options, passed, turn);
    await apply.lock?.touch();
    await client.clock.sleep(Math.min(options.interval, Math.max(options.time - passed, 1)));
  }
}

// A tenth of the time is the end of each of ten rounds.
async function takeTurns(apply, changed, options, passed, turn) {
  const round = options.time / 10;
  const now = (passed % round) / round >= 1 - options.share;
  if (now === turn) return turn;
  for (const c of changed) await apply.route(c.name, now ? c.now : c.old);
  return now;
}

function judgeAll(changed, state, tolerated) {
  const functions = changed.map((c) => {
    const [now, old] = [summary(c.logs.now.all()), summary(c.logs.old.all())];
    return { name: c.name, version: c.now, former: c.old, now, old, lag: state.lag, ...judge(now, old, state, tolerated) };
  });
  const bad = functions.find((f) => f.verdict === 'rollback');
  const waits = functions.find((f) => f.verdict === 'wait');
  if (bad) return { functions, verdict: 'rollback', reason: `${bad.name}: ${bad.reason}` };
  return { functions, verdict: waits ? 'wait' : 'promote', reason: '' };
}

function table(seen) {
  const row = (name, version, s) =>
    `  ${name} ${version}: ${s.invocations} invocations, ${s.errors} errors, ${Math.round(s.mean)} ms on average, 95 % below ${Math.round(s.p95)} ms`;
  const lines = seen.functions.flatMap((f) => [row(f.name, f.former, f.old), row(f.name, f.version, f.now)]);
  const { lag } = seen.functions[0];
  return lag === null || lag === undefined ? lines : [...lines, `  lag: ${lag}`];
}

module.exports = { canary };
