'use strict';

const ends = ['PASSWORD', 'PASSWD', 'SECRET', 'SECRETKEY', 'TOKEN', 'APIKEY', 'ACCESSKEY', 'PRIVATEKEY', 'CREDENTIALS', 'ETLKEY'];

/**
 * Whether the name of a variable says that its value must not be seen. The same names as in pkg/scf, and ETL_KEY.
 *
 * @param {string} name
 * @returns {boolean}
 */
function isSecret(name) {
  const plain = name.replace(/[_-]/g, '').toUpperCase();
  return ends.some((end) => plain.endsWith(end));
}

/**
 * A value without what must not be seen: '[redacted]' for that of a secret, and addresses without user and password.
 *
 * @param {string} name of the setting or variable
 * @param {any} value
 * @returns {any}
 */
function masked(name, value) {
  if (value === undefined || value === null || value === '') return value;
  if (isSecret(name)) return '[redacted]';
  return typeof value === 'string' ? value.replace(/:\/\/[^/@\s]+@/g, '://[redacted]@') : value;
}

/**
 * A value to show, masked and at most 80 characters.
 *
 * @param {string} name of the setting or variable
 * @param {unknown} value undefined and '' are shown as such
 * @returns {string}
 */
function shown(name, value) {
  if (value === undefined || value === null) return '(none)';
  if (value === '') return "''";
  const known = masked(name, value);
  const text = typeof known === 'string' ? known : JSON.stringify(known);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

module.exports = { isSecret, masked, shown };
