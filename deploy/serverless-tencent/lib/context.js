'use strict';

const path = require('node:path');
const { Client } = require('./client');
const { Bucket } = require('./cos');
const { desired } = require('./desired');
const { duration } = require('./duration');
const { Fault } = require('./fault');
const { fromEnvironment } = require('./settings');
const { validate } = require('./validate');

/**
 * What a command works with: the framework, its options, and what serverless.yml wants.
 */
class Context {
  /**
   * @param {object} serverless of the framework
   * @param {object} options of the command line
   * @param {{log: object, progress: object, writeText: (text: string) => void}} utils of the framework
   * @param {{env?: NodeJS.ProcessEnv, transport?: Function, clock?: import('./clock').Clock}} [outside] for tests
   */
  constructor(serverless, options, utils, outside = {}) {
    Object.assign(this, { serverless, options, utils, outside, env: outside.env || process.env });
  }

  get root() {
    return this.serverless.serviceDir || process.cwd();
  }

  /**
   * What serverless.yml wants.
   *
   * @param {{checked?: boolean}} [options] false takes what could not be deployed, to remove it
   */
  wanted({ checked = true } = {}) {
    const wanted = desired(this.serverless.service, this.options);
    if (!checked) return wanted;
    const faults = validate(wanted, this.serverless.service);
    if (faults.length > 0) throw new Fault(`serverless.yml cannot be deployed:\n  ${faults.join('\n  ')}`, 'INVALID_SERVICE');
    return wanted;
  }

  /** @param {{region: string}} wanted */
  client(wanted) {
    const { endpoint, credentials } = fromEnvironment(this.env);
    return new Client({ endpoint, credentials, region: wanted.region, ...this.#outside() });
  }

  /** @param {{region: string, bucket: string}} wanted */
  bucket(wanted) {
    if (!wanted.bucket) return null;
    const { cosEndpoint, credentials } = fromEnvironment(this.env);
    return new Bucket({ name: wanted.bucket, region: wanted.region, credentials, endpoint: cosEndpoint, ...this.#outside() });
  }

  #outside() {
    const { transport, clock, pace } = this.outside;
    return Object.fromEntries(Object.entries({ transport, clock, pace }).filter(([, value]) => value !== undefined));
  }

  /**
   * The wanted function that --function names.
   *
   * @param {{functions: import('./desired').Wanted[]}} wanted
   * @returns {import('./desired').Wanted}
   */
  chosen(wanted) {
    const name = this.options.function;
    if (!name) throw new Fault('name the function: --function NAME');
    const found = wanted.functions.find((f) => f.key === name || f.name === name);
    if (!found) throw new Fault(`serverless.yml has no function ${name}: it has ${wanted.functions.map((f) => f.key).join(', ') || 'none'}`);
    return found;
  }

  /** Where packages are: --package, package.path, or .serverless. */
  packageFolder() {
    const folder = this.options.package || (this.serverless.service.package || {}).path || '.serverless';
    return path.resolve(this.root, folder);
  }

  /** The public key that packages have to be signed by; empty: they need no signature. */
  verifyKey() {
    const key = this.env.ETL_VERIFY_KEY || '';
    return key && !key.startsWith('RW') ? path.resolve(this.root, key) : key;
  }

  lockTimeout() {
    return this.options['lock-timeout'] === undefined ? undefined : duration(this.options['lock-timeout'], '--lock-timeout');
  }

  /** Prints what is the result of the command. */
  print(text) {
    this.utils.writeText(text);
  }

  notice(text) {
    this.utils.log.notice(text);
  }

  /**
   * Shows on a terminal what is going on, while act runs.
   *
   * @template T
   * @param {string} message at first
   * @param {(say: (text: string) => void) => Promise<T>} act
   * @returns {Promise<T>}
   */
  async progress(message, act) {
    const progress = this.utils.progress.create({ message });
    const say = (text) => {
      progress.update(text);
      this.utils.log.info(text);
    };
    try {
      return await act(say);
    } finally {
      progress.remove();
    }
  }
}

module.exports = { Context };
