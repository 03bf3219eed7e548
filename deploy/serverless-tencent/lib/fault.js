'use strict';

/**
 * Fault is what a user can do something about. The command ends with exit code 1 and shows the message alone.
 */
class Fault extends Error {
  /**
   * @param {string} message what is wrong and what to do
   * @param {string} [code] a word for machines: letters, digits, _
   */
  constructor(message, code = 'TENCENT_SCF') {
    super(message);
    this.name = 'Fault';
    this.code = code;
  }
}

/**
 * ApiFault is an error that the platform has answered, or that kept it from answering.
 */
class ApiFault extends Fault {
  /**
   * @param {string} action of the API
   * @param {string} apiCode the platform's code; Network where there was no answer
   * @param {string} text the platform's message
   * @param {{requestId?: string, status?: number, date?: string}} [more]
   */
  constructor(action, apiCode, text, more = {}) {
    super(`${action}: ${apiCode}: ${text}${more.requestId ? ` (request ${more.requestId})` : ''}`, 'TENCENT_SCF_API');
    this.name = 'ApiFault';
    Object.assign(this, { action, apiCode, text, ...more });
  }
}

/**
 * Whether an error says that what was asked for is not there.
 *
 * @param {any} error
 * @returns {boolean}
 */
const missing = (error) => error instanceof ApiFault && error.apiCode.startsWith('ResourceNotFound');

module.exports = { ApiFault, Fault, missing };
