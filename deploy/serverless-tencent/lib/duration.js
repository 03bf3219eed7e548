'use strict';

const { Fault } = require('./fault');

const units = { ms: 1, s: 1000, m: 60000, h: 3600000 };

/**
 * A time span like 30s or 5m, in milliseconds.
 *
 * @param {string} text
 * @param {string} option to name where it is none
 * @returns {number}
 * @throws {Fault}
 */
function duration(text, option) {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(String(text).trim());
  if (!found) throw new Fault(`${option}: ${text} is no time span, want a number with its unit: 500ms, 30s, 5m, 1h`);
  return Number(found[1]) * units[found[2]];
}

/**
 * A number of an option.
 *
 * @param {string} text
 * @param {string} option
 * @param {number} least
 * @param {number} most
 * @returns {number}
 * @throws {Fault}
 */
function number(text, option, least, most) {
  const value = Number(text);
  if (String(text).trim() === '' || !(value >= least && value <= most)) {
    throw new Fault(`${option}: ${text} is not allowed, want a number from ${least} to ${most}`);
  }
  return value;
}

module.exports = { duration, number };
