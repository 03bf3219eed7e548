'use strict';

/**
 * @typedef {ReturnType<import('./logs').summary>} Summary
 * @typedef {{least: number, errors: number, slower: number}} Tolerance least invocations of the new version; errors more
 *   than the old one may have, as a share; slower how many times as long it may take
 */

/** What is taken by default: ten invocations, one error more in a hundred, half as long again. */
const tolerance = Object.freeze({ least: 10, errors: 0.01, slower: 1.5 });

// A difference below this is noise, whatever the ratio.
const slack = 50; // milliseconds

/**
 * Says whether a new version is as good as the old one.
 *
 * It is rolled back at once when it has failed three times and more than tolerated; when the time is over it is promoted
 * where it had enough invocations and neither fails more nor takes longer. Too few invocations prove nothing: it is rolled
 * back.
 *
 * @param {Summary} now of the new version
 * @param {Summary} before of the old version in the same time
 * @param {{over: boolean, lag?: number|null, lagMost?: number|null}} state over when the time is over
 * @param {Tolerance} [tolerated]
 * @returns {{verdict: 'promote'|'rollback'|'wait', reason: string}}
 */
function judge(now, before, state, tolerated = tolerance) {
  const rate = (s) => (s.invocations ? s.errors / s.invocations : 0);
  const allowed = rate(before) + tolerated.errors;
  const share = (r) => `${Math.round(r * 1000) / 10} %`;
  const failing = now.errors > 0 && rate(now) > allowed;
  const numbers = `${now.errors} of ${now.invocations} invocations failed, of the old version ${before.errors} of ${before.invocations}`;
  if (failing && now.errors >= 3) return { verdict: 'rollback', reason: numbers };
  const { lag, lagMost } = state;
  if (lagMost !== null && lagMost !== undefined && lag !== null && lag !== undefined && lag > lagMost) {
    return { verdict: 'rollback', reason: `the lag is ${lag}, at most ${lagMost} is tolerated` };
  }
  if (!state.over) return { verdict: 'wait', reason: '' };
  if (now.invocations < tolerated.least) {
    return { verdict: 'rollback', reason: `the new version was invoked ${now.invocations} times, at least ${tolerated.least} are needed to judge it` };
  }
  if (now.errors === now.invocations) {
    return { verdict: 'rollback', reason: `${numbers}: where all of them fail, nothing shows that the new version is better` };
  }
  if (failing) return { verdict: 'rollback', reason: `${numbers}: more than ${share(allowed)}` };
  if (before.invocations > 0 && now.mean > before.mean * tolerated.slower && now.mean - before.mean > slack) {
    return { verdict: 'rollback', reason: `an invocation takes ${Math.round(now.mean)} ms on average, and ${Math.round(before.mean)} ms of the old version` };
  }
  return { verdict: 'promote', reason: numbers };
}

module.exports = { judge, tolerance };
