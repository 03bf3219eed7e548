'use strict';

const crypto = require('node:crypto');

const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest();

/**
 * The headers of a request to a Tencent API, version 3 signature (TC3-HMAC-SHA256): over the method, the path /, the
 * headers content-type and host, and the body; the date is that of UTC.
 *
 * @param {object} request
 * @param {string} request.service of the host name, like scf
 * @param {string} request.host with the port, where it is not the scheme's own
 * @param {string} request.action
 * @param {string} request.version of the API
 * @param {string} request.region
 * @param {string} request.body JSON
 * @param {number} request.time milliseconds since 1970
 * @param {{secretId: string, secretKey: string, token?: string}} credentials
 * @returns {Record<string, string>}
 */
function sign(request, credentials) {
  const { service, host, action, version, region, body } = request;
  const timestamp = String(Math.floor(request.time / 1000));
  const date = new Date(Number(timestamp) * 1000).toISOString().slice(0, 10);
  const type = 'application/json; charset=utf-8';
  const signed = 'content-type;host';
  const canonical = ['POST', '/', '', `content-type:${type}\nhost:${host}\n`, signed, sha256(body)].join('\n');
  const scope = `${date}/${service}/tc3_request`;
  const text = ['TC3-HMAC-SHA256', timestamp, scope, sha256(canonical)].join('\n');
  const key = hmac(hmac(hmac(`TC3${credentials.secretKey}`, date), service), 'tc3_request');
  const signature = hmac(key, text).toString('hex');
  const headers = {
    Host: host,
    'Content-Type': type,
    'X-TC-Action': action,
    'X-TC-Version': version,
    'X-TC-Region': region,
    'X-TC-Timestamp': timestamp,
    Authorization:
      `TC3-HMAC-SHA256 Credential=${credentials.secretId}/${scope}, ` +
      `SignedHeaders=${signed}, Signature=${signature}`,
  };
  if (credentials.token) headers['X-TC-Token'] = credentials.token;
  return headers;
}

module.exports = { sign };
