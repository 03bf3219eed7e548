'use strict';

const { readFunction } = require('./actual');
const body = require('./body');
const { settingsDigest } = require('./desired');
const { each } = require('./each');
const { Fault, missing } = require('./fault');
const { attach, detach } = require('./mark');
const { compareSettings } = require('./plan');
const { describe } = require('./render');
const wait = require('./wait');

const atOnce = 3;
const triggerKinds = new Set(['create-trigger', 'update-trigger', 'switch-trigger', 'replace-trigger', 'delete-trigger']);

/**
 * Carries out plans, step by step, and knows what was done.
 */
class Apply {
  /**
   * @param {object} run
   * @param {import('./client').Client} run.client
   * @param {{namespace: string, owner: string}} run.service
   * @param {(want: import('./desired').Wanted) => Promise<{code: object, dispose: () => Promise<void>}>} run.code gives the
   *   parameters that name the package: ZipFile, or an object in COS that dispose removes
   * @param {import('./lock').Lock} [run.lock]
   * @param {(text: string) => void} [run.say] tells of progress
   */
  constructor({ client, service, code, lock, say = () => {} }) {
    Object.assign(this, { client, service, code, lock, say, done: [], begun: [], left: [], versions: new Map() });
  }

  /**
   * @param {import('./plan').Step[]} steps in the order of the plan
   * @throws {Fault} the first failure; done, begun and left then say what came of the steps
   */
  async all(steps) {
    this.left.push(...steps);
    for (const phase of phases(steps, this.lock?.at?.function)) {
      const groups = Object.values(groupBy(phase));
      await each(groups, atOnce, async (group) => {
        for (const step of group) await this.step(step);
      });
    }
  }

  /** @param {import('./plan').Step} step */
  async step(step) {
    await this.lock?.touch();
    this.left = this.left.filter((s) => s !== step);
    this.begun.push(step);
    this.say(describe(step));
    await this.#act(step);
    this.begun = this.begun.filter((s) => s !== step);
    this.done.push(step);
  }

  /**
   * A failure with what was done and what was not.
   *
   * @param {Error} error
   * @returns {Fault}
   */
  report(error) {
    const lines = [error.message];
    const add = (title, steps) => steps.forEach((s, i) => lines.push(`  ${i === 0 ? title.padEnd(12) : ' '.repeat(12)}${describe(s)}`));
    add('done:', this.done);
    add('not known:', this.begun);
    add('not done:', this.left);
    lines.push('Mend what the first line says and deploy again: it goes on from what is there.');
    return new Fault(lines.join('\n'), error.code || 'DEPLOY_FAILED');
  }

  #id(step) {
    return { FunctionName: step.function, Namespace: this.service.namespace };
  }

  #active(step) {
    return wait.active(this.client, this.#id(step), { touch: () => this.lock?.touch() });
  }

  async #act(step) {
    if (triggerKinds.has(step.kind)) return this.#trigger(step);
    switch (step.kind) {
      case 'recreate':
        await this.#delete(step);
        return this.#create(step);
      case 'create':
        return this.#create(step);
      case 'code':
        return this.#code(step);
      case 'settings':
        return this.#settings(step);
      case 'publish':
        return this.#publish(step);
      case 'route':
        return this.#route(step);
      case 'async':
        return this.#async(step);
      case 'reserved':
        return this.#reserved(step);
      case 'provisioned':
        return this.#provisioned(step);
      case 'delete':
        return this.#delete(step);
      default:
        throw new Error(`there is no step ${step.kind}`);
    }
  }

  async #create(step) {
    const { wanted } = step;
    const { code, dispose } = await this.code(wanted);
    const mark = { owner: this.service.owner, code: wanted.code.code };
    const tags = Object.entries(wanted.tags).map(([Key, Value]) => ({ Key, Value }));
    const request = {
      ...this.#id(step),
      Code: code,
      Handler: wanted.settings.handler,
      Runtime: wanted.settings.runtime,
      Type: 'Event',
      Description: attach(wanted.settings.description, mark),
      ...body.settings(wanted.settings, null),
      ...(tags.length > 0 ? { Tags: tags } : {}),
    };
    const happened = async () => {
      const f = await readFunction(this.client, this.service.namespace, step.function);
      return f?.mark?.owner === mark.owner && f.mark.code === mark.code;
    };
    try {
      await this.client.write('CreateFunction', request, happened);
    } catch (fault) {
      if (!/^ResourceInUse/.test(fault.apiCode || '')) throw fault;
      throw new Fault(`${fault.message}: somebody has made ${step.function} at the same moment, likely another deployment`, 'LOCKED');
    }
    await this.#active(step);
    await dispose();
  }

  // why three calls: while the code is being changed the description names none, so that a deployment that breaks off
  // there leaves no function that claims to have code which it does not have
  async #code(step) {
    const { wanted } = step;
    const now = await this.#active(step);
    const { text, mark } = detach(now.Description);
    if (mark?.code) {
      const Description = attach(text, { owner: mark.owner });
      await this.client.write('UpdateFunctionConfiguration', { ...this.#id(step), Description }, () => this.#settled(step));
      await this.#active(step);
    }
    const { code, dispose } = await this.code(wanted);
    const request = { ...this.#id(step), Handler: wanted.settings.handler, ...code };
    await this.client.write('UpdateFunctionCode', request, () => this.#settled(step));
    await this.#active(step);
    await dispose();
  }

  async #settings(step) {
    const { wanted, actual } = step;
    await this.#active(step);
    const mark = { owner: this.service.owner, code: wanted.code.code };
    const Description = attach(wanted.settings.description, mark);
    const request = { ...this.#id(step), Description, ...body.settings(wanted.settings, actual.settings) };
    await this.client.write('UpdateFunctionConfiguration', request, async () => {
      await this.#active(step);
      const now = await readFunction(this.client, this.service.namespace, step.function);
      return now?.mark?.code === mark.code && compareSettings(wanted.settings, now.settings).length === 0;
    });
    await this.#active(step);
  }

  // What can be sent once more without harm, when the function is no longer changing.
  async #settled(step) {
    await this.#active(step);
    return false;
  }

  /** Publishes what $LATEST has: the wanted state, or the former one (step.former) before it is changed. */
  async #publish(step) {
    const { wanted, former } = step;
    await this.#active(step);
    const settings = former ? former.settings : wanted.settings;
    const code = former ? former.mark?.code || '' : wanted.code.code;
    const mark = { owner: this.service.owner, code, settings: settingsDigest(settings) };
    const Description = attach(settings.description, mark);
    const newest = async () => {
      const f = await readFunction(this.client, this.service.namespace, step.function);
      const same = f.versions.filter((v) => v.ready && v.mark?.settings === mark.settings && v.mark.code === mark.code);
      return same.map((v) => v.version).sort((a, b) => Number(b) - Number(a))[0];
    };
    const before = await newest();
    const request = { ...this.#id(step), Description };
    const answer = await this.client.write('PublishVersion', request, async () => (await newest()) !== before);
    const version = answer.FunctionVersion || (await newest());
    if (!version) throw new Fault(`${step.function}: the platform has published a version and does not list it`);
    const id = { ...this.#id(step), Qualifier: version };
    await wait.active(this.client, id, { touch: () => this.lock?.touch() });
    this.versions.set(`${step.function} ${former ? 'former' : 'published'}`, version);
  }

  /** A version, or what a name stands for since this run has published it. */
  version(name, word) {
    if (word !== 'published' && word !== 'former') return word;
    const version = this.versions.get(`${name} ${word}`);
    if (!version) throw new Error(`${name} has no ${word} version`);
    return version;
  }

  async #route(step) {
    const version = this.version(step.function, step.to.version);
    const { canary } = step.to;
    const weights = canary ? [{ Version: this.version(step.function, canary.version), Weight: canary.weight }] : [];
    await this.route(step.function, version, weights);
  }

  /**
   * Points $DEFAULT to a version, and for a share of the invocations to another one.
   *
   * @param {string} name of the function
   * @param {string} version
   * @param {{Version: string, Weight: number}[]} [weights] weight from 0 to 1
   */
  async route(name, version, weights = []) {
    const request = { FunctionName: name, Namespace: this.service.namespace, Name: '$DEFAULT', FunctionVersion: version };
    await this.client.write('UpdateAlias', { ...request, RoutingConfig: { AdditionalVersionWeights: weights } });
  }

  #async(step) {
    const { retry, messageLifetime } = step.wanted.async;
    const config = { RetryConfig: [{ RetryNum: retry }], MsgTTL: messageLifetime };
    return this.client.write('UpdateFunctionEventInvokeConfig', { ...this.#id(step), AsyncTriggerConfig: config });
  }

  #reserved(step) {
    const { reserved } = step.wanted;
    if (reserved === 0) return this.client.write('DeleteReservedConcurrencyConfig', this.#id(step));
    return this.client.write('PutReservedConcurrencyConfig', { ...this.#id(step), ReservedConcurrencyMem: reserved });
  }

  #provisioned(step) {
    const id = { ...this.#id(step), Qualifier: this.version(step.function, step.to.version) };
    if (step.to.instances === 0) return this.client.write('DeleteProvisionedConcurrencyConfig', id);
    return this.client.write('PutProvisionedConcurrencyConfig', {
      ...id,
      VersionProvisionedConcurrencyNum: step.wanted.provisioned,
    });
  }

  async #delete(step) {
    try {
      await this.client.write('DeleteFunction', this.#id(step));
    } catch (fault) {
      if (!missing(fault)) throw fault;
    }
    if (this.lock?.at?.function === step.function) this.lock.forget();
    await wait.gone(this.client, this.#id(step), { touch: () => this.lock?.touch() });
  }

  async #trigger(step) {
    const { trigger: t, former } = step;
    switch (step.kind) {
      case 'delete-trigger':
        return this.#deleteTrigger(step, t);
      case 'replace-trigger':
        await this.#deleteTrigger(step, former);
        return this.#createTrigger(step);
      case 'create-trigger':
        return this.#createTrigger(step);
      case 'switch-trigger': {
        const { Enable, TriggerName, Type, Qualifier, TriggerDesc } = body.trigger(t);
        const request = { ...this.#id(step), Enable, TriggerName, Type, Qualifier };
        if (t.type === 'http') return this.client.write('UpdateTrigger', { ...this.#id(step), ...body.trigger(t) });
        return this.client.write('UpdateTriggerStatus', t.type === 'cos' ? { ...request, TriggerDesc } : request);
      }
      default:
        return this.client.write('UpdateTrigger', { ...this.#id(step), ...body.trigger(t) });
    }
  }

  #createTrigger(step) {
    const { trigger: t } = step;
    const happened = async () => {
      const f = await readFunction(this.client, this.service.namespace, step.function);
      return !!f && f.triggers.some((other) => other.type === t.type && other.name === t.name);
    };
    return this.client.write('CreateTrigger', { ...this.#id(step), ...body.trigger(t) }, happened);
  }

  async #deleteTrigger(step, t) {
    const { TriggerName, Type, Qualifier } = body.trigger(t);
    const request = { ...this.#id(step), TriggerName, Type, Qualifier };
    if (t.desc) request.TriggerDesc = t.desc;
    try {
      await this.client.write('DeleteTrigger', request);
    } catch (fault) {
      if (!missing(fault)) throw fault;
    }
  }
}

const phaseOf = (step, leader) => {
  if (step.kind === 'delete') return step.function === leader ? 4 : 3; // why last: it bears the lock
  if (step.kind === 'delete-trigger') return 1;
  return triggerKinds.has(step.kind) ? 2 : 0;
};

function phases(steps, leader) {
  const all = [[], [], [], [], []];
  for (const step of steps) all[phaseOf(step, leader)].push(step);
  return all.filter((phase) => phase.length > 0);
}

function groupBy(steps) {
  const groups = {};
  for (const step of steps) (groups[step.function] ??= []).push(step);
  return groups;
}

module.exports = { Apply };
