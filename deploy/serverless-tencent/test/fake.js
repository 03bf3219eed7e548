'use strict';

const { sign } = require('../lib/tc3');

const key = { secretId: 'AKIDtest', secretKey: 'secret', token: '' };

/** A time that passes only by sleeping; sleep gives other work a turn. */
function fakeClock() {
  let now = Date.UTC(2026, 0, 31, 12);
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
      await new Promise(setImmediate);
    },
    random: () => 0.5,
  };
}

class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.apiCode = code;
  }
}

const writes = /^(Create|Update|Delete|Publish|Put|Invoke)/;

/**
 * The SCF API in memory: functions change their state over some calls of GetFunction, as in the cloud. intercept(call) can
 * make a call fail before or after it is carried out.
 */
class FakeScf {
  constructor({ slow = 2 } = {}) {
    Object.assign(this, { functions: new Map(), calls: [], slow, clock: fakeClock(), intercept: () => null, logs: [] });
  }

  get written() {
    return this.calls.filter((c) => writes.test(c.action));
  }

  /** A transport for Client. */
  get transport() {
    return async ({ url, headers, body }) => {
      const action = headers['X-TC-Action'];
      const call = { action, parameters: JSON.parse(body), index: this.calls.length };
      this.calls.push(call);
      const fault = this.intercept(call) || {};
      if (fault.before) throw new Error('cut');
      const response = fault.error ? { Error: fault.error } : this.#answer(call, url, headers, body);
      await new Promise(setImmediate);
      if (fault.after) throw new Error('cut');
      call.refused = !!response.Error;
      const full = JSON.stringify({ Response: { ...response, RequestId: `r-${call.index}` } });
      return { status: 200, headers: { date: new Date(this.clock.now()).toUTCString() }, body: Buffer.from(full) };
    };
  }

  #answer(call, url, headers, body) {
    try {
      this.#authorize(url, headers, body);
      const act = this[call.action];
      if (typeof act !== 'function' || !/^[A-Z]/.test(call.action)) throw new Refused('InvalidAction', `no action ${call.action}`);
      return act.call(this, call.parameters) || {};
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { Error: { Code: error.apiCode, Message: error.message } };
    }
  }

  #authorize(url, headers, body) {
    const time = Number(headers['X-TC-Timestamp']) * 1000;
    if (Math.abs(time - this.clock.now()) > 300000) throw new Refused('AuthFailure.SignatureExpire', 'Signature expired');
    if (!headers.Authorization.includes(`Credential=${key.secretId}/`)) throw new Refused('AuthFailure.SecretIdNotFound', 'no such id');
    const request = { service: 'scf', host: url.host, action: headers['X-TC-Action'], version: '2018-04-16', region: headers['X-TC-Region'], body, time };
    if (sign(request, key).Authorization !== headers.Authorization) throw new Refused('AuthFailure.SignatureFailure', 'wrong signature');
  }

  #get(p) {
    const f = this.functions.get(p.FunctionName);
    if (!f) throw new Refused('ResourceNotFound.Function', `no function ${p.FunctionName}`);
    return f;
  }

  #changeable(p) {
    const f = this.#get(p);
    if (f.state !== 'Active' && !/Failed$/.test(f.state)) throw new Refused('FailedOperation.FunctionStatusError', `is ${f.state}`);
    return f;
  }

  #changing(f, state) {
    f.state = state;
    f.left = this.slow;
  }

  CreateFunction(p) {
    if (this.functions.has(p.FunctionName)) throw new Refused('ResourceInUse.Function', 'is there already');
    if (p.Role === 'missing') throw new Refused('InvalidParameterValue.Role', 'the role does not exist');
    if (!p.Code.ZipFile && !p.Code.CosObjectName) throw new Refused('InvalidParameter', 'no code');
    const f = { aliases: new Map([['$DEFAULT', { FunctionVersion: '$LATEST' }]]), versions: [], triggers: [], failing: p.MemorySize === 3072 };
    Object.assign(f, { config: {}, code: p.Code.ZipFile || p.Code.CosObjectName });
    this.#configure(f, p);
    Object.assign(f.config, { Handler: p.Handler, Runtime: p.Runtime, Tags: p.Tags || [] });
    this.functions.set(p.FunctionName, f);
    this.#changing(f, 'Creating');
  }

  #configure(f, p) {
    for (const k of ['Description', 'MemorySize', 'Timeout', 'Role', 'ClsLogsetId', 'ClsTopicId']) if (p[k] !== undefined) f.config[k] = p[k];
    if (p.Environment) f.config.Environment = { Variables: p.Environment.Variables.filter((v) => v.Key !== '') };
    if (p.VpcConfig) f.config.VpcConfig = p.VpcConfig;
    if (p.Layers) f.config.Layers = p.Layers.filter((l) => l.LayerName !== '');
    if (p.DeadLetterConfig) f.config.DeadLetterConfig = p.DeadLetterConfig;
  }

  GetFunction(p) {
    const f = this.#get(p);
    if (p.Qualifier && p.Qualifier !== '$LATEST') return { FunctionName: p.FunctionName, Status: 'Active' };
    if (f.state !== 'Active' && !/Failed$/.test(f.state) && --f.left < 0) {
      if (f.state === 'Deleting') {
        this.functions.delete(p.FunctionName);
        throw new Refused('ResourceNotFound.Function', 'is gone');
      }
      f.state = f.failing ? `${f.state === 'Creating' ? 'Create' : 'Update'}Failed` : 'Active';
    }
    const reasons = /Failed$/.test(f.state) ? [{ ErrorCode: 'Oops', ErrorMessage: 'the subnet is full' }] : [];
    return { FunctionName: p.FunctionName, Status: f.state, StatusReasons: reasons, ...structuredClone(f.config) };
  }

  ListFunctions(p) {
    const all = [...this.functions].map(([FunctionName, f]) => ({ FunctionName, Status: f.state, Description: f.config.Description }));
    return { Functions: all.slice(p.Offset, p.Offset + p.Limit), TotalCount: all.length };
  }

  DeleteFunction(p) {
    this.#changing(this.#get(p), 'Deleting');
  }

  UpdateFunctionCode(p) {
    const f = this.#changeable(p);
    f.code = p.ZipFile || p.CosObjectName;
    if (p.Handler) f.config.Handler = p.Handler;
    this.#changing(f, 'Updating');
  }

  UpdateFunctionConfiguration(p) {
    const f = this.#changeable(p);
    this.#configure(f, p);
    this.#changing(f, 'Updating');
  }

  PublishVersion(p) {
    const f = this.#changeable(p);
    const Version = String(f.versions.length + 1);
    f.versions.push({ Version, Description: p.Description, Status: 'Active', code: f.code, config: structuredClone(f.config) });
    return { FunctionVersion: Version };
  }

  ListVersionByFunction(p) {
    const all = [{ Version: '$LATEST' }, ...this.#get(p).versions.map(({ Version, Description, Status }) => ({ Version, Description, Status }))];
    return { Versions: all.slice(p.Offset, p.Offset + p.Limit), TotalCount: all.length };
  }

  ListAliases(p) {
    if (typeof p.Offset !== 'string' || typeof p.Limit !== 'string') throw new Refused('InvalidParameter', 'Offset and Limit are texts');
    const all = [...this.#get(p).aliases].map(([Name, a]) => ({ Name, ...a }));
    return { Aliases: all.slice(Number(p.Offset), Number(p.Offset) + Number(p.Limit)), TotalCount: all.length };
  }

  CreateAlias(p) {
    const f = this.#get(p);
    if (f.aliases.has(p.Name)) throw new Refused('ResourceInUse.Alias', 'is there already');
    f.aliases.set(p.Name, { FunctionVersion: p.FunctionVersion, Description: p.Description });
  }

  UpdateAlias(p) {
    const alias = this.#get(p).aliases.get(p.Name);
    if (!alias) throw new Refused('ResourceNotFound.Alias', 'no such alias');
    const { FunctionVersion, RoutingConfig, Description } = p;
    const known = ['$LATEST', ...this.#get(p).versions.map((v) => v.Version)];
    if (!known.includes(FunctionVersion)) throw new Refused('ResourceNotFound.FunctionVersion', `no version ${FunctionVersion}`);
    Object.assign(alias, { FunctionVersion, RoutingConfig, Description: Description ?? alias.Description });
  }

  DeleteAlias(p) {
    if (!this.#get(p).aliases.delete(p.Name)) throw new Refused('ResourceNotFound.Alias', 'no such alias');
  }

  ListTriggers(p) {
    const all = this.#get(p).triggers;
    return { Triggers: structuredClone(all.slice(p.Offset, p.Offset + p.Limit)), TotalCount: all.length };
  }

  #trigger(p) {
    const found = this.#get(p).triggers.find((t) => t.Type === p.Type && t.TriggerName === p.TriggerName);
    if (!found) throw new Refused('ResourceNotFound.Trigger', 'no such trigger');
    return found;
  }

  CreateTrigger(p) {
    const f = this.#get(p);
    if (f.triggers.some((t) => t.Type === p.Type && t.TriggerName === p.TriggerName)) throw new Refused('ResourceInUse.Trigger', 'is there already');
    if (p.TriggerName.endsWith('-missing')) throw new Refused('ResourceNotFound.CkafkaTopic', 'the topic does not exist');
    f.triggers.push({ Type: p.Type, TriggerName: p.TriggerName, Qualifier: p.Qualifier, CustomArgument: p.CustomArgument });
    this.#describe(f.triggers.at(-1), p);
  }

  #describe(trigger, p) {
    trigger.TriggerDesc = p.Type === 'timer' ? JSON.stringify({ cron: p.TriggerDesc }) : p.TriggerDesc;
    trigger.Enable = p.Enable === 'OPEN' ? 1 : 0;
    if (p.CustomArgument !== undefined) trigger.CustomArgument = p.CustomArgument;
  }

  UpdateTrigger(p) {
    const trigger = this.#trigger(p);
    if (p.Type === 'cos') throw new Refused('InvalidParameterValue.Type', 'cos cannot be updated');
    if (p.Type === 'ckafka') {
      const [was, will] = [JSON.parse(trigger.TriggerDesc), JSON.parse(p.TriggerDesc)];
      if (was.offset !== will.offset || was.consumerGroupName !== will.consumerGroupName) throw new Refused('InvalidParameterValue.TriggerDesc', 'cannot change');
    }
    this.#describe(trigger, p);
  }

  UpdateTriggerStatus(p) {
    this.#trigger(p).Enable = p.Enable === 'OPEN' ? 1 : 0;
  }

  DeleteTrigger(p) {
    const trigger = this.#trigger(p);
    const f = this.#get(p);
    f.triggers = f.triggers.filter((t) => t !== trigger);
  }

  GetFunctionEventInvokeConfig(p) {
    return { AsyncTriggerConfig: this.#get(p).async || { RetryConfig: [{ RetryNum: 2 }], MsgTTL: 21600 } };
  }

  UpdateFunctionEventInvokeConfig(p) {
    this.#get(p).async = p.AsyncTriggerConfig;
  }

  GetReservedConcurrencyConfig(p) {
    return { ReservedMem: this.#get(p).reserved || 0 };
  }

  PutReservedConcurrencyConfig(p) {
    this.#get(p).reserved = p.ReservedConcurrencyMem;
  }

  DeleteReservedConcurrencyConfig(p) {
    this.#get(p).reserved = 0;
  }

  GetProvisionedConcurrencyConfig(p) {
    return { Allocated: this.#get(p).provisioned || [] };
  }

  PutProvisionedConcurrencyConfig(p) {
    const f = this.#get(p);
    f.provisioned = (f.provisioned || []).filter((a) => a.Qualifier !== p.Qualifier);
    f.provisioned.push({ Qualifier: p.Qualifier, AllocatedProvisionedConcurrencyNum: p.VersionProvisionedConcurrencyNum });
  }

  DeleteProvisionedConcurrencyConfig(p) {
    const f = this.#get(p);
    f.provisioned = (f.provisioned || []).filter((a) => a.Qualifier !== p.Qualifier);
  }

  GetFunctionLogs(p) {
    const of = (l) => l.FunctionName === p.FunctionName && (!p.Qualifier || l.Version === p.Qualifier);
    const all = this.logs.filter((l) => of(l) && l.StartTime >= p.StartTime && l.StartTime <= p.EndTime);
    return { Data: all.slice(p.Offset, p.Offset + p.Limit), TotalCount: all.length };
  }

  Invoke(p) {
    const failed = p.ClientContext.includes('fail');
    const result = { FunctionRequestId: 'q', RetMsg: p.ClientContext, ErrMsg: failed ? 'failed' : '', InvokeResult: failed ? 1 : 0, Log: 'logged', Duration: 3, MemUsage: 1 << 20 };
    return { Result: result };
  }

  /** Another one with the same state. */
  copy() {
    const other = new FakeScf({ slow: this.slow });
    other.functions = structuredClone(this.functions);
    return other;
  }

  /** All that the API has, to compare. */
  state() {
    const plain = (f) => ({
      state: f.state, code: f.code, config: f.config, triggers: f.triggers,
      aliases: Object.fromEntries(f.aliases), async: f.async, reserved: f.reserved, provisioned: f.provisioned,
    });
    return structuredClone(Object.fromEntries([...this.functions].map(([name, f]) => [name, plain(f)])));
  }
}

module.exports = { FakeScf, Refused, fakeClock, key };
