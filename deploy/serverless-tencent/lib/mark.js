'use strict';

const crypto = require('node:crypto');
const limits = require('./limits');

const pattern = /(?:^|\s)sls owner ([0-9a-f]{16})(?: code ([0-9a-f]{32}))?(?: settings ([0-9a-f]{32}))?$/;

/**
 * A mark at the end of a description says which service made a function and which code it has, since the API tells
 * neither: a tag cannot be changed by it, and it gives no digest of the code. It is made of letters, digits and spaces,
 * which every description may hold.
 *
 * @typedef {{owner: string, code: string, settings: string}} Mark code and settings are '' where they are not known
 */

/**
 * Who a service is: its name and stage.
 *
 * @param {string} service
 * @param {string} stage
 * @returns {string} 16 hexadecimal digits
 */
function owner(service, stage) {
  return crypto.createHash('sha256').update(`${service}\n${stage}`).digest('hex').slice(0, 16);
}

/**
 * A description with a mark. The user's text is cut where both would be too long.
 *
 * @param {string} text
 * @param {Mark} mark
 * @returns {string} at most 1000 characters
 */
function attach(text, mark) {
  let tail = `sls owner ${mark.owner}`;
  if (mark.code) tail += ` code ${mark.code}`;
  if (mark.settings) tail += ` settings ${mark.settings}`;
  const head = [...text].slice(0, limits.maxDescription - tail.length - 1).join('').trimEnd();
  return head ? `${head} ${tail}` : tail;
}

/**
 * Takes a description apart.
 *
 * @param {string|undefined} description
 * @returns {{text: string, mark: Mark|null}}
 */
function detach(description) {
  const found = pattern.exec(description || '');
  if (!found) return { text: description || '', mark: null };
  const [whole, by, code = '', settings = ''] = found;
  return { text: description.slice(0, description.length - whole.length), mark: { owner: by, code, settings } };
}

module.exports = { attach, detach, owner };
