'use strict';

const http = require('node:http');
const https = require('node:https');

/**
 * One request over HTTP. It fails with an Error where there is no whole answer; any status is an answer.
 *
 * @param {{url: URL, method?: string, headers: Record<string, string>, body?: Buffer|string, timeout?: number}} request
 *   timeout in milliseconds without a byte in either direction
 * @returns {Promise<{status: number, headers: Record<string, string>, body: Buffer}>}
 */
function send({ url, method = 'POST', headers, body = '', timeout = 60000 }) {
  return new Promise((resolve, reject) => {
    const client = url.protocol === 'http:' ? http : https;
    const length = String(Buffer.byteLength(body));
    const request = client.request(url, { method, headers: { ...headers, 'Content-Length': length } }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        if (!response.complete) return reject(new Error('the answer broke off'));
        return resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) });
      });
    });
    request.on('error', reject);
    request.setTimeout(timeout, () => request.destroy(new Error(`no answer for ${timeout / 1000} s`)));
    request.end(body);
  });
}

module.exports = { send };
