'use strict';

const crypto = require('node:crypto');
const { each } = require('./each');
const { list } = require('./actual');
const { Fault, missing } = require('./fault');

const prefix = 'sls-lock-';
const generation = (alias) => Number(alias.name.slice(prefix.length));

/**
 * A lock on a service, so that two deployments do not interleave. It needs nothing but the API: an alias sls-lock-N at one
 * of the service's functions, which can be created once only. Its holder changes the description every few seconds; one
 * whose description stays the same for the whole time-out belongs to a deployment that is dead, and the next one creates
 * sls-lock-N+1, which again only one can.
 *
 * Aliases at all functions of the service are looked at before and after it is created: so two that lock at different
 * functions see each other, and at least one of them gives up.
 */
class Lock {
  /**
   * @param {import('./client').Client} client
   * @param {string} namespace
   * @param {{timeout?: number, id?: string}} [options] timeout in milliseconds
   */
  constructor(client, namespace, { timeout = 30000, id = crypto.randomBytes(6).toString('hex') } = {}) {
    Object.assign(this, { client, namespace, timeout, id, beats: 0, at: null, beating: null, lost: false });
  }

  /**
   * Takes the lock.
   *
   * @param {() => Promise<string[]>} functions gives the names of those that the service has
   * @param {(text: string) => void} [say] tells that somebody else's lock is watched
   * @throws {Fault} where another deployment is alive
   */
  async acquire(functions, say = () => {}) {
    const names = await functions();
    const held = await this.#held(names);
    if (held.length > 0) await this.#watch(names, held, say);
    const next = Math.max(0, ...held.map(generation)) + 1;
    const [leader] = [...names].sort();
    const name = `${prefix}${next}`;
    const mine = async () => (await this.#held([leader])).some((a) => a.name === name && a.description.includes(this.id));
    try {
      const alias = { Name: name, FunctionVersion: '$LATEST', Description: this.#text() };
      await this.client.write('CreateAlias', { ...this.#id(leader), ...alias }, mine);
    } catch (fault) {
      if (/^ResourceInUse/.test(fault.apiCode || '')) throw this.#busy(leader);
      throw fault;
    }
    this.at = { function: leader, name, beat: this.client.clock.now() };
    const now = (await this.#held([...new Set([...names, ...(await functions())])])).filter((a) => a.name !== name || a.at !== leader);
    const known = (a) => held.some((h) => h.at === a.at && h.name === a.name && h.description === a.description);
    const other = now.find((a) => !known(a));
    if (other) {
      await this.release();
      throw this.#busy(other.at);
    }
    await each(now, 3, (a) => this.#drop(a.at, a.name));
  }

  /** Says that its holder is alive, where that was not said for a while. Call it often. */
  async touch() {
    if (this.lost) throw this.#taken();
    if (!this.at || this.client.clock.now() - this.at.beat < this.timeout / 4) return;
    this.at.beat = this.client.clock.now();
    this.beating = this.#beat(this.at);
    await this.beating;
  }

  async #beat(at) {
    try {
      const alias = { Name: at.name, FunctionVersion: '$LATEST', Description: this.#text() };
      await this.client.write('UpdateAlias', { ...this.#id(at.function), ...alias });
    } catch (fault) {
      if (!missing(fault)) throw fault;
      this.lost = true;
      throw this.#taken();
    }
  }

  /** Gives it back. */
  async release() {
    const { at } = this;
    this.at = null;
    // why: a beat that is repeated after the end would make a dead deployment seem alive
    await this.beating?.catch(() => {});
    if (at) await this.#drop(at.function, at.name);
  }

  /** The function that bears it was deleted, and it with that function. */
  forget() {
    this.at = null;
  }

  #id(name) {
    return { FunctionName: name, Namespace: this.namespace };
  }

  #text() {
    return `deployment ${this.id} beat ${++this.beats}`;
  }

  #busy(at) {
    return new Fault(`another deployment of this service is under way: it holds a lock at ${at}. Wait until it has ended`, 'LOCKED');
  }

  #taken() {
    return new Fault('another deployment has taken the lock, because this one seemed to be dead: nothing more is done here', 'LOCKED');
  }

  async #drop(name, alias) {
    try {
      await this.client.write('DeleteAlias', { ...this.#id(name), Name: alias });
    } catch (fault) {
      if (!missing(fault)) throw fault;
    }
  }

  async #held(names) {
    const found = await each(names, 4, async (name) => {
      try {
        const aliases = await list(this.client, 'ListAliases', this.#id(name), 'Aliases');
        return aliases.map((a) => ({ at: name, name: a.Name, description: a.Description || '' }));
      } catch (fault) {
        if (missing(fault)) return [];
        throw fault;
      }
    });
    return found.flat().filter((a) => a.name.startsWith(prefix));
  }

  async #watch(names, held, say) {
    const seconds = Math.round(this.timeout / 1000);
    say(`A lock of another deployment is at ${held[0].at}: it is taken over if nothing is heard of that one for ${seconds} s`);
    const text = (all) => all.map((a) => `${a.at} ${a.name} ${a.description}`).sort().join('\n');
    const first = text(held);
    for (const end = this.client.clock.now() + this.timeout; this.client.clock.now() < end; ) {
      await this.client.clock.sleep(Math.min(this.timeout / 5, 2000));
      if (text(await this.#held(names)) !== first) throw this.#busy(held[0].at);
    }
  }
}

module.exports = { Lock, prefix };
