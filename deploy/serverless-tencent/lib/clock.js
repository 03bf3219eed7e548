'use strict';

/**
 * The time and the randomness of a run; tests give their own.
 *
 * @typedef {{now: () => number, sleep: (ms: number) => Promise<void>, random: () => number}} Clock
 */

/**
 * The machine's clock: milliseconds since 1970.
 *
 * @returns {Clock}
 */
function machineClock() {
  return {
    now: () => Date.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: () => Math.random(),
  };
}

module.exports = { machineClock };
