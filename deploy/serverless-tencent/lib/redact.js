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
 * A value to show, at most 80 characters; that of a secret is masked.
 *
 * @param {string} name of the setting or variable
 * @param {unknown} value undefined and '' are shown as such
 * @returns {string}
 */
function shown(name, value) {
  if (value === undefined || value === null) return '(none)';
  if (value === '') return "''";
  if (isSecret(name)) return '[redacted]';
  // why: a user and a password can be part of an address
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).replace(/:\/\/[^/@\s]+@/g, '://[redacted]@');
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

module.exports = { isSecret, shown };
