'use strict';

const { Context } = require('./lib/context');
const { ApiFault, Fault } = require('./lib/fault');
const limits = require('./lib/limits');
const { commands } = require('./lib/options');
const { define } = require('./lib/schema');
const deploy = require('./lib/commands/deploy');
const info = require('./lib/commands/info');
const invoke = require('./lib/commands/invoke');
const logs = require('./lib/commands/logs');
const { pack } = require('./lib/commands/package');
const remove = require('./lib/commands/remove');
const rollback = require('./lib/commands/rollback');

/**
 * The provider tencent of the Serverless Framework: each command of it calls one of lib/commands.
 */
class TencentScf {
  static getProviderName() {
    return 'tencent';
  }

  /**
   * @param {object} serverless
   * @param {object} options of the command line
   * @param {{log: object, progress: object, writeText: Function}} utils
   */
  constructor(serverless, options, utils) {
    this.serverless = serverless;
    this.options = options;
    this.commands = structuredClone(commands);
    serverless.setProvider('tencent', this);
    define(serverless.configSchemaHandler);
    const context = new Context(serverless, options, utils);
    const hook = (act) => () => this.#run(() => act(context));
    this.hooks = {
      'before:package:createDeploymentArtifacts': hook(pack),
      'deploy:deploy': hook(deploy.run),
      'deploy:function:packageFunction': hook(pack),
      'deploy:function:deploy': hook((c) => deploy.run(c, { one: true })),
      'remove:remove': hook(remove.run),
      'info:info': hook(info.run),
      'invoke:invoke': hook(invoke.run),
      'invoke:local:invoke': hook(invoke.local),
      'logs:logs': hook(logs.run),
      'metrics:metrics': hook(logs.metrics),
      'rollback:rollback': hook(rollback.run),
    };
  }

  /** The stage, of which the framework makes the names of functions. */
  getStage() {
    return this.options.stage || this.serverless.service.provider.stage || limits.defaultStage;
  }

  /** The region. */
  getRegion() {
    return this.options.region || this.serverless.service.provider.region || limits.defaultRegion;
  }

  // why: only its own errors let the framework end with exit code 1 and the message alone
  async #run(act) {
    try {
      return await act();
    } catch (error) {
      if (error instanceof Fault || error instanceof ApiFault) throw new this.serverless.classes.Error(error.message, error.code);
      throw error;
    }
  }
}

module.exports = TencentScf;
