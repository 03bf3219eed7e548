'use strict';

const fs = require('node:fs');
const { Fault } = require('./fault');
const limits = require('./limits');

const megabytes = (bytes) => `${(bytes / (1 << 20)).toFixed(1)} MB`;

/**
 * The folder of a service in the bucket.
 *
 * @param {{service: string, stage: string}} wanted
 * @returns {string}
 */
const folder = (wanted) => `sls/${wanted.service}/${wanted.stage}/`;

/**
 * How packages reach the platform: in the call itself, or through COS where they are too large for it.
 *
 * @param {object} run
 * @param {{service: string, stage: string, region: string, bucket: string}} run.wanted
 * @param {import('./cos').Bucket|null} run.bucket
 * @param {(text: string) => void} run.say
 * @returns {(want: import('./desired').Wanted) => Promise<{code: object, dispose: () => Promise<void>}>}
 */
function packages({ wanted, bucket, say }) {
  return async (want) => {
    const data = fs.readFileSync(want.code.file);
    if (data.length <= limits.maxInlineZip) {
      return { code: { ZipFile: data.toString('base64') }, dispose: async () => {} };
    }
    const key = `${folder(wanted)}${want.name}/${want.code.code}.zip`;
    await bucket.put(key, data, (done) => say(`upload ${want.key}: ${megabytes(done)} of ${megabytes(data.length)}`));
    const code = { CosBucketName: wanted.bucket.replace(/-\d+$/, ''), CosObjectName: `/${key}` };
    if (wanted.region.startsWith('ap-beijing')) code.CosBucketRegion = wanted.region;
    return { code, dispose: () => bucket.remove(key) };
  };
}

/**
 * Refuses packages that have no way to the platform, before anything is called.
 *
 * @param {{bucket: string, functions: import('./desired').Wanted[]}} wanted with the packages made
 * @throws {Fault}
 */
function check(wanted) {
  const large = wanted.functions.filter((f) => f.code && f.code.size > limits.maxInlineZip);
  if (large.length === 0 || wanted.bucket) return;
  const list = large.map((f) => `functions.${f.key}: ${megabytes(f.code.size)}`).join(', ');
  throw new Fault(`packages above ${megabytes(limits.maxInlineZip)} go through COS: name a bucket in provider.deploymentBucket (${list})`);
}

module.exports = { check, folder, packages };
