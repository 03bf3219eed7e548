'use strict';

const { Fault, missing } = require('./fault');

// How often GetFunction is asked: soon at first, since most changes take a second or less.
const firstPoll = 100;
const mostPoll = 2000;

/** How long a function is waited for by default, in milliseconds. */
const patience = 5 * 60 * 1000;

/**
 * Waits until a function is Active.
 *
 * @param {import('./client').Client} client
 * @param {{FunctionName: string, Namespace: string, Qualifier?: string}} id
 * @param {{patience?: number, touch?: () => Promise<void>}} [options] touch is called at every look
 * @returns {Promise<object>} the answer of GetFunction
 * @throws {Fault} where the change has failed, with the platform's reasons, or takes too long
 */
async function active(client, id, { patience: most = patience, touch = async () => {} } = {}) {
  const f = await poll(client, id, most, touch, (answer) => answer && (answer.Status === 'Active' || /Failed$/.test(answer.Status)));
  if (f.Status === 'Active') return f;
  const reasons = (f.StatusReasons || []).map((r) => `${r.ErrorCode}: ${r.ErrorMessage}`).join('; ');
  throw new Fault(`${id.FunctionName} is ${f.Status}: ${reasons || f.StatusDesc || 'the platform gives no reason'}`);
}

/**
 * Waits until a function is not there any more.
 *
 * @param {import('./client').Client} client
 * @param {{FunctionName: string, Namespace: string}} id
 * @param {{patience?: number, touch?: () => Promise<void>}} [options]
 */
async function gone(client, id, { patience: most = patience, touch = async () => {} } = {}) {
  const f = await poll(client, id, most, touch, (answer) => !answer || answer.Status === 'DeleteFailed');
  if (f) throw new Fault(`${id.FunctionName} cannot be deleted: ${f.StatusDesc || 'the platform gives no reason'}`);
}

/**
 * Waits while a function is changing: until it is Active, has failed, or is gone.
 *
 * @param {import('./client').Client} client
 * @param {{FunctionName: string, Namespace: string}} id
 */
async function settled(client, id) {
  await poll(client, id, patience, async () => {}, (answer) => !answer || answer.Status === 'Active' || /Failed$/.test(answer.Status));
}

async function poll(client, id, most, touch, done) {
  const begun = client.clock.now();
  for (let pause = firstPoll; ; pause = Math.min(pause * 1.5, mostPoll)) {
    const answer = await get(client, id);
    if (done(answer)) return answer;
    const waited = client.clock.now() - begun;
    if (waited > most) {
      throw new Fault(`${id.FunctionName} is ${answer ? answer.Status : 'not there'} for ${Math.round(waited / 1000)} s: ` +
        'see it in the console, then deploy again');
    }
    await touch();
    await client.clock.sleep(pause);
  }
}

async function get(client, id) {
  try {
    return await client.read('GetFunction', { ...id, ShowCode: 'FALSE' });
  } catch (error) {
    if (missing(error)) return null;
    throw error;
  }
}

module.exports = { active, gone, patience, settled };
