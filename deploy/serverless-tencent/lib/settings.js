'use strict';

const { Fault } = require('./fault');

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Where the API is and who calls it, from the environment: TENCENTCLOUD_SECRET_ID, _SECRET_KEY and _TOKEN, and for the
 * local platform TENCENTCLOUD_SCF_ENDPOINT and TENCENTCLOUD_COS_ENDPOINT.
 *
 * @param {Record<string, string|undefined>} env
 * @returns {{endpoint: URL, cosEndpoint: URL|null, credentials: {secretId: string, secretKey: string, token: string}}}
 * @throws {Fault} that names the variable that is missing or wrong
 */
function fromEnvironment(env) {
  const credentials = {
    secretId: env.TENCENTCLOUD_SECRET_ID || '',
    secretKey: env.TENCENTCLOUD_SECRET_KEY || '',
    token: env.TENCENTCLOUD_TOKEN || '',
  };
  const missing = [
    ['TENCENTCLOUD_SECRET_ID', credentials.secretId],
    ['TENCENTCLOUD_SECRET_KEY', credentials.secretKey],
  ].filter(([, value]) => !value);
  if (missing.length > 0) {
    throw new Fault(`set ${missing.map(([name]) => name).join(' and ')}: the key of the account to deploy to`);
  }
  return {
    endpoint: endpoint(env, 'TENCENTCLOUD_SCF_ENDPOINT') || new URL('https://scf.tencentcloudapi.com'),
    cosEndpoint: endpoint(env, 'TENCENTCLOUD_COS_ENDPOINT'),
    credentials,
  };
}

function endpoint(env, name) {
  const text = env[name];
  if (!text) return null;
  let url;
  try {
    url = new URL(text.includes('://') ? text : `https://${text}`);
  } catch {
    throw new Fault(`${name} is no address: ${text}`);
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback.has(url.hostname))) {
    throw new Fault(`${name}: ${text} must begin with https://; http:// is for this machine alone`);
  }
  return url;
}

module.exports = { fromEnvironment };
