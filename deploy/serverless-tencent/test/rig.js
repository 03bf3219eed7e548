'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Client } = require('../lib/client');
const { digest } = require('../lib/code');
const { deploy } = require('../lib/deploy');
const { desired } = require('../lib/desired');
const zip = require('../lib/zip');
const { key } = require('./fake');

/** Retries as in the product, only fewer. */
const pace = { attempts: 4, first: 500, most: 10000 };

/** A service with three functions and triggers of all kinds. */
function service(change = () => {}) {
  const s = {
    service: 'etl',
    provider: { name: 'tencent', stage: 'dev', region: 'ap-guangzhou', memorySize: 128, timeout: 60, environment: { ALL: 'yes' } },
    functions: {
      dump: {
        handler: 'main', description: 'Copies a topic', environment: { TARGET_SASL_PASSWORD: 'hunter2', AB: '1' },
        vpcConfig: { vpcId: 'vpc-1', subnetId: 'subnet-1' },
        events: [{ ckafka: { instanceId: 'ckafka-1', topic: 'orders', consumerGroupName: 'etl-dump', offset: 'earliest', maxMsgNum: 1000, timeOut: 1, retry: 10 } }],
      },
      tick: { handler: 'main', events: [{ timer: { name: 'hourly', cron: '0 0 * * * * *', argument: 'x' } }, { http: {} }] },
      watch: { handler: 'main', events: [{ cos: { bucket: 'b-1.cos.ap-guangzhou.myqcloud.com', events: 'cos:ObjectCreated:*', prefix: 'in/' } }] },
    },
  };
  change(s);
  return s;
}

/** What a service wants, with a package for each function: its content is code, or 'v1'. */
function wanted(s, code = {}) {
  const all = desired(s, {});
  for (const f of all.functions) {
    const files = [{ name: 'main', data: Buffer.from(code[f.key] || 'v1'), mode: 0o755 }];
    f.code = { file: '', size: 10, code: digest(files), zip: zip.pack(files).toString('base64') };
  }
  return all;
}

/** A client of a fake. */
const client = (fake, more = {}) =>
  new Client({ endpoint: new URL('https://scf.test'), region: 'ap-guangzhou', credentials: key, transport: fake.transport, clock: fake.clock, pace, ...more });

/** Deploys to a fake. */
const run = (fake, want, options = {}, more = {}) =>
  deploy({
    client: client(fake), wanted: want, options: { lockTimeout: 1000, ...options },
    code: async (f) => ({ code: { ZipFile: f.code.zip }, dispose: async () => {} }), ...more,
  });

/** A folder that is removed when the test ends. */
function folder(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sls-tencent-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A key pair of minisign with this id, and what it signs, in its text forms. */
function signer(id) {
  const { privateKey, publicKey } = crypto.generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const idBytes = Buffer.alloc(8, id);
  const line = Buffer.concat([Buffer.from('Ed'), idBytes, raw]).toString('base64');
  const sign = (file, comment, algorithm = 'ED') => {
    const message = algorithm === 'ED' ? crypto.createHash('blake2b512').update(file).digest() : file;
    const signature = crypto.sign(null, message, privateKey);
    const global = crypto.sign(null, Buffer.concat([signature, Buffer.from(comment)]), privateKey);
    const first = Buffer.concat([Buffer.from(algorithm), idBytes, signature]).toString('base64');
    return `untrusted comment: c\n${first}\ntrusted comment: ${comment}\n${global.toString('base64')}\n`;
  };
  return { line, file: `untrusted comment: minisign public key\n${line}\n`, sign };
}

module.exports = { client, folder, pace, run, service, signer, wanted };
