'use strict';

// A provider that accepts everything: it lets `serverless print` run on a fixture and changes nothing in it.
module.exports = class Tencent {
  static getProviderName() {
    return 'tencent';
  }
  constructor(serverless) {
    this.serverless = serverless;
    serverless.setProvider('tencent', this);
    const anything = { type: 'object', properties: {}, additionalProperties: true };
    serverless.configSchemaHandler.defineProvider('tencent', { provider: anything, function: anything });
    for (const event of ['ckafka', 'timer', 'cos', 'http']) {
      serverless.configSchemaHandler.defineFunctionEvent('tencent', event, anything);
    }
  }
  getStage() {
    return this.serverless.processedInput.options.stage || this.serverless.service.provider.stage || 'dev';
  }
};
