'use strict';

const http = require('node:http');

/**
 * Serves a fake over HTTP on loopback, as the client sees the real one.
 *
 * @param {import('./fake').FakeScf} fake
 * @returns {Promise<{url: string, close: () => void}>}
 */
function serve(fake) {
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
      const headers = {};
      for (let i = 0; i < request.rawHeaders.length; i += 2) headers[request.rawHeaders[i]] = request.rawHeaders[i + 1];
      try {
        const url = new URL(`http://${request.headers.host}/`);
        const answer = await fake.transport({ url, headers, body: Buffer.concat(parts).toString() });
        response.writeHead(answer.status, { 'Content-Type': 'application/json', Date: answer.headers.date });
        response.end(answer.body);
      } catch {
        request.socket.destroy();
      }
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }));
  });
}

module.exports = { serve };
