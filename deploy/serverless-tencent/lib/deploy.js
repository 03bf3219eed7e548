'use strict';

const { names, read } = require('./actual');
const { Apply } = require('./apply');
const { Fault } = require('./fault');
const { Lock, prefix } = require('./lock');
const { plan } = require('./plan');

/**
 * Makes the platform have what is wanted. Nothing is called that writes where nothing differs. What was done before it
 * breaks off stays; another call goes on from there.
 *
 * @param {object} run
 * @param {import('./client').Client} run.client
 * @param {ReturnType<import('./desired').desired>} run.wanted with the packages made
 * @param {object} [run.options] of plan(), and lockTimeout in milliseconds
 * @param {ConstructorParameters<typeof Apply>[0]['code']} run.code
 * @param {(plan: import('./plan').Plan) => void} [run.show] is told the plan before it is carried out
 * @param {(text: string) => void} [run.say] tells of progress
 * @param {(apply: Apply, plan: import('./plan').Plan) => Promise<any>} [run.carryOut] another way to carry a plan out
 * @returns {Promise<{plan: import('./plan').Plan, result?: any}>}
 * @throws {Fault}
 */
async function deploy({ client, wanted, options = {}, code, show = () => {}, say = () => {}, carryOut }) {
  const wantedNames = wanted.functions.map((f) => f.name);
  const look = () => read(client, wanted, wantedNames, { settle: true });
  const actual = await look();
  const first = decide(wanted, actual, options);
  show(first);
  // A lock that is there is somebody's who is at work, or has to be cleared away.
  const locked = [...actual.values()].some((f) => f.aliases.some((a) => a.name.startsWith(prefix)));
  if (first.steps.length === 0 && !locked) return { plan: first };
  const lock = new Lock(client, wanted.namespace, { timeout: options.lockTimeout });
  const apply = new Apply({ client, service: wanted, code, lock, say });
  const lockable = async () => {
    const all = await names(client, wanted, wantedNames);
    return all.filter((f) => f.status !== 'CreateFailed' && f.status !== 'Creating').map((f) => f.name);
  };
  let beat;
  try {
    // A lock needs a function to be at: of a service that has none, one is made first, and only one deployment can do that.
    const founder = first.steps.find((s) => s.kind === 'create' || s.kind === 'recreate');
    if (founder && (await lockable()).length === 0) await apply.step(founder);
    await lock.acquire(lockable, say);
    beat = keep(lock);
    const now = decide(wanted, await look(), options);
    const result = carryOut ? await carryOut(apply, now) : await apply.all(now.steps);
    await lock.release();
    return { plan: first, result };
  } catch (error) {
    await lock.release().catch(() => {}); // why ignored: the first error is what the user has to know of
    const told = error.code === 'CANARY_ROLLED_BACK' || apply.done.length + apply.begun.length + apply.left.length === 0;
    if (told) throw error;
    throw apply.report(error);
  } finally {
    clearInterval(beat);
  }
}

function keep(lock) {
  const timer = setInterval(() => lock.touch().catch(() => {}), Math.max(lock.timeout / 6, 50));
  timer.unref();
  return timer;
}

/**
 * The plan, where nothing stands in its way.
 *
 * @param {object} wanted
 * @param {Map<string, import('./actual').Actual>} actual
 * @param {object} options
 * @returns {import('./plan').Plan}
 * @throws {Fault} with all that does
 */
function decide(wanted, actual, options) {
  const decided = plan(wanted, actual, options);
  if (decided.refusals.length > 0) throw new Fault(`nothing was changed:\n  ${decided.refusals.join('\n  ')}`, 'REFUSED');
  return decided;
}

module.exports = { decide, deploy };
