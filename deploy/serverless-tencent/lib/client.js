'use strict';

const { ApiFault } = require('./fault');
const { apiPace, delay } = require('./backoff');
const { explain } = require('./explain');
const { machineClock } = require('./clock');
const { send } = require('./transport');
const { sign } = require('./tc3');

// Refused before anything was done.
const throttled = (code) => code.startsWith('RequestLimitExceeded') || code === 'LimitExceeded.Rate';
// Nobody knows whether anything was done.
const unknown = (code) => code === 'Network' || code.startsWith('InternalError') || code === 'ServiceUnavailable';
// The function is changing: after a while it is not.
const changing = (code) =>
  code.startsWith('FailedOperation.FunctionStatus') || code === 'ResourceInUse.FunctionStatus' ||
  code === 'ResourceUnavailable.FunctionStatus' || code === 'FailedOperation.FunctionNameStatusError';

// Without a byte of an answer, in milliseconds. An invocation can take 15 minutes.
const usual = 60 * 1000;
const longest = 905 * 1000;

/**
 * Client calls the SCF API (583/17237), version 2018-04-16. Each call is signed, and tried again with back-off, a bounded
 * number of times.
 */
class Client {
  /**
   * @param {object} options
   * @param {URL} options.endpoint
   * @param {string} options.region
   * @param {{secretId: string, secretKey: string, token?: string}} options.credentials
   * @param {typeof send} [options.transport]
   * @param {import('./clock').Clock} [options.clock]
   * @param {import('./backoff').Pace} [options.pace]
   */
  constructor({ endpoint, region, credentials, transport = send, clock = machineClock(), pace = apiPace }) {
    Object.assign(this, { endpoint, region, credentials, transport, clock, pace });
    this.calls = 0;
  }

  /**
   * A call that changes nothing.
   *
   * @param {string} action
   * @param {object} parameters
   * @returns {Promise<any>} the answer's Response
   * @throws {ApiFault}
   */
  read(action, parameters) {
    return this.#repeat(action, parameters, async () => false);
  }

  /**
   * A call that changes something. Where the platform may have carried it out without an answer, happened is asked before
   * the call is repeated: true ends it as a success.
   *
   * @param {string} action
   * @param {object} parameters
   * @param {() => Promise<boolean>} [happened] none for a call that can be repeated without harm
   * @returns {Promise<any>} the answer's Response, {} where it got lost
   * @throws {ApiFault}
   */
  write(action, parameters, happened = async () => false) {
    return this.#repeat(action, parameters, happened);
  }

  async #repeat(action, parameters, happened) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(action, parameters);
      } catch (fault) {
        const code = fault.apiCode;
        if (!(fault instanceof ApiFault) || !(throttled(code) || unknown(code) || changing(code))) throw advised(fault);
        if (attempt >= this.pace.attempts) throw advised(fault);
        await this.clock.sleep(delay(attempt, this.pace, this.clock.random));
        if (unknown(code) && (await happened())) return {};
      }
    }
  }

  async #once(action, parameters) {
    this.calls++;
    const body = JSON.stringify(parameters);
    const time = this.clock.now();
    const request = { service: 'scf', host: this.endpoint.host, action, version: '2018-04-16', region: this.region, body, time };
    let answer;
    try {
      const timeout = action === 'Invoke' ? longest : usual;
      answer = await this.transport({ url: this.endpoint, headers: sign(request, this.credentials), body, timeout });
    } catch (error) {
      throw new ApiFault(action, 'Network', error.message || error.code || String(error));
    }
    const { response, more } = decode(action, answer, time);
    if (response.Error) throw new ApiFault(action, String(response.Error.Code), String(response.Error.Message), more);
    return response;
  }
}

function decode(action, answer, time) {
  let response;
  try {
    response = JSON.parse(answer.body.toString()).Response;
  } catch {
    response = undefined;
  }
  const more = { status: answer.status, date: answer.headers && answer.headers.date, time };
  if (!response || typeof response !== 'object') {
    const code = answer.status >= 500 ? 'InternalError' : 'Answer';
    throw new ApiFault(action, code, `the answer of status ${answer.status} is none of the API`, more);
  }
  more.requestId = response.RequestId;
  return { response, more };
}

function advised(fault) {
  if (!(fault instanceof ApiFault) || fault.advised) return fault;
  const hint = explain(fault);
  if (hint) fault.message += `; ${hint}`;
  fault.advised = true;
  return fault;
}

module.exports = { Client };
