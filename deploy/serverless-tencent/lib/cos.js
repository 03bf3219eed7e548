'use strict';

const crypto = require('node:crypto');
const { apiPace, delay } = require('./backoff');
const { machineClock } = require('./clock');
const { each } = require('./each');
const { Fault } = require('./fault');
const { send } = require('./transport');

const sha1 = (data) => crypto.createHash('sha1').update(data).digest('hex');
const hmac = (key, data) => crypto.createHmac('sha1', key).update(data).digest('hex');
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * The Authorization header of a request to COS (436/7778): over the method, the path, the parameters and the host, for
 * fifteen minutes.
 *
 * @param {{method: string, path: string, query: Record<string, string>, host: string, time: number}} request
 *   path decoded, time in milliseconds since 1970
 * @param {{secretId: string, secretKey: string}} credentials
 * @returns {string}
 */
function authorization({ method, path, query, host, time }, credentials) {
  const second = Math.floor(time / 1000);
  const span = `${second - 60};${second + 900}`;
  const names = Object.keys(query).map((k) => encode(k).toLowerCase()).sort();
  const values = Object.fromEntries(Object.entries(query).map(([k, v]) => [encode(k).toLowerCase(), encode(v)]));
  const parameters = names.map((k) => `${k}=${values[k]}`).join('&');
  const canonical = `${method.toLowerCase()}\n${path}\n${parameters}\nhost=${encode(host)}\n`;
  const signature = hmac(hmac(credentials.secretKey, span), `sha1\n${span}\n${sha1(canonical)}\n`);
  return `q-sign-algorithm=sha1&q-ak=${credentials.secretId}&q-sign-time=${span}&q-key-time=${span}` +
    `&q-header-list=host&q-url-param-list=${names.join(';')}&q-signature=${signature}`;
}

/** The size of a part of an upload, in bytes. */
const partSize = 4 << 20;

/**
 * A bucket of COS, as far as a deployment needs it: packages go up in parts, and are removed.
 */
class Bucket {
  /**
   * @param {object} options
   * @param {string} options.name NAME-APPID
   * @param {string} options.region
   * @param {{secretId: string, secretKey: string, token?: string}} options.credentials
   * @param {URL|null} [options.endpoint] of a local server, which gets the host name of the real one
   * @param {typeof send} [options.transport]
   * @param {import('./clock').Clock} [options.clock]
   * @param {import('./backoff').Pace} [options.pace]
   */
  constructor({ name, region, credentials, endpoint = null, transport = send, clock = machineClock(), pace = apiPace }) {
    Object.assign(this, { name, credentials, endpoint, transport, clock, pace });
    this.host = `${name}.cos.${region}.myqcloud.com`;
  }

  /**
   * Uploads an object, in parts where it is large. An upload that fails leaves no parts behind, as far as the bucket can
   * be reached.
   *
   * @param {string} key without a leading /
   * @param {Buffer} data
   * @param {(done: number) => void} [progress] is told the bytes that have arrived
   * @throws {Fault}
   */
  async put(key, data, progress = () => {}) {
    if (data.length <= partSize) {
      await this.#call('PUT', key, {}, data);
      return progress(data.length);
    }
    const begun = await this.#call('POST', key, { uploads: '' });
    const uploadId = element(begun.body, 'UploadId');
    if (!uploadId) throw new Fault(`COS has begun an upload to ${this.name}/${key} without an id`);
    try {
      let done = 0;
      const numbers = Array.from({ length: Math.ceil(data.length / partSize) }, (_, i) => i + 1);
      const tags = await each(numbers, 3, async (n) => {
        const part = data.subarray((n - 1) * partSize, n * partSize);
        const answer = await this.#call('PUT', key, { partNumber: String(n), uploadId }, part);
        progress((done += part.length));
        return answer.headers.etag;
      });
      const parts = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`).join('');
      const answer = await this.#call('POST', key, { uploadId },
        Buffer.from(`<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`));
      // why: COS can answer 200 and say in the body that it has failed
      if (element(answer.body, 'Code')) throw new Fault(`COS: ${element(answer.body, 'Code')}: ${element(answer.body, 'Message')}`);
    } catch (error) {
      await this.#call('DELETE', key, { uploadId }).catch(() => {}); // why ignored: the first error is to be told
      throw error;
    }
  }

  /** @param {string} key of the object to remove; one that is not there is no error */
  async remove(key) {
    await this.#call('DELETE', key, {}, undefined, [404]);
  }

  /**
   * @param {string} prefix of keys
   * @returns {Promise<string[]>} all keys
   */
  async list(prefix) {
    const keys = [];
    for (let marker = ''; ; ) {
      const { body } = await this.#call('GET', '', { prefix, marker, 'encoding-type': 'url' });
      const text = body.toString();
      for (const [, key] of text.matchAll(/<Key>([^<]*)<\/Key>/g)) keys.push(decodeURIComponent(key.replace(/\+/g, '%20')));
      if (element(body, 'IsTruncated') !== 'true' || keys.length === 0) return keys;
      marker = keys[keys.length - 1];
    }
  }

  async #call(method, key, query, body, fine = []) {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#once(method, key, query, body).catch((error) => ({ status: 0, error }));
      if ((answer.status >= 200 && answer.status < 300) || fine.includes(answer.status)) return answer;
      const again = answer.status === 0 || answer.status >= 500 || answer.status === 429;
      if (!again || attempt >= this.pace.attempts) throw this.#fault(method, key, answer);
      await this.clock.sleep(delay(attempt, this.pace, this.clock.random));
    }
  }

  #once(method, key, query, body = Buffer.alloc(0)) {
    const path = `/${key}`;
    const host = this.host;
    const headers = { Host: host };
    headers.Authorization = authorization({ method, path, query, host, time: this.clock.now() }, this.credentials);
    if (this.credentials.token) headers['x-cos-security-token'] = this.credentials.token;
    const search = Object.entries(query).map(([k, v]) => (v === '' ? encode(k) : `${encode(k)}=${encode(v)}`)).join('&');
    const url = new URL(this.endpoint || `https://${host}`);
    url.pathname = path.split('/').map(encode).join('/');
    url.search = search;
    return this.transport({ url, method, headers, body });
  }

  #fault(method, key, answer) {
    const where = `${method} ${this.name}/${key}`;
    if (answer.status === 0) return new Fault(`COS: ${where}: ${answer.error.message}: the bucket was not reached`);
    const code = element(answer.body, 'Code') || `status ${answer.status}`;
    const hint = {
      NoSuchBucket: 'make the bucket of provider.deploymentBucket in the region of the functions',
      AccessDenied: 'give the key the right to write to the bucket of provider.deploymentBucket',
      SignatureDoesNotMatch: 'TENCENTCLOUD_SECRET_KEY does not belong to TENCENTCLOUD_SECRET_ID',
      RequestTimeTooSkewed: 'the clock of this machine is wrong',
    }[code];
    return new Fault(`COS: ${where}: ${code}: ${element(answer.body, 'Message')}${hint ? `; ${hint}` : ''}`);
  }
}

function element(body, name) {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(body ? body.toString() : '');
  return found ? found[1] : '';
}

module.exports = { Bucket, authorization, partSize };
