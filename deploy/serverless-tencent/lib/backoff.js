'use strict';

/**
 * How often and how long something is tried again.
 *
 * @typedef {{attempts: number, first: number, most: number}} Pace milliseconds
 */

/** The pace for calls of an API: eight tries, half a second doubling to ten seconds, so about 35 seconds in all. */
const apiPace = Object.freeze({ attempts: 8, first: 500, most: 10000 });

/**
 * The wait before try number attempt + 1. It is between half of and all of a doubling time, so that those who were refused
 * together do not come back together.
 *
 * @param {number} attempt how often it was tried, from 1
 * @param {Pace} pace
 * @param {() => number} random from 0 to 1
 * @returns {number} milliseconds
 */
function delay(attempt, pace, random) {
  const full = Math.min(pace.first * 2 ** (attempt - 1), pace.most);
  return full / 2 + (full / 2) * random();
}

module.exports = { apiPace, delay };
